//! Group normalisation (Wu and He 2018), of which layer normalisation (Ba, Kiros and Hinton 2016) and instance
//! normalisation (Ulyanov, Vedaldi and Lempitsky 2016) are the ends: one group, and a group for each channel.
//!
//! ```text
//! y = γ (x - μ) / √(σ² + ε) + β
//! ```
//!
//! μ and σ² are the mean and the variance (not Bessel-corrected) of one example's values in one group of channels, over
//! all pixels; γ and β are per channel. So examples don't mix, and training and evaluation are alike. Of an image, layer
//! normalisation is meant as one group here, PyTorch's `GroupNorm(1, c)`; its `LayerNorm` of `[c, h, w]` has a γ and a β
//! for each pixel.
//!
//! It is made of other ops.

use super::{Flow, Layer, Part, Pass, Variable};
use crate::ops::{mean, reshape, sqrt, square};
use crate::storage::Device;
use crate::tensor::Tensor;

/// Normalisation of each example's groups of channels, of `[n, h, w, c]` or `[n, c]`.
///
/// ```
/// use minimax::nn::{GroupNorm, Layer};
/// use minimax::{Device, Tensor};
///
/// let mut layer = GroupNorm::new(8, 2, 1e-5, Device::Cpu);
/// let y = layer.predict(&Tensor::arange(8, Device::Cpu).reshape([1, 8]));
/// assert!(y.mean(..).item().abs() < 1e-6);
/// ```
pub struct GroupNorm {
    gamma: Tensor,
    beta: Tensor,
    groups: usize,
    epsilon: f64,
}

impl GroupNorm {
    /// A layer for `channels` channels in `groups` groups: gamma 1, beta 0. `epsilon` is added to the variance.
    ///
    /// # Panics
    /// If `groups` doesn't divide `channels`.
    pub fn new(channels: usize, groups: usize, epsilon: f64, device: Device) -> GroupNorm {
        assert!(
            groups > 0 && channels.is_multiple_of(groups),
            "group_norm: {groups} groups don't divide {channels} channels"
        );
        GroupNorm {
            gamma: Tensor::ones([channels], device).parameter(),
            beta: Tensor::zeros([channels], device).parameter(),
            groups,
            epsilon,
        }
    }
}

impl Layer for GroupNorm {
    fn forward(&mut self, x: &Tensor, _: &mut Pass) -> Tensor {
        let (n, channels) = (x.dims()[0], self.gamma.numel());
        assert!(x.dims().ends_with(&[channels]), "group_norm: x {} has not {channels} channels", x.shape());
        let pixels = x.dims()[1..x.shape().rank() - 1].iter().product();
        let groups = reshape(x, [n, pixels, self.groups, channels / self.groups]);
        let over_group = |values: &Tensor| reshape(&mean(values, &[1, 3]), [n, 1, self.groups, 1]);
        let centred = &groups - over_group(&groups);
        let deviation = sqrt(&(over_group(&square(&centred)) + self.epsilon));
        let normalised = reshape(&(centred / deviation), x.shape());
        normalised * &self.gamma + &self.beta
    }

    fn variables(&self) -> Vec<Variable<&Tensor>> {
        vec![Variable::parameter("gamma", &self.gamma), Variable::parameter("beta", &self.beta)]
    }

    fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        vec![Variable::parameter("gamma", &mut self.gamma), Variable::parameter("beta", &mut self.beta)]
    }

    fn parts(&self) -> Vec<Part> {
        // Groups of a vector are of neighbours.
        let flow = if self.groups == 1 { Flow::Kept } else { Flow::Joined { channels: 0 } };
        Part::of(self, flow)
    }
}
