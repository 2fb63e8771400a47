//! Convolution, as the field calls it; in mathematics it is a cross-correlation:
//!
//! ```text
//! y[n, oy, ox, o] = Σ_{i, j, c}  x[n, oy·s + i - top, ox·s + j - left, c] · w[i, j, c, o]
//! ```
//!
//! with x `[n, h, w, c_in]`, w `[kh, kw, c_in, c_out]`, and zeros beyond the edges. The three ops of the family (this,
//! its input gradient [`conv_transpose2d`](fn@super::conv_transpose2d) and its weight gradient
//! [`conv2d_weight_grad`](fn@super::conv2d_weight_grad)) are bilinear, and each is differentiated by the other two. A
//! bias, leaky ReLU and dropout that follow a convolution, or a transposed one, may be part of the op: see [`Finish`].

pub mod cpu;
pub mod cuda;
mod patches;
pub mod reference;

use super::finish::{self, Finish};
use super::leaky_relu::Rectifier;
use super::{conv_transpose2d, conv2d_weight_grad, different_devices};
use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::shape::{Conv2dGeometry, Padding};
use crate::storage::Storage;
use crate::tensor::Tensor;

/// The convolution `[n, out_h, out_w, c_out]` of `x` with `weight`, out = floor((h + padding - k) / stride) + 1.
///
/// # Panics
/// If the shapes don't fit or the kernel is larger than the padded input.
#[track_caller]
pub fn conv2d(x: &Tensor, weight: &Tensor, stride: [usize; 2], padding: Padding) -> Tensor {
    let g = Conv2dGeometry::new("conv2d", x.shape(), weight.shape(), stride, padding);
    with_geometry(x, weight, g, Finish::NOTHING)
}

/// The convolution of `x` with `weight` `[kh, kw, c_in / groups, c_out]` in groups: the channels of both sides are cut
/// into `groups` equal runs, and run i of the outputs sees only run i of the inputs.
///
/// # Panics
/// As [`conv2d`], or if `groups` doesn't divide both numbers of channels.
#[track_caller]
pub fn grouped_conv2d(x: &Tensor, weight: &Tensor, groups: usize, stride: [usize; 2], padding: Padding) -> Tensor {
    finished_conv2d(x, weight, groups, stride, padding, Finish::NOTHING)
}

/// As [`grouped_conv2d`], with the steps of `finish` applied to the outputs.
///
/// # Panics
/// As [`grouped_conv2d`], or if the bias doesn't have the shape `[c_out]` or the slope is negative.
#[track_caller]
pub fn finished_conv2d(
    x: &Tensor,
    weight: &Tensor,
    groups: usize,
    stride: [usize; 2],
    padding: Padding,
    finish: Finish,
) -> Tensor {
    let g = Conv2dGeometry::grouped("grouped_conv2d", x.shape(), weight.shape(), groups, stride, padding);
    finish.check("grouped_conv2d", x, g.c_out);
    with_geometry(x, weight, g, finish)
}

/// As [`finished_conv2d`], for a geometry and a bias that have been checked.
#[track_caller]
pub(super) fn with_geometry(x: &Tensor, weight: &Tensor, g: Conv2dGeometry, finish: Finish) -> Tensor {
    let _span = span("conv2d", || Cost::convolution(&g));
    let storage = match (x.storage(), weight.storage()) {
        (Storage::Reference(x), Storage::Reference(w)) => {
            Storage::Reference(finish.reference(reference::conv2d(x, w, &g)))
        }
        (Storage::Cpu(x), Storage::Cpu(w)) => Storage::Cpu(finish.cpu(|finisher| cpu::conv2d(x, w, &g, finisher))),
        (Storage::Cuda(x), Storage::Cuda(w)) => {
            Storage::Cuda(finish.cuda(cuda::conv2d(x, w, finish.cuda_bias(), &g), true))
        }
        _ => different_devices("conv2d", &[x, weight]),
    };
    let inputs: Vec<&Tensor> = [x, weight].into_iter().chain(finish.bias).collect();
    record(Conv2d { g, rectifier: finish.rectifier() }, &inputs, g.output(), storage)
}

struct Conv2d {
    g: Conv2dGeometry,
    rectifier: Rectifier,
}

impl Op for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn keeps(&self) -> Keeps {
        if self.rectifier.is_identity() { Keeps::Inputs } else { Keeps::Both }
    }

    // ANCHOR: rule
    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        let grad = &finish::sums_grad(&self.rectifier, call, grad);
        let input_grad = || conv_transpose2d::with_geometry(grad, &call.input(1), self.g, Finish::NOTHING);
        let weight_grad = || conv2d_weight_grad::with_geometry(&call.input(0), grad, self.g);
        let grads = [call.wants(0).then(input_grad), call.wants(1).then(weight_grad)];
        grads.into_iter().chain(finish::bias_grad(call, grad)).collect()
    }
    // ANCHOR_END: rule
}
