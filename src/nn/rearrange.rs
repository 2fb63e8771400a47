//! Pixel shuffle and minibatch standard deviation, made of other ops.

use super::convolution::size;
use super::{Flow, Layer, Part, Pass};
use crate::ops::{broadcast_to, concat, mean, permute, reshape, sqrt, square};
use crate::tensor::Tensor;

/// Channels to pixels (Shi et al., "Real-time single image and video super-resolution using an efficient sub-pixel
/// convolutional neural network", 2016): `[n, h, w, c·f²]` to `[n, h·f, w·f, c]`, channels in PyTorch's order,
///
/// ```text
/// y[n, i·f + a, j·f + b, c] = x[n, i, j, c·f² + a·f + b]
/// ```
///
/// ```
/// use minimax::nn::{Layer, PixelShuffle};
/// use minimax::{Device, Tensor};
///
/// let x = Tensor::arange(4, Device::Cpu).reshape([1, 1, 1, 4]);
/// let y = PixelShuffle { factor: 2 }.predict(&x);
/// assert_eq!((y.dims(), y.to_f32()), (&[1, 2, 2, 1][..], vec![0.0, 1.0, 2.0, 3.0]));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PixelShuffle {
    /// How many times higher and wider.
    pub factor: usize,
}

impl Layer for PixelShuffle {
    fn forward(&mut self, x: &Tensor, _: &mut Pass) -> Tensor {
        let ([h, w], f) = (size("pixel_shuffle", x), self.factor);
        let (n, c) = (x.dims()[0], x.dims()[3] / (f * f));
        let parts = permute(&reshape(x, [n, h, w, c, f, f]), &[0, 1, 4, 2, 5, 3]);
        reshape(&parts, [n, h * f, w * f, c])
    }

    fn parts(&self) -> Vec<Part> {
        Part::of(self, Flow::Fewer { times: self.factor * self.factor })
    }
}

/// One more channel, the same everywhere: how much the examples of a batch differ (Karras, Aila, Laine and Lehtinen,
/// "Progressive growing of GANs", 2018), so that a discriminator sees a generator that always makes the same.
///
/// ```text
/// s = mean over h, w, c of √(σ² + 1e-8)     σ² of each value over the examples of a group
/// ```
///
/// A group has `group` examples, or where that doesn't divide the batch the largest number below that does. As in the
/// authors' code, examples of one group are n / group apart in the batch.
///
/// ```
/// use minimax::nn::{Layer, MinibatchStddev};
/// use minimax::{Device, Tensor};
///
/// let alike = Tensor::ones([4, 2, 2, 3], Device::Cpu);
/// let y = MinibatchStddev { group: 4 }.predict(&alike);
/// assert_eq!(y.dims(), [4, 2, 2, 4]);
/// assert!(y.index((0, 0, 0, 3)).item() < 1e-3);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MinibatchStddev {
    /// How many examples are compared, at most.
    pub group: usize,
}

impl Layer for MinibatchStddev {
    /// `[n, h, w, c]` to `[n, h, w, c + 1]`.
    fn forward(&mut self, x: &Tensor, _: &mut Pass) -> Tensor {
        let ([h, w], n) = (size("minibatch_stddev", x), x.dims()[0]);
        let group = (1..=self.group.min(n)).rev().find(|&size| n.is_multiple_of(size)).unwrap_or(1);
        let groups = n / group;
        let examples = reshape(x, [group, groups, x.numel() / n.max(1)]);
        let centred = &examples - mean(&examples, &[0]);
        let deviations = sqrt(&(mean(&square(&centred), &[0]) + 1e-8));
        let deviation = broadcast_to(&mean(&deviations, &[1]), [group, groups]);
        let channel = broadcast_to(&reshape(&deviation, [n, 1, 1, 1]), [n, h, w, 1]);
        concat(&[x, &channel], 3)
    }

    fn parts(&self) -> Vec<Part> {
        Part::of(self, Flow::Joined { channels: 1 })
    }
}
