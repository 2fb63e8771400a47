//! What the two networks minimise, from the discriminator's outputs on a real and on a fake batch. t and f are the
//! labels of real and fake images, which are 1 and 0 unless noise is asked for; every line is a mean over the batch:
//!
//! ```text
//! D, bce and minimax:  H(D(x), t) + H(D(G(z)), f)      H(p, t) = -t log p - (1 - t) log(1 - p)
//! G, bce:              -log D(G(z))                    (non-saturating; Goodfellow et al. 2014, section 3)
//! G, minimax:          log(1 - D(G(z)))                (the original form; saturates where D is sure)
//!
//! D, least_squares:    ½ (D(x) - t)² + ½ (D(G(z)) - f)²    (Mao et al. 2017, with a = 0, b = c = 1)
//! G, least_squares:    ½ (D(G(z)) - 1)²
//!
//! D, hinge:            max(0, 1 - D(x)) + max(0, 1 + D(G(z)))    (Lim and Ye 2017)
//! G, hinge:            -D(G(z))
//!
//! D, wasserstein:      D(G(z)) - D(x)                  (Arjovsky, Chintala and Bottou 2017)
//! G, wasserstein:      -D(G(z))
//!
//! D, relativistic:     softplus(D(G(z)) - D(x))        softplus(t) = log(1 + eᵗ) (Jolicoeur-Martineau 2019; pairs of a
//! G, relativistic:     softplus(D(x) - D(G(z)))        real and a fake image, as Huang et al. 2024 have it)
//!
//! D, relativistic_average:  softplus(E D(G(z)) - D(x)) + softplus(D(G(z)) - E D(x))    (Jolicoeur-Martineau 2019)
//! G, relativistic_average:  softplus(D(x) - E D(G(z))) + softplus(E D(x) - D(G(z)))
//! ```
//!
//! If G's loss depends on real images, they are those that D has just seen. If D predicts classes too
//! (`training.auxiliary` = w), w times their cross-entropy is added to both losses: to D's on real and on fake images,
//! to G's on fake ones (Odena, Olah and Shlens 2017).
//!
//! In a mixed batch, half real and half fake, D's loss is the mean over all of it: half of the sum.

use crate::ops::{
    binary_cross_entropy, binary_cross_entropy_with_logits, greater, mean_all, mean_squared_error, neg, random_uniform,
    relu, sigmoid, slice, softplus,
};
use crate::random::Random;
use crate::recipe::{BatchSpec, LabelSpec, LossSpec, Recipe};
use crate::storage::Device;
use crate::tensor::Tensor;

/// The loss of a recipe.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    kind: LossSpec,
    /// True if the discriminator's output is D(x) itself and not a logit.
    probabilities: bool,
    mixed: bool,
    noise: Option<LabelSpec>,
}

/// The labels for the discriminator's outputs: one number for the whole batch, or one for each image, `[n, 1]`.
pub struct Labels {
    /// The labels of real images.
    pub real: Tensor,
    /// The labels of fake images.
    pub fake: Tensor,
}

impl Loss {
    /// The loss that `recipe` asks for.
    pub fn of(recipe: &Recipe) -> Loss {
        Loss {
            kind: recipe.training.loss,
            probabilities: recipe.gives_probabilities(),
            mixed: recipe.training.batches == BatchSpec::Mixed,
            noise: recipe.training.labels,
        }
    }

    /// The discriminator's labels of `count` real and as many fake images, on `device`. If the recipe asks
    /// for noise, two numbers are drawn from `random` for each image.
    pub fn labels(&self, count: usize, random: &mut Random, device: Device) -> Labels {
        let Some(LabelSpec { flip, real, fake }) = self.noise else {
            return Labels { real: Tensor::constant(1.0, device), fake: Tensor::constant(0.0, device) };
        };
        let mut draw = |own: [f64; 2], other: [f64; 2]| {
            // For each image one number says whether its label is flipped, another where in its range it lies.
            let numbers = random_uniform(random, [2 * count, 1], device);
            let chances = slice(&numbers, &[0..count, 0..1]);
            let places = slice(&numbers, &[count..2 * count, 0..1]);
            let within = |[low, high]: [f64; 2]| low + &places * (high - low);
            let flipped = greater(&Tensor::constant(flip, device), &chances);
            &flipped * within(other) + (1.0 - &flipped) * within(own)
        };
        Labels { real: draw(real, fake), fake: draw(fake, real) }
    }

