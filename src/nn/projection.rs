//! The end of a projection discriminator (Miyato and Koyama, "cGANs with projection discriminator", 2018): how real features
//! look, and how well they fit the label,
//!
//! ```text
//! y = x W + b + ⟨x, l E⟩        l: the example's label, E [classes, width of x]
//! ```

use super::weights::Weights;
use super::{Dense, Initializer, Layer, Pass, Variable, within};
use crate::ops::{Transpose, matmul, reshape, sum};
use crate::random::Random;
use crate::storage::Device;
use crate::tensor::Tensor;

/// From features `[n, width]` and labels to `[n, 1]`. The pass must have labels.
///
/// ```
/// use minimax::nn::{Initializer, Layer, Pass, Projection};
/// use minimax::random::{Purpose, Random};
/// use minimax::{Device, Tensor};
///
/// let mut random = Random::new(0, Purpose::INITIAL);
/// let mut layer = Projection::new(10, 64, Initializer::GlorotUniform, &mut random, Device::Cpu);
/// let (features, labels) = (Tensor::ones([2, 64], Device::Cpu), Tensor::arange(2, Device::Cpu).one_hot(10));
/// assert_eq!(layer.forward(&features, &mut Pass::evaluation().of_classes(Some(&labels))).dims(), [2, 1]);
/// ```
pub struct Projection {
    dense: Dense,
    /// The kernel is `[classes, width]`.
    embedding: Weights,
}

impl Projection {
    /// A layer for features of `width` values and `classes` classes, its kernel and its embedding drawn from `random`; its
    /// bias is 0.
    pub fn new(
        classes: usize,
        width: usize,
        initializer: Initializer,
        random: &mut Random,
        device: Device,
    ) -> Projection {
        let dense = Dense::from_random(width, 1, true, initializer, random, device);
        let embedding = Weights::new(initializer.sample([classes, width].into(), random, device), None);
        Projection { dense, embedding }
    }

    /// The layer with spectral normalisation of its kernel and of its embedding: see
    /// [`spectral_norm`](super::spectral_norm).
    pub fn spectrally_normalised(self, random: &mut Random) -> Projection {
        let Projection { dense, embedding } = self;
        let dense = dense.spectrally_normalised(random);
        Projection { dense, embedding: embedding.normalised_if(true, false, random) }
    }
}

impl Layer for Projection {
    /// # Panics
    /// Also if the pass has no labels.
    fn forward(&mut self, x: &Tensor, pass: &mut Pass) -> Tensor {
        let table = self.embedding.kernel(pass);
        let embedded = matmul(pass.labels_for("projection", x), &table, Transpose::NONE);
        let fit = sum(&(x * embedded), &[1]);
        let n = fit.numel();
        self.dense.forward(x, pass) + reshape(&fit, [n, 1])
    }

    /// `kernel` and `bias`, then `embedding.kernel`.
    fn variables(&self) -> Vec<Variable<&Tensor>> {
        self.dense.variables().into_iter().chain(within("embedding", self.embedding.variables())).collect()
    }

    fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        let embedding = within("embedding", self.embedding.variables_mut());
        self.dense.variables_mut().into_iter().chain(embedding).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn the_label_weighs_the_features() {
        let (device, mut random) = (Device::Reference, Random::new(0, Purpose::CHECK));
        let mut layer = Projection::new(2, 2, Initializer::Zeros, &mut random, device);
        for (variable, values) in
            layer.variables_mut().into_iter().zip([&[1.0, 0.0][..], &[0.5], &[1.0, 2.0, 3.0, 4.0]])
        {
            let shape = variable.tensor.shape();
            variable.tensor.assign(Tensor::new(values, shape, device));
        }
        let labels = Tensor::new(&[1.0, 0.0, 0.0, 1.0], [2, 2], device);
        let x = Tensor::new(&[10.0, 20.0, 10.0, 20.0], [2, 2], device);
        let y = layer.forward(&x, &mut Pass::evaluation().of_classes(Some(&labels)));
        assert_eq!((y.dims(), y.to_f64()), (&[2, 1][..], vec![10.5 + 50.0, 10.5 + 110.0]));
    }
}
