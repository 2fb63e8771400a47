//! How both networks are trained: the loss, the order of updates, the batches and the discriminator's labels.

use serde::{Deserialize, Serialize};

use super::check::{MAX_BATCH_SIZE, MAX_EPOCHS};
use super::sizes::{check_number, check_positive, check_size};
use super::{AugmentSpec, AverageSpec, Recipe, TripleSpec};
use crate::unsaid::{is_one, is_zero, one};

/// The largest seed, which is the largest integer of TOML.
const MAX_SEED: u64 = i64::MAX as u64;

/// The most steps of the critic between two of the generator, and the most steps of either that a critic loop counts.
const MAX_CRITIC_STEPS: usize = 1_000_000;

/// How both networks are trained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct TrainingSpec {
    /// How many times training goes through the data.
    pub epochs: usize,
    /// Batch size; [`BatchSpec`] says which images are in a batch.
    pub batch_size: usize,
    /// Random seed for weights, latents, dropout and the order of the data; default: 1. At most 2⁶³ - 1, the
    /// largest integer of TOML.
    #[serde(default = "seed")]
    pub seed: u64,
    /// What the networks minimise.
    pub loss: LossSpec,
    /// Wasserstein loss only: every weight of the critic is clamped to [-c, c] after each of its steps
    /// (Arjovsky, Chintala and Bottou 2017).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_clip: Option<f64>,
    /// Wasserstein loss only: λ of the gradient penalty (Gulrajani et al. 2017).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_penalty: Option<f64>,
    /// γ of the zero-centred gradient penalty at real images, R1 (Mescheder, Geiger and Nowozin 2018); default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r1: Option<f64>,
    /// γ of the one at fake images, R2; default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r2: Option<f64>,
    /// R1 and R2 are applied in every n-th step of the discriminator, n times as large; default: 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub penalty_every: usize,
    /// Weight in both losses of the cross-entropy of the classes that the discriminator predicts (Odena, Olah and
    /// Shlens 2017); its output is then `[1 + classes]`. Default: it predicts none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auxiliary: Option<f64>,
    /// Augmentation of all that the discriminator sees; default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augment: Option<AugmentSpec>,
    /// A moving average of the generator's weights, with which samples, scores and exports are made; default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub average: Option<AverageSpec>,
    /// How real and fake images go through the discriminator; default: `separate`.
    #[serde(default)]
    pub batches: BatchSpec,
    /// The order of the networks' updates.
    pub update: UpdateSpec,
    /// A third player, the classifier; default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triple: Option<TripleSpec>,
    /// Noise on the discriminator's labels; default: real is 1 and fake is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<LabelSpec>,
}

/// What the networks minimise; [`crate::gan::loss`] has the formulas.
///
/// D(x) is the discriminator's output if the last layer that changes values is a sigmoid. If not, `bce` and `minimax`
/// take the output as a logit, D(x) = sigmoid(output), and compute log D from the logit, which loses no digits. The
/// other losses take the output as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossSpec {
    /// Binary cross-entropy with inverted labels for G: the non-saturating game (Goodfellow et al. 2014).
    Bce,
    /// The original minimax game, which saturates: G minimises log(1 - D(G(z))).
    Minimax,
    /// The squared distance to the labels (Mao et al. 2017).
    LeastSquares,
    /// The hinge (Lim and Ye 2017).
    Hinge,
    /// The Wasserstein distance, which the discriminator, then called a critic, estimates (Arjovsky,
    /// Chintala and Bottou 2017).
    Wasserstein,
    /// How much more real a real image looks than a fake one, in pairs (Jolicoeur-Martineau 2019).
    Relativistic,
    /// The same, against the mean of the other kind of images.
    RelativisticAverage,
}

impl LossSpec {
    /// Whether the discriminator is a critic: minus its loss estimates a Wasserstein distance.
    pub fn has_critic(self) -> bool {
        self == LossSpec::Wasserstein
    }

    /// Whether the loss compares the discriminator's output with labels, which can be made noisy.
    pub fn has_labels(self) -> bool {
        matches!(self, LossSpec::Bce | LossSpec::Minimax | LossSpec::LeastSquares)
    }
}

/// How real and fake images go through the discriminator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchSpec {
    /// Separately: `batch_size` real images, then as many fake ones; their losses are summed.
    #[default]
    Separate,
    /// As one batch of `batch_size`, half real and half fake; its loss is the mean over all of it.
    Mixed,
}

