//! A GAN in training: both networks, both optimisers and the random state. [`super::step`] advances it.

use super::augment::Augment;
use super::average::Average;
use super::classifier::Classifier;
use super::latents::Latents;
use super::loss::Loss;
use super::report::not_finite;
use crate::Result;
use crate::autograd::no_grad;
use crate::cpu::batch::chosen_as_for;
use crate::nn::{Layer, Pass, Sequential};
use crate::ops::concat;
use crate::optim::{Optimizer, all_finite};
use crate::random::{Purpose, Random};
use crate::recipe::build;
use crate::recipe::{Numbers, Recipe, TrainingSpec};
use crate::storage::Device;
use crate::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Random numbers for the latents of training steps.
pub const LATENTS: Purpose = Purpose::new(2);
/// Random numbers for the latents of the sample grids, the same in every epoch.
pub const FIXED_LATENTS: Purpose = Purpose::new(5);
/// Random numbers for the noise on the discriminator's labels, and for the augmentation of what it sees.
pub const LABELS: Purpose = Purpose::new(8);
/// Random numbers for the points between real and fake images at which a gradient penalty is taken.
pub const PENALTY: Purpose = Purpose::new(9);

/// The prefix of the names of the averages of the generator's weights.
pub const AVERAGE: &str = "average";
/// The prefix of the name of augmentation's probability.
pub const AUGMENT: &str = "augment";

/// A GAN in training.
///
/// ```no_run
/// use minimax::data::{Batches, LastBatch, digits};
/// use minimax::gan::model::Gan;
/// use minimax::recipe::Recipe;
/// use minimax::Device;
///
/// let recipe = Recipe::load("quickstart", &[])?;
/// let mut gan = Gan::new(&recipe, Device::Cpu);
/// let mut batches = Batches::new(digits::render(10_000, 1).into(), recipe.training.batch_size, 1, LastBatch::Drop);
/// for step in 0..100 {
///     let real = batches.batch(step)?.to_images(recipe.data.range, Device::Cpu);
///     println!("{:?}", gan.step(&real, false)?);
/// }
/// # Ok::<(), minimax::Error>(())
/// ```
pub struct Gan {
    /// From latents to images.
    pub generator: Sequential,
    /// From images to one number, and to logits of the classes if it predicts them.
    pub discriminator: Sequential,
    /// The optimiser of the generator.
    pub generator_optimizer: Optimizer,
    /// The optimiser of the discriminator.
    pub discriminator_optimizer: Optimizer,
    /// The random streams, which remember how far they have been read.
    pub random: RandomState,
    /// The number of steps done.
    pub steps: u64,
    /// The moving average of the generator's weights, if the recipe asks for one.
    pub average: Option<Average>,
    /// The augmentation of the images that the discriminator sees, if the recipe asks for it.
    pub augment: Option<Augment>,
    /// The third player, if there are three.
    pub classifier: Option<Classifier>,
    pub(super) training: TrainingSpec,
    pub(super) loss: Loss,
    pub(super) latent: usize,
    /// The number of classes, if the game is conditional.
    pub(super) classes: Option<usize>,
    pub(super) device: Device,
}

/// The streams that a training step reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RandomState {
    /// The random numbers of latents.
    pub latents: Random,
    /// The random numbers of dropout masks.
    pub dropout: Random,
    /// The random numbers of noise on labels, and of augmentation.
    pub labels: Random,
    /// The random numbers of the points where a gradient penalty is taken.
    pub penalty: Random,
}

impl Gan {
    /// The game of `recipe` before its first step.
    pub fn new(recipe: &Recipe, device: Device) -> Gan {
        let seed = recipe.training.seed;
        let mut initial = Random::new(seed, Purpose::INITIAL);
        let generator = build::network(&recipe.generator, &mut initial, device);
        let discriminator = build::network(&recipe.discriminator, &mut initial, device);
        let classifier = Classifier::of(recipe, &mut initial, device);
        let mut gan = Gan {
            generator_optimizer: build::optimizer(&recipe.generator.optimizer, &generator),
            discriminator_optimizer: build::optimizer(&recipe.discriminator.optimizer, &discriminator),
            generator,
            discriminator,
            random: RandomState {
                latents: Random::new(seed, LATENTS),
                dropout: Random::new(seed, Purpose::DROPOUT),
                labels: Random::new(seed, LABELS),
                penalty: Random::new(seed, PENALTY),
            },
            steps: 0,
            average: None,
            augment: augment(recipe, device),
            classifier,
            training: recipe.training,
            loss: Loss::of(recipe),
            latent: recipe.generator.input[0],
            classes: recipe.classes(),
            device,
        };
        gan.set_average(recipe);
        gan
    }

