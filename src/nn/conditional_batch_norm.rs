//! Conditional batch normalisation (Dumoulin, Shlens and Kudlur, "A learned representation for artistic style", 2017; in a
//! GAN's generator Miyato and Koyama 2018): statistics of the whole batch, gain and bias of each example's class,
//!
//! ```text
//! y = (x - mean) / √(variance + ε) · (l Γ) + l B        l: the example's label, Γ and B [classes, channels]
//! ```

use super::{BatchNorm, Flow, Layer, Part, Pass, Variable};
use crate::ops::{Transpose, matmul, reshape};
use crate::storage::Device;
use crate::tensor::Tensor;

/// Batch normalisation over all axes but the last, of `[n, h, w, c]` or `[n, c]`, with a gain and a bias for each class. The
/// pass must have labels.
///
/// ```
/// use minimax::nn::{ConditionalBatchNorm, Layer, Pass};
/// use minimax::{Device, Tensor};
///
/// let mut layer = ConditionalBatchNorm::new(10, 3, 0.99, 1e-3, Device::Cpu);
/// let labels = Tensor::arange(2, Device::Cpu).one_hot(10);
/// let x = Tensor::ones([2, 8, 8, 3], Device::Cpu);
/// assert_eq!(layer.forward(&x, &mut Pass::evaluation().of_classes(Some(&labels))).dims(), [2, 8, 8, 3]);
/// ```
pub struct ConditionalBatchNorm {
    normalised: BatchNorm,
    gamma: Tensor,
    beta: Tensor,
}

impl ConditionalBatchNorm {
    /// A layer for `channels` channels and `classes` classes: gamma and running variance 1, beta and running mean 0; momentum
    /// and ε are those of [`BatchNorm`].
    pub fn new(classes: usize, channels: usize, momentum: f64, epsilon: f64, device: Device) -> ConditionalBatchNorm {
        ConditionalBatchNorm {
            normalised: BatchNorm::new(channels).momentum(momentum).epsilon(epsilon).without_gain().to(device),
            gamma: Tensor::ones([classes, channels], device).parameter(),
            beta: Tensor::zeros([classes, channels], device).parameter(),
        }
    }
}

impl Layer for ConditionalBatchNorm {
    /// # Panics
    /// Also if the pass has no labels.
    fn forward(&mut self, x: &Tensor, pass: &mut Pass) -> Tensor {
        let labels = pass.labels_for("conditional_batch_norm", x);
        // Its gain and bias are no variables, which is what a layer is moved by.
        self.normalised.move_gain(x.device());
        let y = self.normalised.forward(x, pass);
        let of_example = |table: &Tensor| {
            let rows = matmul(labels, table, Transpose::NONE);
            match *x.dims() {
                [n, _, _, channels] => reshape(&rows, [n, 1, 1, channels]),
                _ => rows,
            }
        };
        y * of_example(&self.gamma) + of_example(&self.beta)
    }

    fn variables(&self) -> Vec<Variable<&Tensor>> {
        let own = [Variable::parameter("gamma", &self.gamma), Variable::parameter("beta", &self.beta)];
        own.into_iter().chain(self.normalised.statistics()).collect()
    }

    fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        let own = [Variable::parameter("gamma", &mut self.gamma), Variable::parameter("beta", &mut self.beta)];
        own.into_iter().chain(self.normalised.statistics_mut()).collect()
    }

    fn parts(&self) -> Vec<Part> {
        Part::of(self, Flow::Joined { channels: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};

    #[test]
    fn each_example_has_the_gain_and_bias_of_its_class() {
        let device = Device::Reference;
        let mut layer = ConditionalBatchNorm::new(2, 1, 0.5, 1e-12, device);
        layer.gamma.assign(Tensor::new(&[2.0, 3.0], [2, 1], device));
        layer.beta.assign(Tensor::new(&[10.0, 20.0], [2, 1], device));
        let labels = Tensor::new(&[1.0, 0.0, 0.0, 1.0], [2, 2], device);
        let x = Tensor::new(&[-1.0, 1.0], [2, 1], device);
        let mut random = Random::new(0, Purpose::CHECK);
        let y = layer.forward(&x, &mut Pass::training(&mut random).of_classes(Some(&labels))).to_f64();
        assert!((y[0] - 8.0).abs() < 1e-9 && (y[1] - 23.0).abs() < 1e-9, "{y:?}");
        let names: Vec<_> = layer.variables().into_iter().map(|v| (v.name.into_owned(), v.trainable)).collect();
        let expected = [("gamma", true), ("beta", true), ("running_mean", false), ("running_variance", false)];
        assert_eq!(names, expected.map(|(name, trainable)| (name.to_string(), trainable)));
    }
}
