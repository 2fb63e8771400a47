//! Transposed convolution: the input gradient of a convolution, used as a layer of its own to make
//! maps larger.
//!
//! ```text
//! y[n, oy·s + i - top, ox·s + j - left, o] += Σ_c  x[n, oy, ox, c] · w[i, j, o, c]
//! ```
//!
//! with x `[n, h, w, c_in]`, w `[kh, kw, c_out, c_in]`. In the [`Conv2dGeometry`] of the
//! convolution that it belongs to, x is the output and y is the input.

pub mod cpu;
pub mod cuda;
mod patches;
pub mod reference;

use super::finish::{self, Finish};
use super::leaky_relu::Rectifier;
use super::{conv2d, conv2d_weight_grad, different_devices};
use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::shape::{Conv2dGeometry, Padding};
use crate::storage::Storage;
use crate::tensor::Tensor;

/// `x` spread to maps of `output_size` = `[rows, columns]`: the input gradient of the convolution
/// that takes such maps, with this `stride` and `padding`, to the size of `x`.
///
/// x̄ is the [`conv2d`](fn@super::conv2d) of ȳ with `weight`, w̄ the
/// [`conv2d_weight_grad`](fn@super::conv2d_weight_grad) of ȳ and `x`.
///
/// ```
/// use minimax::{Device, Padding, Tensor, ops};
///
/// let (x, weight) = (Tensor::ones([1, 7, 7, 8], Device::Cpu), Tensor::ones([5, 5, 4, 8], Device::Cpu));
/// let same = Padding::same([14, 14], [5, 5], [2, 2]);
/// assert_eq!(ops::conv_transpose2d(&x, &weight, [14, 14], [2, 2], same).dims(), [1, 14, 14, 4]);
/// ```
///
/// Keras's `same` is `output_size` = h · s with [`Padding::same`] of that size; PyTorch's padding p
/// with output padding q is `output_size` = (h - 1) · s - 2p + k + q with symmetric padding p.
///
/// # Panics
/// If the shapes don't fit, or that convolution would not give the size of `x`.
#[track_caller]
pub fn conv_transpose2d(
    x: &Tensor,
    weight: &Tensor,
    output_size: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
) -> Tensor {
    let g = geometry("conv_transpose2d", x, weight, 1, output_size, stride, padding);
    with_geometry(x, weight, g, Finish::NOTHING)
}

/// As [`conv_transpose2d`], with a weight `[kh, kw, c_out / groups, c_in]`: the input gradient of
/// [`grouped_conv2d`](super::grouped_conv2d).
///
/// # Panics
/// Also if `groups` doesn't divide both numbers of channels.
#[track_caller]
pub fn grouped_conv_transpose2d(
    x: &Tensor,
    weight: &Tensor,
    groups: usize,
    output_size: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
) -> Tensor {
    finished_conv_transpose2d(x, weight, groups, output_size, stride, padding, Finish::NOTHING)
}

/// As [`grouped_conv_transpose2d`], with the steps of `finish` applied to the outputs.
///
/// # Panics
/// As [`grouped_conv_transpose2d`], or if the bias doesn't have the shape `[c_out]` or the slope is negative.
#[track_caller]
pub fn finished_conv_transpose2d(
    x: &Tensor,
    weight: &Tensor,
    groups: usize,
    output_size: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
    finish: Finish,
) -> Tensor {
    let g = geometry("grouped_conv_transpose2d", x, weight, groups, output_size, stride, padding);
    finish.check("grouped_conv_transpose2d", x, g.c_in);
    with_geometry(x, weight, g, finish)
}

/// The geometry of the convolution whose input gradient is meant.
#[track_caller]
fn geometry(
    op: &str,
    x: &Tensor,
    weight: &Tensor,
    groups: usize,
    output_size: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
) -> Conv2dGeometry {
    let (&[n, ..], &[_, _, c_out, _]) = (x.dims(), weight.dims()) else {
        let (x, weight) = (x.shape(), weight.shape());
        panic!("{op}: x {x} and weight {weight} must have 4 axes");
    };
    let output = [n, output_size[0], output_size[1], c_out.saturating_mul(groups)].into();
    let g = Conv2dGeometry::grouped(op, output, weight.shape(), groups, stride, padding);
    assert!(
        g.output() == x.shape(),
        "{op}: a convolution of {output} with weight {}, stride {stride:?} and \
         {padding:?} gives {}, not x's {}",
        weight.shape(),
        g.output(),
        x.shape()
    );
    g
}

/// As [`finished_conv_transpose2d`], for a geometry and a bias that have been checked.
#[track_caller]
pub(super) fn with_geometry(x: &Tensor, weight: &Tensor, g: Conv2dGeometry, finish: Finish) -> Tensor {
    let _span = span("conv_transpose2d", || Cost::convolution(&g));
    let storage = match (x.storage(), weight.storage()) {
        (Storage::Reference(x), Storage::Reference(w)) => {
            Storage::Reference(finish.reference(reference::conv_transpose2d(x, w, &g)))
        }
        (Storage::Cpu(x), Storage::Cpu(w)) => {
            Storage::Cpu(finish.cpu(|finisher| cpu::conv_transpose2d(x, w, &g, finisher)))
        }
        (Storage::Cuda(x), Storage::Cuda(w)) => Storage::Cuda(finish.cuda(cuda::conv_transpose2d(x, w, &g), false)),
        _ => different_devices("conv_transpose2d", &[x, weight]),
    };
    let inputs: Vec<&Tensor> = [x, weight].into_iter().chain(finish.bias).collect();
    record(ConvTranspose2d { g, rectifier: finish.rectifier() }, &inputs, g.input(), storage)
}

struct ConvTranspose2d {
    g: Conv2dGeometry,
    rectifier: Rectifier,
}

impl Op for ConvTranspose2d {
    fn name(&self) -> &'static str {
        "conv_transpose2d"
    }

    fn keeps(&self) -> Keeps {
        if self.rectifier.is_identity() { Keeps::Inputs } else { Keeps::Both }
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        let grad = &finish::sums_grad(&self.rectifier, call, grad);
        let input_grad = || conv2d::with_geometry(grad, &call.input(1), self.g, Finish::NOTHING);
        let weight_grad = || conv2d_weight_grad::with_geometry(grad, &call.input(0), self.g);
        let grads = [call.wants(0).then(input_grad), call.wants(1).then(weight_grad)];
        grads.into_iter().chain(finish::bias_grad(call, grad)).collect()
    }
}