/// The order of updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateSpec {
    /// One fake batch, both losses from the same state, then both updates.
    Simultaneous,
    /// D's step, then G's step on a fresh batch of latents.
    Alternating,
    /// Several steps of D, each on its own batches, then one of G.
    CriticLoop(CriticLoop),
}

/// How many steps the critic makes before each of the generator's.
///
/// A run counts the critic's steps: in an epoch the critic sees the data once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct CriticLoop {
    /// The usual number of steps.
    pub steps: usize,
    /// The number before some of the generator's steps, as the next two keys say; default: `steps`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub long_steps: Option<usize>,
    /// The number of first steps of the generator that have `long_steps` before them; default: none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub long_first: usize,
    /// Every n-th step of the generator has `long_steps` before it; default: none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub long_every: usize,
}

impl CriticLoop {
    /// Whether the generator, after `generator_steps` steps, makes its next one when the critic has made
    /// `critic_steps`.
    pub fn generator_is_due(&self, critic_steps: u64, generator_steps: u64) -> bool {
        critic_steps >= self.critic_steps_before(generator_steps + 1)
    }

    /// The steps that the critic has made before step `n`, counted from 1, of the generator.
    fn critic_steps_before(&self, n: u64) -> u64 {
        let first = (self.long_first as u64).min(n);
        // Steps counted from 0, as the schedule's author does: 0, 500, 1000, ... are long.
        let long = match self.long_every as u64 {
            0 => first,
            every => {
                let multiples = n.div_ceil(every);
                first + multiples - first.div_ceil(every)
            }
        };
        let steps = self.steps as u64;
        let extra = self.long_steps.map_or(0, |long| long as u64 - steps);
        n * steps + long * extra
    }

    fn check(&self) -> Result<(), String> {
        let key = |name: &str| format!("training.update.critic_loop.{name}");
        check_size(&key("steps"), self.steps, MAX_CRITIC_STEPS)?;
        let Some(long) = self.long_steps else {
            if self.long_first == 0 && self.long_every == 0 {
                return Ok(());
            }
            return Err(format!("{} is missing; say how many", key("long_steps")));
        };
        for (name, value) in [("long_first", self.long_first), ("long_every", self.long_every)] {
            if value > MAX_CRITIC_STEPS {
                let key = key(name);
                return Err(format!("{key} = {value}; it must be at most {MAX_CRITIC_STEPS}"));
            }
        }
        if (self.steps..=MAX_CRITIC_STEPS).contains(&long) {
            return Ok(());
        }
        let (key, steps) = (key("long_steps"), self.steps);
        Err(format!("{key} = {long}; it must be from steps = {steps} to {MAX_CRITIC_STEPS}"))
    }
}

/// Noise on the labels that the discriminator learns from; the generator's stay at 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct LabelSpec {
    /// The probability that an image's label is one of the other kind's; default: 0.
    #[serde(default)]
    pub flip: f64,
    /// A real image's label is drawn uniformly from this range; default: `[1, 1]`. One-sided
    /// smoothing (Salimans et al. 2016) is `[0.9, 0.9]`.
    #[serde(default = "ones", deserialize_with = "super::two")]
    pub real: [f64; 2],
    /// A fake image's label is drawn uniformly from this range; default: `[0, 0]`.
    #[serde(default = "zeros", deserialize_with = "super::two")]
    pub fake: [f64; 2],
}

impl LabelSpec {
    fn check(&self) -> Result<(), String> {
        let flip = self.flip;
        let key = "training.labels.flip";
        check_number(key, flip, (0.0..=1.0).contains(&flip), "in [0, 1]")?;
        for (kind, [low, high]) in [("real", self.real), ("fake", self.fake)] {
            if !(0.0 <= low && low <= high && high <= 1.0) {
                return Err(format!(
                    "training.labels.{kind} = [{low:?}, {high:?}]; give two numbers in [0, 1], the \
                     lower first"
                ));
            }
        }
        Ok(())
    }
}

impl Recipe {
    /// What to change if training has diverged, in words that follow "start again with".
    pub fn calmer(&self) -> String {
        /// Ten times the paper's.
        const HUGE_PENALTY: f64 = 100.0;
        if let Some(lambda) = self.training.gradient_penalty
            && lambda > HUGE_PENALTY
        {
            return format!(
                "a smaller gradient penalty ({lambda} makes all else count for nothing): --set \
                 training.gradient_penalty=10, as in the paper"
            );
        }
        let two = [("generator", &self.generator), ("discriminator", &self.discriminator)];
        let networks = two.into_iter().chain(self.classifier.iter().map(|network| ("classifier", network)));
        let tenths: Vec<String> = networks
            .map(|(name, network)| {
                let rate = network.optimizer.learning_rate() / 10.0;
                let rate = format!("{rate:.1e}").replace(".0e", "e");
                format!("--set {name}.optimizer.learning_rate={rate}")
            })
            .collect();
        format!("smaller steps of learning: {}", tenths.join(" "))
    }
}

