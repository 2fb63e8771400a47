//! Max pooling: the largest value of each window, channel by channel,
//!
//! ```text
//! y[n, oy, ox, c] = max_{i, j}  x[n, oy·s + i - top, ox·s + j - left, c]
//! ```
//!
//! over those pixels of the window that lie inside the image (Keras's and PyTorch's padding, as if it were of -∞).
//!
//! The gradient goes to one place of each window, that of its largest value: x̄ is 0 but for ȳ there, summed where
//! windows overlap. Of values that tie it is the first, row by row, of NaN the last (PyTorch's rule; [`max`](fn@super::max)
//! shares the gradient between them). It is linear in ȳ, and its own gradient picks from those places; each of the two is
//! the other's rule. With respect to x they are constant wherever they have a derivative.

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::different_devices;
use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::shape::{Conv2dGeometry, Padding};
use crate::storage::Storage;
use crate::tensor::Tensor;

/// The largest value in each window of `kernel` = `[rows, columns]` pixels of `x` `[n, h, w, c]`, NaN where there is one:
/// `[n, out_h, out_w, c]`, out = floor((h + padding - k) / s) + 1.
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

/// 0 but for `grad`, of the output's shape, at the place of the largest value of each window of `x`.
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

/// The one of `values`, of `x`'s shape, at the place of the largest value of each window of `x`.
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