    // ANCHOR: discriminator
    /// The discriminator's loss from its outputs `[n, 1]` on real and on fake images.
    pub fn discriminator(&self, real: &Tensor, fake: &Tensor, labels: &Labels) -> Tensor {
        let sum = match self.kind {
            LossSpec::Relativistic => mean_all(&softplus(&(fake - real))),
            LossSpec::RelativisticAverage => {
                mean_all(&(softplus(&(mean_all(fake) - real)) + softplus(&(fake - mean_all(real)))))
            }
            _ => self.on_real(real, labels) + self.on_fake(fake, labels),
        };
        if self.mixed { 0.5 * &sum } else { sum }
    }
    // ANCHOR_END: discriminator

    /// The part of the discriminator's loss on real images, from its outputs `[n, 1]`, for batches in which they are
    /// not mixed with fake ones.
    ///
    /// # Panics
    /// If the loss is relativistic: it has no such part.
    pub fn on_real(&self, real: &Tensor, labels: &Labels) -> Tensor {
        match self.kind {
            LossSpec::Bce | LossSpec::Minimax => self.cross_entropy(real, &labels.real),
            LossSpec::LeastSquares => 0.5 * &mean_squared_error(real, &labels.real),
            LossSpec::Hinge => mean_all(&relu(&(1.0 - real))),
            LossSpec::Wasserstein => neg(&mean_all(real)),
            LossSpec::Relativistic | LossSpec::RelativisticAverage => panic!("a relativistic loss has no parts"),
        }
    }

    /// As [`Loss::on_real`], on fake images.
    ///
    /// # Panics
    /// As [`Loss::on_real`].
    pub fn on_fake(&self, fake: &Tensor, labels: &Labels) -> Tensor {
        match self.kind {
            LossSpec::Bce | LossSpec::Minimax => self.cross_entropy(fake, &labels.fake),
            LossSpec::LeastSquares => 0.5 * &mean_squared_error(fake, &labels.fake),
            LossSpec::Hinge => mean_all(&relu(&(1.0 + fake))),
            LossSpec::Wasserstein => mean_all(fake),
            LossSpec::Relativistic | LossSpec::RelativisticAverage => panic!("a relativistic loss has no parts"),
        }
    }

    /// Whether the generator's loss depends on real images too.
    pub fn is_relativistic(&self) -> bool {
        matches!(self.kind, LossSpec::Relativistic | LossSpec::RelativisticAverage)
    }

    // ANCHOR: generator
    /// The generator's loss from the discriminator's outputs `[n, 1]`: on real images, on which only a relativistic
    /// loss depends, and on fake ones.
    pub fn generator(&self, real: &Tensor, fake: &Tensor) -> Tensor {
        let label = |value: f64| Tensor::constant(value, fake.device());
        match self.kind {
            LossSpec::Bce => self.cross_entropy(fake, &label(1.0)),
            LossSpec::Minimax => neg(&self.cross_entropy(fake, &label(0.0))),
            LossSpec::LeastSquares => 0.5 * &mean_squared_error(fake, &label(1.0)),
            LossSpec::Hinge | LossSpec::Wasserstein => neg(&mean_all(fake)),
            LossSpec::Relativistic => mean_all(&softplus(&(real - fake))),
            LossSpec::RelativisticAverage => {
                mean_all(&(softplus(&(real - mean_all(fake))) + softplus(&(mean_all(real) - fake))))
            }
        }
    }
    // ANCHOR_END: generator

    /// The mean of D over a batch, in f64 except on CUDA: of probabilities for a cross-entropy, else of outputs.
    pub(super) fn mean_output(&self, output: &Tensor) -> Tensor {
        if let Device::Cuda(_) = output.device() {
            let output = output.detach();
            return mean_all(&if self.takes_logits() { sigmoid(&output) } else { output });
        }
        let values = self.outputs(output);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        Tensor::new(&[mean], [], Device::Reference)
    }

    /// D(x) of each image, as in [`Loss::mean_output`].
    pub(super) fn outputs(&self, output: &Tensor) -> Vec<f64> {
        let mut values = output.to_f64();
        if self.takes_logits() {
            values.iter_mut().for_each(|v| *v = 1.0 / (1.0 + libm::exp(-*v)));
        }
        values
    }

