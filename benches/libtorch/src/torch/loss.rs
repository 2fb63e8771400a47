//! What the networks minimise: the formulas of `minimax::gan::loss`.

use minimax::recipe::{LossSpec, Recipe};
use tch::{Kind, Reduction, Tensor};

/// A recipe's loss.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Cross-entropy of probabilities.
    OfProbabilities,
    /// Cross-entropy of logits.
    OfLogits,
    /// The hinge.
    Hinge,
    /// The critic's.
    Wasserstein,
    /// In pairs of a real and a fake image.
    Relativistic,
}

impl Loss {
    /// That of `recipe`.
    ///
    /// # Errors
    /// Where this side knows it not.
    pub fn of(recipe: &Recipe) -> Result<Loss, String> {
        Ok(match (recipe.training.loss, recipe.gives_probabilities()) {
            (LossSpec::Bce, true) => Loss::OfProbabilities,
            (LossSpec::Bce, false) => Loss::OfLogits,
            (LossSpec::Hinge, _) => Loss::Hinge,
            (LossSpec::Wasserstein, _) => Loss::Wasserstein,
            (LossSpec::Relativistic, _) => Loss::Relativistic,
            _ => return Err("the yardstick knows bce, hinge, wasserstein and relativistic".into()),
        })
    }

    /// Whether the generator's loss looks at real images too.
    pub fn is_relativistic(self) -> bool {
        self == Loss::Relativistic
    }

    /// The discriminator's, from its outputs `[n, 1]` on real and on fake images.
    pub fn discriminator(self, real: &Tensor, fake: &Tensor) -> Tensor {
        match self {
            Loss::Hinge => {
                let [real, fake]: [Tensor; 2] = [1.0 - real, 1.0 + fake];
                real.relu().mean(Kind::Float) + fake.relu().mean(Kind::Float)
            }
            Loss::Wasserstein => fake.mean(Kind::Float) - real.mean(Kind::Float),
            Loss::Relativistic => (fake - real).softplus().mean(Kind::Float),
            _ => self.cross_entropy(real, 1.0) + self.cross_entropy(fake, 0.0),
        }
    }

    /// The generator's, from those on real images, which only a relativistic one looks at, and on its own.
    pub fn generator(self, real: &Tensor, fake: &Tensor) -> Tensor {
        match self {
            Loss::Hinge | Loss::Wasserstein => -fake.mean(Kind::Float),
            Loss::Relativistic => (real - fake).softplus().mean(Kind::Float),
            _ => self.cross_entropy(fake, 1.0),
        }
    }

    fn cross_entropy(self, output: &Tensor, label: f64) -> Tensor {
        let (labels, none) = (output.full_like(label), None::<Tensor>);
        match self {
            Loss::OfProbabilities => output.binary_cross_entropy(&labels, none, Reduction::Mean),
            _ => output.binary_cross_entropy_with_logits(&labels, none, None, Reduction::Mean),
        }
    }
}
