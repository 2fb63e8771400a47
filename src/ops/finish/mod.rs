//! The last steps of a convolution, which it applies to its sums so that they need no ops of their own: a bias for each
//! channel, leaky ReLU, dropout. On the CPU they are applied to a few images at a time, while these are in cache. On a
//! CUDA device they are one pass over all images, or none where there is only a bias, which `conv2d` adds as it stores
//! its sums.
//!
//! ```text
//! y = dropout(leaky_relu(z + b))          z the convolution
//!
//! z̄ = ȳ · slope, which y tells            b̄ = Σ z̄ over all axes but the last
//! ```
//!
//! The slopes of [`leaky_relu`](mod@super::leaky_relu) and [`dropout`](mod@super::dropout) follow from y, so z is not
//! kept. Values are to the bit those of the three ops one after the other; only the sign of a gradient that is 0 may
//! differ.

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::dropout::Mask;
use super::leaky_relu::Rectifier;
use super::{different_devices, sum};
use crate::autograd::Call;
use crate::cpu::Finisher;
use crate::cpu::pool::Buffer;
use crate::storage::Storage;
use crate::tensor::Tensor;

/// What is done to the outputs of a convolution before it returns them.
///
/// ```
/// use minimax::ops::{Finish, finished_conv2d};
/// use minimax::shape::Padding;
/// use minimax::{Device, Tensor};
///
/// let tensor = |values: &[f64], shape: [usize; 4]| Tensor::new(values, shape, Device::Reference);
/// let (x, kernel) = (tensor(&[1.0, 2.0], [1, 1, 2, 1]), tensor(&[3.0], [1, 1, 1, 1]));
/// let bias = Tensor::new(&[-4.0], [1], Device::Reference);
/// let finish = Finish { bias: Some(&bias), slope: 0.5, mask: None };
/// let y = finished_conv2d(&x, &kernel, 1, [1, 1], Padding::VALID, finish);
/// assert_eq!(y.to_f64(), [-0.5, 2.0]);
/// ```
#[derive(Clone, Copy)]
pub struct Finish<'a> {
    /// Added to each channel, `[c]`.
    pub bias: Option<&'a Tensor>,
    /// Leaky ReLU's slope below 0; 1 for none.
    pub slope: f64,
    /// What is dropped after that.
    pub mask: Option<Mask>,
}

impl<'a> Finish<'a> {
    /// Nothing.
    pub const NOTHING: Finish<'static> = Finish { bias: None, slope: 1.0, mask: None };

    /// A bias, if there is one, and no more.
    pub fn with_bias(bias: Option<&'a Tensor>) -> Finish<'a> {
        Finish { bias, ..Finish::NOTHING }
    }

    /// What follows the bias.
    ///
    /// # Panics
    /// If the slope is negative.
    #[track_caller]
    pub(super) fn rectifier(&self) -> Rectifier {
        Rectifier::new(self.slope, self.mask)
    }

    /// Checks that the bias is one of `channels` for the op `op` of `x`.
    ///
    /// # Panics
    /// If it isn't, or is on another device than `x`.
    #[track_caller]
    pub(super) fn check(&self, op: &str, x: &Tensor, channels: usize) {
        let Some(bias) = self.bias else {
            return;
        };
        assert!(bias.dims() == [channels], "{op}: bias {} for {channels} channels", bias.shape());
        if bias.device() != x.device() {
            different_devices(op, &[x, bias]);
        }
    }

    /// The reference device's sums `z`, finished.
    #[track_caller]
    pub(super) fn reference(&self, z: Vec<f64>) -> Vec<f64> {
        let bias = self.bias.map(|bias| match bias.storage() {
            Storage::Reference(values) => &values[..],
            _ => different_devices("finish", &[bias]),
        });
        reference::finish(z, bias, &self.rectifier())
    }

    /// Runs `convolve`, which is given what it has to do to each part of its sums.
    #[track_caller]
    pub(super) fn cpu(&self, convolve: impl FnOnce(Finisher) -> Buffer) -> Buffer {
        let bias = self.bias.map(|bias| match bias.storage() {
            Storage::Cpu(values) => &values[..],
            _ => different_devices("finish", &[bias]),
        });
        let rectifier = self.rectifier();
        match bias.is_none() && rectifier.is_identity() {
            true => convolve(&|_, _| {}),
            false => convolve(&|part, first| cpu::finish(part, first, bias, &rectifier)),
        }
    }

    /// The bias, for an op that adds it as it stores its sums on a CUDA device.
    #[track_caller]
    pub(super) fn cuda_bias(&self) -> Option<&crate::cuda::Buffer> {
        self.bias.map(|bias| match bias.storage() {
            Storage::Cuda(values) => values,
            _ => different_devices("finish", &[bias]),
        })
    }

    /// A CUDA device's sums `z`, finished; `biased`, if they have the bias already.
    #[track_caller]
    pub(super) fn cuda(&self, mut z: crate::cuda::Buffer, biased: bool) -> crate::cuda::Buffer {
        let bias = if biased { None } else { self.cuda_bias() };
        let rectifier = self.rectifier();
        if bias.is_some() || !rectifier.is_identity() {
            cuda::finish(&mut z, bias, &rectifier);
        }
        z
    }
}

/// The gradient of the sums from `grad`, that of what a convolution with `rectifier` gave.
pub(super) fn sums_grad(rectifier: &Rectifier, call: &Call, grad: &Tensor) -> Tensor {
    match rectifier.is_identity() {
        true => grad.clone(),
        false => super::leaky_relu::rectify_grad(&call.output(), grad, rectifier.slopes()),
    }
}

/// The gradient of the bias from that of the sums, as a rule gives it; the outer `None` if `call` has no bias, which is
/// its input 2.
pub(super) fn bias_grad(call: &Call, grad: &Tensor) -> Option<Option<Tensor>> {
    (call.inputs() > 2).then(|| call.wants(2).then(|| sum(grad, &[0, 1, 2])))
}