    /// Whether the discriminator's output is a logit.
    fn takes_logits(&self) -> bool {
        matches!(self.kind, LossSpec::Bce | LossSpec::Minimax) && !self.probabilities
    }

    fn cross_entropy(&self, output: &Tensor, labels: &Tensor) -> Tensor {
        if self.probabilities {
            binary_cross_entropy(output, labels)
        } else {
            binary_cross_entropy_with_logits(output, labels)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;
    use crate::storage::Device::Reference;

    fn loss(overrides: &[&str]) -> Loss {
        let overrides: Vec<String> = overrides.iter().map(|entry| entry.to_string()).collect();
        Loss::of(&Recipe::load("dcgan-mnist", &overrides).unwrap())
    }

    fn outputs(values: &[f64]) -> Tensor {
        Tensor::new(values, [values.len(), 1], Reference)
    }

    fn random() -> Random {
        Random::new(3, Purpose::CHECK)
    }

    /// Each loss of D(x) = (2, -1) and D(G(z)) = (0.5, -3), worked out by hand.
    #[test]
    fn every_loss_is_its_formula() {
        let (real, fake) = (outputs(&[2.0, -1.0]), outputs(&[0.5, -3.0]));
        let softplus = |x: f64| libm::log1p(libm::exp(x));
        let cross_entropy = (softplus(-2.0) + softplus(1.0)) / 2.0 + (softplus(0.5) + softplus(-3.0)) / 2.0;
        for (name, discriminator, generator) in [
            ("bce", cross_entropy, (softplus(-0.5) + softplus(3.0)) / 2.0),
            ("minimax", cross_entropy, -(softplus(0.5) + softplus(-3.0)) / 2.0),
            ("least_squares", (1.0 + 4.0 + 0.25 + 9.0) / 4.0, (0.25 + 16.0) / 4.0),
            ("hinge", (0.0 + 2.0) / 2.0 + (1.5 + 0.0) / 2.0, 1.25),
            ("wasserstein", -1.25 - 0.5, 1.25),
            ("relativistic", (softplus(-1.5) + softplus(-2.0)) / 2.0, (softplus(1.5) + softplus(2.0)) / 2.0),
            (
                "relativistic_average",
                (softplus(-3.25) + softplus(-0.25)) / 2.0 + (softplus(0.0) + softplus(-3.5)) / 2.0,
                (softplus(3.25) + softplus(0.25)) / 2.0 + (softplus(0.0) + softplus(3.5)) / 2.0,
            ),
        ] {
            let loss = loss(&[&format!("training.loss={name}")]);
            let labels = loss.labels(2, &mut random(), Reference);
            let d = loss.discriminator(&real, &fake, &labels).item();
            let g = loss.generator(&real, &fake).item();
            assert!((d - discriminator).abs() < 1e-12, "{name}: D {d}");
            assert!((g - generator).abs() < 1e-12, "{name}: G {g}");
        }
        let mixed = loss(&["training.batches=mixed"]);
        let labels = mixed.labels(2, &mut random(), Reference);
        let half = mixed.discriminator(&real, &fake, &labels).item();
        assert!((half - cross_entropy / 2.0).abs() < 1e-12);
    }

    #[test]
    fn noisy_labels_keep_to_their_ranges_and_flip_as_often_as_asked() {
        let noise = "training.labels={ flip = 0.25, real = [0.8, 1.0], fake = [0.0, 0.1] }";
        let loss = loss(&[noise]);
        let n = 4000;
        let labels = loss.labels(n, &mut random(), Reference);
        for (labels, [low, high], [other_low, other_high]) in
            [(&labels.real, [0.8, 1.0], [0.0, 0.1]), (&labels.fake, [0.0, 0.1], [0.8, 1.0])]
        {
            assert_eq!(labels.dims(), [n, 1]);
            let values = labels.to_f64();
            let within = |low: f64, high: f64| {
                let inside = values.iter().filter(|&&v| (low..=high).contains(&v));
                inside.count()
            };
            let flipped = within(other_low, other_high);
            assert_eq!(within(low, high) + flipped, n);
            // Four standard deviations of a binomial distribution.
            let spread = 4.0 * (n as f64 * 0.25 * 0.75).sqrt();
            assert!((flipped as f64 - n as f64 * 0.25).abs() < spread, "{flipped}");
        }
    }
}