    /// Takes over the numbers of `recipe` for the next steps. Its networks and kinds of optimisers must be those of
    /// this game.
    ///
    /// # Panics
    /// If an optimiser is of another kind.
    pub(crate) fn tune(&mut self, recipe: &Recipe) {
        self.loss = Loss::of(recipe);
        self.set_average(recipe);
        match (recipe.training.augment, &mut self.augment) {
            (Some(spec), Some(augment)) => augment.tune(spec, self.device),
            (_, own) => *own = augment(recipe, self.device),
        }
        self.set_numbers(&Numbers::of(recipe));
    }

    /// Takes over `numbers`, some of which a schedule has changed, for the next steps.
    ///
    /// # Panics
    /// As [`Gan::tune`].
    pub(crate) fn set_numbers(&mut self, numbers: &Numbers) {
        self.generator_optimizer.set_rule(build::rule(&numbers.generator));
        self.discriminator_optimizer.set_rule(build::rule(&numbers.discriminator));
        self.training = numbers.training;
        if let (Some(classifier), Some(optimizer), Some(triple)) =
            (&mut self.classifier, &numbers.classifier, numbers.training.triple)
        {
            classifier.tune(optimizer, triple);
        }
        self.tune_average();
    }

    /// Checks that every weight, statistic and optimiser slot is a finite number, as even a step with finite losses can
    /// leave values that aren't.
    ///
    /// # Errors
    /// [`Error::NotFinite`](crate::Error::NotFinite), with the name of the first tensor that isn't.
    pub fn check_finite(&self) -> Result<()> {
        let named = self.named();
        // On a GPU, if all is well, it is one launch and one number to read.
        if all_finite(&named.iter().map(|(_, tensor)| *tensor).collect::<Vec<_>>()) {
            return Ok(());
        }
        let broken = named.into_iter().find(|(_, tensor)| !all_finite(&[tensor]));
        broken.map_or(Ok(()), |(name, _)| {
            let what = format!("{name} holds values that are not finite");
            Err(not_finite(self.steps, &what))
        })
    }

    /// Every tensor that a checkpoint keeps, by name.
    pub fn named(&self) -> Vec<(String, &Tensor)> {
        let groups = [
            ("generator", self.generator.named()),
            ("discriminator", self.discriminator.named()),
            ("generator_optimizer", self.generator_optimizer.named()),
            ("discriminator_optimizer", self.discriminator_optimizer.named()),
            (AVERAGE, self.average.as_ref().map_or(Vec::new(), |average| average.network.named())),
            (AUGMENT, self.augment.iter().filter_map(|augment| named(augment.chance.as_ref())).collect()),
        ];
        prefixed(groups.into_iter().chain(self.classifier.iter().flat_map(Classifier::named)))
    }

    /// As [`Gan::named`], to be changed.
    pub fn named_mut(&mut self) -> Vec<(String, &mut Tensor)> {
        let groups = [
            ("generator", self.generator.named_mut()),
            ("discriminator", self.discriminator.named_mut()),
            ("generator_optimizer", self.generator_optimizer.named_mut()),
            ("discriminator_optimizer", self.discriminator_optimizer.named_mut()),
            (AVERAGE, self.average.as_mut().map_or(Vec::new(), |average| average.network.named_mut())),
            (AUGMENT, self.augment.iter_mut().filter_map(|augment| named(augment.chance.as_mut())).collect()),
        ];
        prefixed(groups.into_iter().chain(self.classifier.iter_mut().flat_map(Classifier::named_mut)))
    }
}

/// The initial state of the augmentation that `recipe` asks for.
fn augment(recipe: &Recipe, device: Device) -> Option<Augment> {
    recipe.training.augment.map(|spec| Augment::new(spec, &recipe.discriminator.input, recipe.data.range, device))
}

