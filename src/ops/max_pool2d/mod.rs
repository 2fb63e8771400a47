//! Max pooling: the largest value of each window, channel by channel,
//!
//! ```text
//! y[n, oy, ox, c] = max_{i, j}  x[n, oy·s + i - top, ox·s + j - left, c]
//! ```
//!
//! over the pixels of the window that lie inside the image, as if it were padded with -∞, as in Keras and PyTorch.
//!
//! The gradient goes to one place of each window, that of its largest value: x̄ has ȳ there, summed where windows
//! overlap, and 0 everywhere else. Where values tie it is the first of them, row by row; of several NaN it is the last.
//! That is PyTorch's rule; [`max`](fn@super::max) shares the gradient between them. The gradient op is linear in ȳ, and
//! its own gradient picks the values at those places; each of the two is the other's rule. With respect to x both are
//! constant wherever they have a derivative.

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::different_devices;
use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::shape::{Conv2dGeometry, Padding};
use crate::storage::Storage;
use crate::tensor::Tensor;

/// The largest value in each window of `kernel` = `[rows, columns]` pixels of `x` `[n, h, w, c]`, or NaN where a window
/// has one. The result is `[n, out_h, out_w, c]` with out_h = floor((h + padding - rows) / stride) + 1, and out_w
/// likewise.
///
/// ```
/// use minimax::{Device, Padding, Tensor, ops};
///
/// let x = Tensor::arange(8, Device::Cpu).reshape([1, 2, 4, 1]);
/// assert_eq!(ops::max_pool2d(&x, [2, 2], [2, 2], Padding::VALID).to_f64(), [5.0, 7.0]);
/// ```
///
/// # Panics
/// If `x` has not 4 axes or no pixels, the window is larger than the padded image, or a side of the padding is as large
/// as the window.
#[track_caller]
pub fn max_pool2d(x: &Tensor, kernel: [usize; 2], stride: [usize; 2], padding: Padding) -> Tensor {
    let g = Conv2dGeometry::pooling("max_pool2d", x.shape(), kernel, stride, padding);
    let _span = span("max_pool2d", || Cost::pass(x.numel() + g.output().numel()));
    let storage = match x.storage() {
        Storage::Reference(x) => Storage::Reference(reference::pick(x, x, &g)),
        Storage::Cpu(x) => Storage::Cpu(cpu::max_pool(x, &g)),
        Storage::Cuda(x) => Storage::Cuda(cuda::pick(x, x, &g)),
    };
    record(MaxPool { g }, &[x], g.output(), storage)
}

/// The gradient of `x`, from `grad` in the output's shape: 0 except at the place of the largest value of each window.
#[track_caller]
fn place(grad: &Tensor, x: &Tensor, g: Conv2dGeometry) -> Tensor {
    let _span = span("max_pool2d_grad", || Cost::pass(2 * x.numel() + grad.numel()));
    let storage = match (grad.storage(), x.storage()) {
        (Storage::Reference(grad), Storage::Reference(x)) => Storage::Reference(reference::place(grad, x, &g)),
        (Storage::Cpu(grad), Storage::Cpu(x)) => Storage::Cpu(cpu::place(grad, x, &g)),
        (Storage::Cuda(grad), Storage::Cuda(x)) => Storage::Cuda(cuda::place(grad, x, &g)),
        _ => different_devices("max_pool2d_grad", &[grad, x]),
    };
    record(Place { x: x.detach(), g }, &[grad], g.input(), storage)
}

/// From `values` in the shape of `x`, those at the place of the largest value of each window of `x`.
#[track_caller]
fn pick(values: &Tensor, x: &Tensor, g: Conv2dGeometry) -> Tensor {
    let _span = span("max_pool2d_pick", || Cost::pass(2 * x.numel() + g.output().numel()));
    let storage = match (values.storage(), x.storage()) {
        (Storage::Reference(values), Storage::Reference(x)) => Storage::Reference(reference::pick(values, x, &g)),
        (Storage::Cpu(values), Storage::Cpu(x)) => Storage::Cpu(cpu::pick(values, x, &g)),
        (Storage::Cuda(values), Storage::Cuda(x)) => Storage::Cuda(cuda::pick(values, x, &g)),
        _ => different_devices("max_pool2d_pick", &[values, x]),
    };
    record(Pick { x: x.detach(), g }, &[values], g.output(), storage)
}

struct MaxPool {
    g: Conv2dGeometry,
}

impl Op for MaxPool {
    fn name(&self) -> &'static str {
        "max_pool2d"
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(place(grad, &call.input(0), self.g))]
    }
}

struct Place {
    x: Tensor,
    g: Conv2dGeometry,
}

impl Op for Place {
    fn name(&self) -> &'static str {
        "max_pool2d_grad"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn vjp(&self, _: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(pick(grad, &self.x, self.g))]
    }
}

struct Pick {
    x: Tensor,
    g: Conv2dGeometry,
}

impl Op for Pick {
    fn name(&self) -> &'static str {
        "max_pool2d_pick"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn vjp(&self, _: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(place(grad, &self.x, self.g))]
    }
}
