//! Average pooling: the mean of each window, channel by channel,
//!
//! ```text
//! y[n, oy, ox, c] = 1 / m[oy, ox] · Σ_{i, j}  x[n, oy·s + i - top, ox·s + j - left, c]
//! ```
//!
//! over the m[oy, ox] pixels of the window that lie inside the image: padding does not count, as in Keras (and in
//! PyTorch with `count_include_pad=False`).
//!
//! Its gradient spreads each ȳ / m evenly over the window's pixels. The two ops are each other's adjoint, and so each
//! other's derivative rule.

pub mod cpu;
pub mod cuda;
pub mod reference;

use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::shape::{Conv2dGeometry, Padding};
use crate::storage::Storage;
use crate::tensor::Tensor;

/// The mean of each window of `kernel` = `[rows, columns]` pixels of `x` `[n, h, w, c]`, over the part of the window
/// that lies inside the image. The result is `[n, out_h, out_w, c]` with out_h = floor((h + padding - rows) / stride) +
/// 1, and out_w likewise; x̄ is [`avg_pool2d_grad`] of ȳ.
///
/// ```
/// use minimax::{Device, Padding, Tensor, ops};
///
/// let x = Tensor::arange(8, Device::Cpu).reshape([1, 2, 4, 1]);
/// assert_eq!(ops::avg_pool2d(&x, [2, 2], [2, 2], Padding::VALID).to_f64(), [2.5, 4.5]);
/// ```
///
/// # Panics
/// If `x` doesn't have 4 axes or has no pixels, the window is larger than the padded image, or a side of the padding is
/// as large as the window.
#[track_caller]
pub fn avg_pool2d(x: &Tensor, kernel: [usize; 2], stride: [usize; 2], padding: Padding) -> Tensor {
    let g = Conv2dGeometry::pooling("avg_pool2d", x.shape(), kernel, stride, padding);
    with_geometry(x, g)
}

/// The adjoint of [`avg_pool2d`] of maps of `size` = `[rows, columns]`: each value of `grad`, which has one for each
/// window, is spread evenly over its window. The gradient of `grad` is [`avg_pool2d`] of ȳ.
///
/// # Panics
/// If `grad` doesn't have 4 axes, or [`avg_pool2d`] of such maps panics or would not give the shape of `grad`.
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
