//! Average pooling: the mean of each window, channel by channel,
//!
//! ```text
//! y[n, oy, ox, c] = 1 / m[oy, ox] · Σ_{i, j}  x[n, oy·s + i - top, ox·s + j - left, c]
//! ```
//!
//! over those m[oy, ox] pixels of the window that lie inside the image: padding is not counted, as in Keras (and in PyTorch
//! with `count_include_pad=False`).
//!
//! Its gradient spreads each ȳ / m evenly over the window's pixels; the two are each other's adjoint.

pub mod cpu;
pub mod cuda;
pub mod reference;

use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::shape::{Conv2dGeometry, Padding};
use crate::storage::Storage;
use crate::tensor::Tensor;

/// The mean of each window of `kernel` = `[rows, columns]` pixels of `x` `[n, h, w, c]`, over what of it lies inside the
/// image: `[n, out_h, out_w, c]`, out = floor((h + padding - k) / s) + 1.
///
/// # Panics
/// If `x` has not 4 axes or no pixels, the window is larger than the padded image, or a side of the padding is as large
/// as the window.
#[track_caller]
pub fn avg_pool2d(x: &Tensor, kernel: [usize; 2], stride: [usize; 2], padding: Padding) -> Tensor {
    let g = Conv2dGeometry::pooling("avg_pool2d", x.shape(), kernel, stride, padding);
    with_geometry(x, g)
}

/// The adjoint: maps of `size` = `[rows, columns]` over which `grad`, a value for each window of such maps, is spread.
///
/// # Panics
/// If `grad` has not 4 axes, or [`avg_pool2d`] of such maps panics or would not give the shape of `grad`.
#[track_caller]
pub fn avg_pool2d_grad(
    grad: &Tensor,
    size: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
) -> Tensor {
    let &[n, _, _, c] = grad.dims() else {
        panic!("avg_pool2d_grad: grad {} must have 4 axes", grad.shape());
    };
    let x = [n, size[0], size[1], c].into();
    let g = Conv2dGeometry::pooling("avg_pool2d_grad", x, kernel, stride, padding);
    assert!(
        g.output() == grad.shape(),
        "avg_pool2d_grad: windows {kernel:?} of {x} with stride {stride:?} and {padding:?} give {}, not grad's {}",
        g.output(),
        grad.shape()
    );
    grad_with_geometry(grad, g)
}

fn with_geometry(x: &Tensor, g: Conv2dGeometry) -> Tensor {
    let _span = span("avg_pool2d", || Cost::pass(x.numel() + g.output().numel()));
    let storage = match x.storage() {
        Storage::Reference(x) => Storage::Reference(reference::avg_pool(x, &g)),
        Storage::Cpu(x) => Storage::Cpu(cpu::avg_pool(x, &g)),
        Storage::Cuda(x) => Storage::Cuda(cuda::avg_pool(x, &g)),
    };
    record(AvgPool { g }, &[x], g.output(), storage)
}

fn grad_with_geometry(grad: &Tensor, g: Conv2dGeometry) -> Tensor {
    let _span = span("avg_pool2d_grad", || Cost::pass(g.input().numel() + grad.numel()));
    let storage = match grad.storage() {
        Storage::Reference(grad) => Storage::Reference(reference::avg_pool_grad(grad, &g)),
        Storage::Cpu(grad) => Storage::Cpu(cpu::avg_pool_grad(grad, &g)),
        Storage::Cuda(grad) => Storage::Cuda(cuda::avg_pool_grad(grad, &g)),
    };
    record(AvgPoolGrad { g }, &[grad], g.input(), storage)
}

struct AvgPool {
    g: Conv2dGeometry,
}

impl Op for AvgPool {
    fn name(&self) -> &'static str {
        "avg_pool2d"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn vjp(&self, _: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(grad_with_geometry(grad, self.g))]
    }
}

struct AvgPoolGrad {
    g: Conv2dGeometry,
}

impl Op for AvgPoolGrad {
    fn name(&self) -> &'static str {
        "avg_pool2d_grad"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn vjp(&self, _: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(with_geometry(grad, self.g))]
    }
}