impl TrainingSpec {
    /// The number of the data's images in a step.
    pub fn real_images(&self) -> usize {
        match self.batches {
            BatchSpec::Separate => self.batch_size,
            BatchSpec::Mixed => self.batch_size / 2,
        }
    }

    /// The number of all examples in a step: those images and, in a game of three, the other parts of its batch.
    pub fn examples(&self) -> usize {
        let others = self.triple.map_or(0, |triple| triple.supervised + triple.pairs[0] + triple.pairs[1]);
        self.real_images() + others
    }

    /// Checks every number, and that the keys go together.
    pub(super) fn check(&self) -> Result<(), String> {
        check_size("training.epochs", self.epochs, MAX_EPOCHS)?;
        check_size("training.batch_size", self.batch_size, MAX_BATCH_SIZE)?;
        if self.seed > MAX_SEED {
            return Err(format!("training.seed = {}; it must be from 0 to {MAX_SEED}", self.seed));
        }
        if self.batches == BatchSpec::Mixed && !self.batch_size.is_multiple_of(2) {
            return Err(format!(
                "training.batch_size = {}; half of a mixed batch is real, so make it even",
                self.batch_size
            ));
        }
        if let UpdateSpec::CriticLoop(critic_loop) = &self.update {
            critic_loop.check()?;
        }
        self.check_zero_centred()?;
        if let Some(weight) = self.auxiliary {
            check_positive("training.auxiliary", weight)?;
            if self.batches == BatchSpec::Mixed {
                return Err("training.auxiliary is for training.batches = \"separate\" only; remove one of them".into());
            }
        }
        if let Some(augment) = &self.augment {
            augment.check()?;
        }
        if let Some(triple) = &self.triple {
            triple.check(self.batch_size)?;
        }
        if let Some(average) = &self.average {
            average.check()?;
        }
        if let Some(labels) = &self.labels {
            labels.check()?;
            if !self.loss.has_labels() {
                return Err("training.labels: this training.loss compares with no labels; \
                            take them away, or choose bce, minimax or least_squares"
                    .into());
            }
        }
        self.check_wasserstein()
    }

    fn check_zero_centred(&self) -> Result<(), String> {
        let penalties = [("r1", self.r1), ("r2", self.r2)];
        for (name, gamma) in penalties {
            let Some(gamma) = gamma else { continue };
            check_positive(&format!("training.{name}"), gamma)?;
            if self.batches == BatchSpec::Mixed {
                return Err(format!("training.{name} is for training.batches = \"separate\" only; remove one of them"));
            }
        }
        check_size("training.penalty_every", self.penalty_every, MAX_CRITIC_STEPS)?;
        if self.penalty_every > 1 && self.r1.or(self.r2).is_none() {
            let every = self.penalty_every;
            return Err(format!("training.penalty_every = {every} is for r1 and r2, and there is neither; remove it"));
        }
        Ok(())
    }

    fn check_wasserstein(&self) -> Result<(), String> {
        let of_critics = [("weight_clip", self.weight_clip), ("gradient_penalty", self.gradient_penalty)];
        for (name, value) in of_critics {
            let Some(value) = value else { continue };
            let key = format!("training.{name}");
            check_positive(&key, value)?;
            if self.loss != LossSpec::Wasserstein {
                return Err(format!("{key} is for training.loss = \"wasserstein\" only; remove it"));
            }
        }
        if self.loss == LossSpec::Wasserstein && self.batches == BatchSpec::Mixed {
            return Err("training.batches = \"mixed\": a critic's loss is the difference of two means; \
                 make it \"separate\""
                .into());
        }
        Ok(())
    }
}

