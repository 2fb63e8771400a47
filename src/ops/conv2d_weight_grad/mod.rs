//! The weight gradient of a convolution, as an op that can itself be differentiated:
//!
//! ```text
//! w̄[i, j, c, o] = Σ_{n, oy, ox}  x[n, oy·s + i - top, ox·s + j - left, c] · ȳ[n, oy, ox, o]
//! ```

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::finish::Finish;
use super::{conv_transpose2d, conv2d, different_devices};
use crate::autograd::{Call, Op, record};
use crate::profile::{Cost, span};
use crate::shape::{Conv2dGeometry, Padding};
use crate::storage::Storage;
use crate::tensor::Tensor;

/// The gradient `[kh, kw, c_in, c_out]` of the weights of a convolution whose kernel is `kernel` =
/// `[kh, kw]`, from its input `x` and the gradient `grad` of its output.
///
/// It is linear in `x` and in `grad`: with ȳ the gradient of the result, that of `x` is
/// [`conv_transpose2d`](fn@super::conv_transpose2d) of `grad` with ȳ, and that of `grad` is
/// [`conv2d`](fn@super::conv2d) of `x` with ȳ.
///
/// # Panics
/// If the convolution's output doesn't have the shape of `grad`.
#[track_caller]
pub fn conv2d_weight_grad(
    x: &Tensor,
    grad: &Tensor,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
) -> Tensor {
    with_geometry(x, grad, geometry("conv2d_weight_grad", x, grad, 1, kernel, stride, padding))
}

/// As [`conv2d_weight_grad`], of a convolution in `groups` groups: `[kh, kw, c_in / groups, c_out]`.
///
/// # Panics
/// Also if `groups` doesn't divide both numbers of channels.
#[track_caller]
pub fn grouped_conv2d_weight_grad(
    x: &Tensor,
    grad: &Tensor,
    groups: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
) -> Tensor {
    with_geometry(x, grad, geometry("grouped_conv2d_weight_grad", x, grad, groups, kernel, stride, padding))
}

/// The geometry of the convolution whose weight gradient is meant.
#[track_caller]
fn geometry(
    op: &str,
    x: &Tensor,
    grad: &Tensor,
    groups: usize,
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
) -> Conv2dGeometry {
    let (&[.., c_in], &[.., c_out]) = (x.dims(), grad.dims()) else {
        let (x, grad) = (x.shape(), grad.shape());
        panic!("{op}: x {x} and grad {grad} must have 4 axes");
    };
    let weight = [kernel[0], kernel[1], c_in / groups.max(1), c_out].into();
    let g = Conv2dGeometry::grouped(op, x.shape(), weight, groups, stride, padding);
    assert!(
        g.output() == grad.shape(),
        "{op}: the convolution of {} gives {}, but grad is {}",
        x.shape(),
        g.output(),
        grad.shape()
    );
    g
}

/// As [`conv2d_weight_grad`], for a geometry that has been checked.
#[track_caller]
pub(super) fn with_geometry(x: &Tensor, grad: &Tensor, g: Conv2dGeometry) -> Tensor {
    let _span = span("conv2d_weight_grad", || Cost::convolution(&g));
    let storage = match (x.storage(), grad.storage()) {
        (Storage::Reference(x), Storage::Reference(grad)) => {
            Storage::Reference(reference::conv2d_weight_grad(x, grad, &g))
        }
        (Storage::Cpu(x), Storage::Cpu(grad)) => Storage::Cpu(cpu::conv2d_weight_grad(x, grad, &g)),
        (Storage::Cuda(x), Storage::Cuda(grad)) => Storage::Cuda(cuda::conv2d_weight_grad(x, grad, &g)),
        _ => different_devices("conv2d_weight_grad", &[x, grad]),
    };
    record(Conv2dWeightGrad { g }, &[x, grad], g.weight(), storage)
}

struct Conv2dWeightGrad {
    g: Conv2dGeometry,
}

impl Op for Conv2dWeightGrad {
    fn name(&self) -> &'static str {
        "conv2d_weight_grad"
    }

    fn vjp(&self, call: &Call, weight: &Tensor) -> Vec<Option<Tensor>> {
        let x_grad = || conv_transpose2d::with_geometry(&call.input(1), weight, self.g, Finish::NOTHING);
        let grad_grad = || conv2d::with_geometry(&call.input(0), weight, self.g, Finish::NOTHING);
        vec![call.wants(0).then(x_grad), call.wants(1).then(grad_grad)]
    }
}
