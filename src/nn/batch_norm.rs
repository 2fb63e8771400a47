//! The batch normalisation layer: batch statistics in training, running statistics in evaluation.
//!
//! ```text
//! running ← momentum · running + (1 - momentum) · batch
//! ```
//!
//! As in Keras, the variance that goes into the running one is Bessel-corrected, n / (n - 1), for
//! `[n, h, w, c]` (where n counts n · h · w) and not for `[n, c]`.

use super::variable::move_tensor;
use super::{Epilogue, Flow, Layer, Mode, Part, Pass, Variable};
use crate::ops::batch_norm::Running;
use crate::ops::{batch_norm_evaluate, batch_norm_training, leaky_relu};
use crate::storage::Device;
use crate::tensor::Tensor;

/// Batch normalisation over all axes but the last, of `[n, h, w, c]` or `[n, c]`.
///
/// In training it panics where a batch has a single value for each channel: its variance is 0, and nothing but beta would come
/// out.
pub struct BatchNorm {
    gamma: Tensor,
    beta: Tensor,
    running_mean: Tensor,
    running_variance: Tensor,
    momentum: f64,
    epsilon: f64,
}

impl BatchNorm {
    /// A layer on the CPU for `channels` channels: gamma and running variance 1, beta and running mean 0, Keras's momentum
    /// of 0.99 and epsilon of 0.001.
    ///
    /// ```
    /// use minimax::nn::BatchNorm;
    ///
    /// let as_in_pytorch = BatchNorm::new(64).momentum(0.9).epsilon(1e-5);
    /// ```
    pub fn new(channels: usize) -> BatchNorm {
        let device = Device::Cpu;
        BatchNorm {
            gamma: Tensor::ones([channels], device).parameter(),
            beta: Tensor::zeros([channels], device).parameter(),
            running_mean: Tensor::zeros([channels], device),
            running_variance: Tensor::ones([channels], device),
            momentum: 0.99,
            epsilon: 1e-3,
        }
    }

    /// The layer with this momentum: the share of the running statistics that is kept from one batch to the next. (PyTorch's
    /// momentum is the rest, the share that a batch replaces.)
    pub fn momentum(self, momentum: f64) -> BatchNorm {
        BatchNorm { momentum, ..self }
    }

    /// The layer with this ε, which is added to the variance.
    pub fn epsilon(self, epsilon: f64) -> BatchNorm {
        BatchNorm { epsilon, ..self }
    }

    /// The layer as one that only normalises: its gain stays 1 and its bias 0.
    pub(super) fn without_gain(self) -> BatchNorm {
        BatchNorm { gamma: self.gamma.detach(), beta: self.beta.detach(), ..self }
    }

    /// Has gain and bias on `device`.
    pub(super) fn move_gain(&mut self, device: Device) {
        for tensor in [&mut self.gamma, &mut self.beta] {
            if tensor.device() != device {
                move_tensor(tensor, device);
            }
        }
    }

    /// The running mean and variance.
    pub(super) fn statistics(&self) -> [Variable<&Tensor>; 2] {
        [
            Variable::statistic("running_mean", &self.running_mean),
            Variable::statistic("running_variance", &self.running_variance),
        ]
    }

    /// As [`BatchNorm::statistics`], to be changed.
    pub(super) fn statistics_mut(&mut self) -> [Variable<&mut Tensor>; 2] {
        [
            Variable::statistic("running_mean", &mut self.running_mean),
            Variable::statistic("running_variance", &mut self.running_variance),
        ]
    }

    /// Normalises `x`, then does what follows, if anything does.
    fn normalise(&mut self, x: &Tensor, epilogue: Option<Epilogue>, pass: &mut Pass) -> Tensor {
        let count = x.numel() / self.gamma.numel();
        assert!(
            count != 1,
            "batch_norm: shape {} has one value for each feature, which has no variance to train by",
            x.shape()
        );
        let (slope, mask) = match epilogue {
            None => (1.0, None),
            Some(epilogue) => (epilogue.slope, epilogue.mask(x.numel(), pass)),
        };
        let correction = match x.shape().rank() {
            4 if count > 1 => count as f64 / (count as f64 - 1.0),
            _ => 1.0,
        };
        let (mean, variance) = (&mut self.running_mean, &mut self.running_variance);
        let running = Running { mean, variance, momentum: self.momentum, correction };
        batch_norm_training(x, &self.gamma, &self.beta, self.epsilon, slope, mask, running)
    }
}

impl Layer for BatchNorm {
    fn forward(&mut self, x: &Tensor, pass: &mut Pass) -> Tensor {
        match pass.mode {
            Mode::Training(_) => self.normalise(x, None, pass),
            Mode::Evaluation => batch_norm_evaluate(
                x,
                &self.gamma,
                &self.beta,
                &self.running_mean,
                &self.running_variance,
                self.epsilon,
            ),
        }
    }

    fn forward_then(&mut self, x: &Tensor, epilogue: Epilogue, pass: &mut Pass) -> Tensor {
        match pass.mode {
            Mode::Training(_) => self.normalise(x, Some(epilogue), pass),
            Mode::Evaluation => leaky_relu(&self.forward(x, pass), epilogue.slope),
        }
    }

    fn variables(&self) -> Vec<Variable<&Tensor>> {
        let learnt = [Variable::parameter("gamma", &self.gamma), Variable::parameter("beta", &self.beta)];
        learnt.into_iter().chain(self.statistics()).collect()
    }

    fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        let BatchNorm { gamma, beta, running_mean, running_variance, .. } = self;
        vec![
            Variable::parameter("gamma", gamma),
            Variable::parameter("beta", beta),
            Variable::statistic("running_mean", running_mean),
            Variable::statistic("running_variance", running_variance),
        ]
    }

    fn parts(&self) -> Vec<Part> {
        Part::of(self, Flow::Kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};

    #[test]
    fn one_value_for_each_feature_is_for_evaluation_only() {
        let mut random = Random::new(0, Purpose::CHECK);
        for shape in [vec![1, 3], vec![1, 1, 1, 3]] {
            let mut layer = BatchNorm::new(3).to(Device::Reference);
            let x = Tensor::ones(&shape[..], Device::Reference);
            layer.forward(&x, &mut Pass::evaluation());
            let forward = std::panic::AssertUnwindSafe(|| {
                layer.forward(&x, &mut Pass::training(&mut random));
            });
            assert!(std::panic::catch_unwind(forward).is_err(), "{shape:?}");
        }
    }

    #[test]
    fn running_statistics_are_bessel_corrected_for_images_only() {
        let mut random = Random::new(0, Purpose::CHECK);
        let values = [1.0, 2.0, 3.0, 6.0];
        for (shape, variance) in [(vec![4, 1], 3.5), (vec![1, 2, 2, 1], 14.0 / 3.0)] {
            let mut layer = BatchNorm::new(1).momentum(0.9).to(Device::Reference);
            let x = Tensor::new(&values, &shape[..], Device::Reference);
            layer.forward(&x, &mut Pass::training(&mut random));
            assert!((layer.running_mean.item() - 0.3).abs() < 1e-12);
            let expected = 0.9 + 0.1 * variance;
            assert!((layer.running_variance.item() - expected).abs() < 1e-12);
        }
    }
}
