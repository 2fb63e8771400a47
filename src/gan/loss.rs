//! What the two networks minimise, from the discriminator's outputs on a real and on a fake batch.
//!
//! ```text
//! D, both:    -log D(x) - log(1 - D(G(z)))
//! G, bce:     -log D(G(z))                    (non-saturating; Goodfellow et al., 2014, section 3)
//! G, minimax:  log(1 - D(G(z)))               (as first written; saturates where D is sure)
//! ```

use super::recipe::{LayerSpec, LossSpec, Recipe};
use crate::ops::{binary_cross_entropy, binary_cross_entropy_with_logits, neg};
use crate::tensor::Tensor;

/// The loss of a recipe.
#[derive(Clone, Copy, Debug)]
pub struct Loss {
    kind: LossSpec,
    /// True if the discriminator ends in a sigmoid, so that its output is D(x) itself and not a logit.
    probabilities: bool,
}

impl Loss {
    /// The loss that `recipe` asks for.
    pub fn of(recipe: &Recipe) -> Loss {
        let last = recipe.discriminator.layers.last();
        Loss {
            kind: recipe.training.loss,
            probabilities: matches!(last, Some(LayerSpec::Sigmoid {})),
        }
    }

    /// The discriminator's loss, real and fake summed, from its outputs `[n, 1]`.
    pub fn discriminator(&self, real: &Tensor, fake: &Tensor) -> Tensor {
        &self.cross_entropy(real, 1.0) + &self.cross_entropy(fake, 0.0)
    }

    /// The generator's loss from the discriminator's output `[n, 1]` on its images.
    pub fn generator(&self, fake: &Tensor) -> Tensor {
        match self.kind {
            LossSpec::Bce => self.cross_entropy(fake, 1.0),
            LossSpec::Minimax => neg(&self.cross_entropy(fake, 0.0)),
        }
    }

    /// The mean of D(x) over a batch, as a probability, from the discriminator's output.
    pub fn mean_probability(&self, output: &Tensor) -> f64 {
        let values = output.to_f64();
        let probability = |&v: &f64| {
            if self.probabilities {
                v
            } else {
                1.0 / (1.0 + (-v).exp())
            }
        };
        values.iter().map(probability).sum::<f64>() / values.len() as f64
    }

    fn cross_entropy(&self, output: &Tensor, label: f64) -> Tensor {
        let labels = Tensor::full(label, [], output.device());
        if self.probabilities {
            binary_cross_entropy(output, &labels)
        } else {
            binary_cross_entropy_with_logits(output, &labels)
        }
    }
}