/// The probability of augmentation with its name.
fn named<T>(chance: Option<T>) -> Option<(String, T)> {
    chance.map(|chance| ("chance".to_string(), chance))
}

fn prefixed<'a, T>(groups: impl Iterator<Item = (&'a str, Vec<(String, T)>)>) -> Vec<(String, T)> {
    let mut all = Vec::new();
    for (prefix, group) in groups {
        all.extend(group.into_iter().map(|(name, tensor)| (format!("{prefix}.{name}"), tensor)));
    }
    all
}

/// The most images that go through the generator at one time.
pub const MOST_AT_A_TIME: usize = 64;

/// Makes images in the generator's own range from `latents`, in evaluation mode: with running statistics and without
/// dropout. `take` gets them in batches `[batch, h, w, c]` of at most 64, the last of which may be smaller, so that
/// they take no more memory than a training step on such a batch. However they are cut, each image has the same bits,
/// as kernels are always chosen as for 64.
///
/// # Errors
/// Those of `take`, after which no more images are made.
///
/// # Panics
/// If the generator takes labels and `latents` have none.
pub fn sample_each(
    generator: &mut Sequential,
    latents: &Latents,
    batch: usize,
    device: Device,
    mut take: impl FnMut(&Tensor) -> Result<()>,
) -> Result<()> {
    for (z, labels) in latents.batches(batch.clamp(1, MOST_AT_A_TIME), device) {
        let mut pass = Pass::evaluation().of_classes(labels.as_ref());
        let forward = || no_grad(|| generator.forward(&z, &mut pass));
        take(&chosen_as_for(MOST_AT_A_TIME, forward))?;
    }
    Ok(())
}

/// As [`sample_each`], all images `[n, h, w, c]` as one tensor.
pub fn sample(generator: &mut Sequential, latents: &Latents, batch: usize, device: Device) -> Tensor {
    let mut slices = Vec::new();
    let kept = sample_each(generator, latents, batch, device, |images| {
        slices.push(images.clone());
        Ok(())
    });
    kept.expect("nothing is refused");
    concat(&slices.iter().collect::<Vec<_>>(), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A discriminator that ends in a 1x1 map plays the same game whether its sigmoid comes before the flatten,
    /// after it, or before a reshape.
    #[test]
    fn what_hands_a_probability_on_changes_nothing_of_the_game() {
        let reports = [
            "{ layer = 'sigmoid' }, { layer = 'flatten' }",
            "{ layer = 'flatten' }, { layer = 'sigmoid' }",
            "{ layer = 'sigmoid' }, { layer = 'reshape', shape = [1] }",
        ]
        .map(|end| {
            let set = [
                format!(
                    "discriminator.layers=[{{ layer = 'conv2d', filters = 1, kernel = 28, padding = 'valid' }}, {end}]"
                ),
                "training.update=simultaneous".into(),
            ];
            let recipe = Recipe::load("vanilla-mnist", &set).unwrap();
            let mut gan = Gan::new(&recipe, Device::Cpu);
            let real = Tensor::full(0.5, [4, 28, 28, 1], Device::Cpu);
            [0; 3].map(|_| gan.step(&real, true).unwrap())
        });
        assert_eq!(reports[0], reports[1]);
        assert_eq!(reports[0], reports[2]);
        let first = reports[0][0];
        assert!(first.d_real > 0.0 && first.d_real < 1.0, "{first:?}");
    }

    /// Through convolutions of every kind and dense layers, by Winograd's form or not.
    #[test]
    fn the_bits_of_a_sample_do_not_depend_on_how_many_are_made_with_it() {
        for name in ["dcgan-compact-mnist", "upsample-mnist", "vanilla-mnist"] {
            let recipe = Recipe::load(name, &[]).unwrap();
            let mut gan = Gan::new(&recipe, Device::Cpu);
            let width = recipe.generator.input[0];
            let mut made = |batch: usize, count: usize| {
                sample(&mut gan.generator, &Latents::fixed(1, count, width), batch, Device::Cpu).to_f32()
            };
            let whole = made(1000, 66);
            for batch in [1, 3, 17] {
                let same = whole.iter().zip(made(batch, batch + 1));
                let same = same.filter(|(a, b)| a.to_bits() == b.to_bits()).count();
                assert_eq!(same, (batch + 1) * 784, "{name}: {batch} at a time");
            }
        }
    }
}