fn seed() -> u64 {
    1
}
fn zeros() -> [f64; 2] {
    [0.0, 0.0]
}
fn ones() -> [f64; 2] {
    [1.0, 1.0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The critic's steps before each of the generator's first `count`, by asking after every one.
    fn between(critic_loop: CriticLoop, count: u64) -> Vec<u64> {
        let (mut all, mut critic, mut last) = (Vec::new(), 0, 0);
        for generator in 0..count {
            while !critic_loop.generator_is_due(critic, generator) {
                critic += 1;
            }
            all.push(critic - last);
            last = critic;
        }
        all
    }

    #[test]
    fn the_critic_makes_as_many_steps_as_its_schedule_says() {
        let plain = CriticLoop { steps: 5, long_steps: None, long_first: 0, long_every: 0 };
        assert_eq!(between(plain, 4), [5; 4]);
        let paper = CriticLoop { long_steps: Some(100), long_first: 25, long_every: 500, ..plain };
        for (step, steps) in between(paper, 1100).into_iter().enumerate() {
            let long = step < 25 || step % 500 == 0;
            assert_eq!(steps, if long { 100 } else { 5 }, "step {step}");
        }
        let no_first = CriticLoop { long_first: 0, long_every: 3, ..paper };
        assert_eq!(between(no_first, 5), [100, 5, 5, 100, 5]);
    }

    #[test]
    fn what_to_change_where_training_diverges_is_the_likeliest_cause() {
        let calmer = |name: &str, set: &str| Recipe::load(name, &[set.into()]).unwrap().calmer();
        assert_eq!(
            calmer("dcgan-mnist", "generator.optimizer.learning_rate=2e-3"),
            "smaller steps of learning: --set generator.optimizer.learning_rate=2e-4 --set \
             discriminator.optimizer.learning_rate=1e-5"
        );
        let huge = calmer("wgan-gp-mnist", "training.gradient_penalty=1e30");
        assert!(huge.contains("--set training.gradient_penalty=10"), "{huge}");
        let usual = calmer("wgan-gp-mnist", "training.gradient_penalty=10");
        assert!(usual.starts_with("smaller steps"), "{usual}");
    }

    #[test]
    fn keys_that_do_not_go_together_are_refused() {
        let complaint = |text: &str| {
            let text = format!("epochs = 1\nbatch_size = 4\n{text}");
            let spec: TrainingSpec = toml::from_str(&text).unwrap();
            spec.check().unwrap_err()
        };
        let rest = "update = 'alternating'\n";
        for (text, start) in [
            ("loss = 'bce'\nweight_clip = 0.1", "training.weight_clip is"),
            ("loss = 'hinge'\ngradient_penalty = 10", "training.gradient_penalty is"),
            ("loss = 'wasserstein'\ngradient_penalty = 0", "training.gradient_penalty = 0"),
            ("loss = 'wasserstein'\nbatches = 'mixed'", "training.batches"),
            ("loss = 'hinge'\nlabels = { flip = 0.1 }", "training.labels: "),
            ("loss = 'relativistic'\nlabels = { flip = 0.1 }", "training.labels: "),
            ("loss = 'bce'\nr1 = 0", "training.r1 = 0"),
            ("loss = 'bce'\nr2 = 1\nbatches = 'mixed'", "training.r2 is for"),
            ("loss = 'bce'\npenalty_every = 16", "training.penalty_every = 16 is for r1 and r2"),
            ("loss = 'bce'\nr1 = 1\npenalty_every = 0", "training.penalty_every = 0"),
            ("loss = 'bce'\nlabels = { flip = 1.1 }", "training.labels.flip"),
            ("loss = 'bce'\nlabels = { real = [0.9, 0.8] }", "training.labels.real"),
            ("loss = 'bce'\nlabels = { fake = [0, nan] }", "training.labels.fake"),
            ("loss = 'bce'\naverage = { warm_up = 0.1 }", "training.average: give either half_life"),
            ("loss = 'bce'\naverage = { half_life = 5, decay = 0.5 }", "training.average: give either half_life"),
            ("loss = 'bce'\naverage = { half_life = 0 }", "training.average.half_life = 0"),
            ("loss = 'bce'\naverage = { decay = 1 }", "training.average.decay = 1"),
            ("loss = 'bce'\naverage = { decay = 0.9, warm_up = 2 }", "training.average.warm_up = 2"),
        ] {
            let what = complaint(&format!("{rest}{text}"));
            assert!(what.starts_with(start), "{text}: {what}");
        }
        for (text, end) in [
            ("{ steps = 0 }", "steps = 0"),
            ("{ steps = 5, long_first = 25 }", "long_steps is missing"),
            ("{ steps = 5, long_steps = 4 }", "from steps = 5 to 1000000"),
        ] {
            let what = complaint(&format!("loss = 'bce'\nupdate = {{ critic_loop = {text} }}"));
            assert!(what.contains(end), "{text}: {what}");
        }
        let odd = "batch_size = 3\nepochs = 1\nloss = 'bce'\nupdate = 'alternating'\nbatches = 'mixed'";
        let odd: TrainingSpec = toml::from_str(odd).unwrap();
        assert!(odd.check().unwrap_err().ends_with("so make it even"));
    }
}
