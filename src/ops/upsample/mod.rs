//! Nearest-neighbour upsampling: every pixel becomes a block of f × f,
//! y[n, i, j, c] = x[n, i / f, j / f, c].
//!
//! Its gradient sums each block, x̄[n, i, j, c] = Σ ȳ over the block. The two are each other's adjoint, and so each
//! other's derivative rule.

pub mod cpu;
pub mod cuda;
pub mod reference;

use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::shape::Shape;
use crate::storage::Storage;
use crate::tensor::Tensor;

/// `x` `[n, h, w, c]` with every pixel repeated as a block: `[n, h·factor, w·factor, c]`. x̄ is
/// [`upsample_nearest_grad`] of ȳ.
///
/// ```
/// use minimax::{Device, Tensor, ops};
///
/// let x = Tensor::new(&[1.0, 2.0], [1, 1, 2, 1], Device::Cpu);
/// assert_eq!(ops::upsample_nearest(&x, 2).to_f64(), [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0]);
/// ```
///
/// # Panics
/// If `x` doesn't have 4 axes, `factor` is 0, or the result has more values than could be in memory.
#[track_caller]
pub fn upsample_nearest(x: &Tensor, factor: usize) -> Tensor {
    let &[n, h, w, c] = x.dims() else {
        panic!("upsample_nearest: x {} must have 4 axes", x.shape());
    };
    assert!(factor > 0, "upsample_nearest: factor must be positive");
    let small = [n, h, w, c];
    let [rows, columns] = [h, w].map(|length| length.saturating_mul(factor));
    let shape: Shape = [n, rows, columns, c].into();
    let _span = span("upsample_nearest", || Cost::pass(x.numel() + shape.numel()));
    let storage = match x.storage() {
        Storage::Reference(x) => Storage::Reference(reference::upsample(x, small, factor)),
        Storage::Cpu(x) => Storage::Cpu(cpu::upsample(x, small, factor)),
        Storage::Cuda(x) => Storage::Cuda(cuda::upsample(x, small, factor)),
    };
    record(Upsample { factor }, &[x], shape, storage)
}

/// The adjoint: the sum of each block of `factor` × `factor` pixels of `grad`
/// `[n, h·factor, w·factor, c]`.
///
/// # Panics
/// If `grad` doesn't have 4 axes or `factor` doesn't divide its height and width.
#[track_caller]
pub fn upsample_nearest_grad(grad: &Tensor, factor: usize) -> Tensor {
    let &[n, h, w, c] = grad.dims() else {
        panic!("upsample_nearest_grad: grad {} must have 4 axes", grad.shape());
    };
    assert!(
        factor > 0 && h % factor == 0 && w % factor == 0,
        "upsample_nearest_grad: factor {factor} must divide the maps of {}",
        grad.shape()
    );
    let small = [n, h / factor, w / factor, c];
    let _span = span("upsample_nearest_grad", || Cost::pass(grad.numel() + n * h * w / (factor * factor) * c));
    let storage = match grad.storage() {
        Storage::Reference(g) => Storage::Reference(reference::upsample_grad(g, small, factor)),
        Storage::Cpu(g) => Storage::Cpu(cpu::upsample_grad(g, small, factor)),
        Storage::Cuda(g) => Storage::Cuda(cuda::upsample_grad(g, small, factor)),
    };
    record(UpsampleGrad { factor }, &[grad], small, storage)
}

struct Upsample {
    factor: usize,
}

impl Op for Upsample {
    fn name(&self) -> &'static str {
        "upsample_nearest"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn vjp(&self, _: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(upsample_nearest_grad(grad, self.factor))]
    }
}

struct UpsampleGrad {
    factor: usize,
}

impl Op for UpsampleGrad {
    fn name(&self) -> &'static str {
        "upsample_nearest_grad"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn vjp(&self, _: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(upsample_nearest(grad, self.factor))]
    }
}
