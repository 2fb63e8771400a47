//! What the two networks minimise, from the discriminator's outputs on a real and on a fake batch.
//! With t and f the labels of real and fake images, 1 and 0 unless noise is asked for, and every
//! line a mean over the batch:
//!
//! ```text
//! D, bce and minimax:  H(D(x), t) + H(D(G(z)), f)      H(p, t) = -t log p - (1 - t) log(1 - p)
//! G, bce:              -log D(G(z))                    (non-saturating; Goodfellow et al. 2014, section 3)
//! G, minimax:          log(1 - D(G(z)))                (as first written; saturates where D is sure)
//!
//! D, least_squares:    ½ (D(x) - t)² + ½ (D(G(z)) - f)²    (Mao et al. 2017, with a = 0, b = c = 1)
//! G, least_squares:    ½ (D(G(z)) - 1)²
//!
//! D, hinge:            max(0, 1 - D(x)) + max(0, 1 + D(G(z)))    (Lim and Ye 2017)
//! G, hinge:            -D(G(z))
//!
//! D, wasserstein:      D(G(z)) - D(x)                  (Arjovsky, Chintala and Bottou 2017)
//! G, wasserstein:      -D(G(z))
//! ```
//!
//! In a mixed batch, half real and half fake, D's loss is the mean over all of it: half of the sum.

use super::recipe::{BatchSpec, LabelSpec, LossSpec, Recipe};
use crate::autograd::grad;
use crate::ops::{
    binary_cross_entropy, binary_cross_entropy_with_logits, mean, mean_squared_error, neg, relu,
    reshape, sqrt, square, sum, wasserstein,
};
use crate::random::Random;
use crate::tensor::Tensor;

/// The loss of a recipe.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    kind: LossSpec,
    /// True if the discriminator ends in a sigmoid, so that its output is D(x) itself and not a logit.
    probabilities: bool,
    mixed: bool,
    noise: Option<LabelSpec>,
}

/// What the discriminator's outputs are compared with; each is one number for the whole batch, or one
/// an image, `[n, 1]`.
pub struct Labels {
    /// Of real images.
    pub real: Tensor,
    /// Of fake images.
    pub fake: Tensor,
}

impl Loss {
    /// The loss that `recipe` asks for.
    pub fn of(recipe: &Recipe) -> Loss {
        Loss {
            kind: recipe.training.loss,
            probabilities: recipe.ends_in_sigmoid(),
            mixed: recipe.training.batches == BatchSpec::Mixed,
            noise: recipe.training.labels,
        }
    }

    /// The discriminator's labels of `count` real and as many fake images, on the device of `like`.
    /// Two numbers an image are drawn from `random` if the recipe asks for noise, else none.
    pub fn labels(&self, count: usize, random: &mut Random, like: &Tensor) -> Labels {
        let device = like.device();
        let Some(LabelSpec { flip, real, fake }) = self.noise else {
            return Labels {
                real: Tensor::full(1.0, [], device),
                fake: Tensor::full(0.0, [], device),
            };
        };
        let mut draw = |own: [f64; 2], other: [f64; 2]| {
            let numbers = random.uniform(2 * count);
            let (chances, places) = numbers.split_at(count);
            let label = |(&chance, &place): (&f64, &f64)| {
                let [low, high] = if chance < flip { other } else { own };
                low + place * (high - low)
            };
            let labels: Vec<f64> = chances.iter().zip(places).map(label).collect();
            Tensor::new(&labels, [count, 1], device)
        };
        Labels {
            real: draw(real, fake),
            fake: draw(fake, real),
        }
    }

    /// The discriminator's loss from its outputs `[n, 1]` on real and on fake images.
    pub fn discriminator(&self, real: &Tensor, fake: &Tensor, labels: &Labels) -> Tensor {
        let sum = match self.kind {
            LossSpec::Bce | LossSpec::Minimax => {
                self.cross_entropy(real, &labels.real) + self.cross_entropy(fake, &labels.fake)
            }
            LossSpec::LeastSquares => {
                let errors = mean_squared_error(real, &labels.real)
                    + mean_squared_error(fake, &labels.fake);
                0.5 * &errors
            }
            LossSpec::Hinge => mean_all(&relu(&(1.0 - real))) + mean_all(&relu(&(1.0 + fake))),
            LossSpec::Wasserstein => neg(&wasserstein(real, fake)),
        };
        if self.mixed { 0.5 * &sum } else { sum }
    }

    /// The generator's loss from the discriminator's output `[n, 1]` on its images.
    pub fn generator(&self, fake: &Tensor) -> Tensor {
        let label = |value: f64| Tensor::full(value, [], fake.device());
        match self.kind {
            LossSpec::Bce => self.cross_entropy(fake, &label(1.0)),
            LossSpec::Minimax => neg(&self.cross_entropy(fake, &label(0.0))),
            LossSpec::LeastSquares => 0.5 * &mean_squared_error(fake, &label(1.0)),
            LossSpec::Hinge | LossSpec::Wasserstein => neg(&mean_all(fake)),
        }
    }

    /// The mean of D over a batch, from the discriminator's output: of probabilities where the loss is
    /// a cross-entropy, else of the output itself.
    pub fn mean_output(&self, output: &Tensor) -> f64 {
        let logits =
            matches!(self.kind, LossSpec::Bce | LossSpec::Minimax) && !self.probabilities;
        let values = output.to_f64();
        let value = |&v: &f64| if logits { 1.0 / (1.0 + (-v).exp()) } else { v };
        values.iter().map(value).sum::<f64>() / values.len() as f64
    }

    /// Whether minus the critic's loss, without its penalty, estimates a Wasserstein distance.
    pub fn estimates_wasserstein(&self) -> bool {
        self.kind == LossSpec::Wasserstein
    }

    fn cross_entropy(&self, output: &Tensor, labels: &Tensor) -> Tensor {
        if self.probabilities {
            binary_cross_entropy(output, labels)
        } else {
            binary_cross_entropy_with_logits(output, labels)
        }
    }
}

/// The gradient penalty, which holds the critic near slope 1 between real and fake images (Gulrajani
/// et al. 2017, algorithm 1):
///
/// ```text
/// λ mean((|∇D(x̂)| - 1)²)    x̂ = ε x + (1 - ε) G(z), ε ~ U(0, 1) drawn for each image
/// ```
///
/// The norm is over all values of an image. Its gradient by D's parameters goes through ∇D: a second
/// derivative.
pub fn gradient_penalty(
    lambda: f64,
    real: &Tensor,
    fake: &Tensor,
    random: &mut Random,
    mut critic: impl FnMut(&Tensor) -> Tensor,
) -> Tensor {
    /// Under the root, whose slope at 0 is infinite.
    const TINY: f64 = 1e-12;
    let n = real.dims()[0];
    let epsilon = Tensor::new(&random.uniform(n), [n, 1, 1, 1], real.device());
    let between = &epsilon * &real.detach() + (1.0 - &epsilon) * fake.detach();
    let between = between.detach().parameter();
    let output = sum(&critic(&between), &[0, 1]);
    let [gradient] = &grad(&output, &[&between], true)[..] else {
        unreachable!("one gradient for one tensor");
    };
    let squares = sum(&square(gradient), &[1, 2, 3]);
    let norms = sqrt(&(squares + TINY));
    lambda * &mean_all(&square(&(norms - 1.0)))
}

/// The mean over every value.
fn mean_all(x: &Tensor) -> Tensor {
    mean(&reshape(x, [x.numel()]), &[0])
}
