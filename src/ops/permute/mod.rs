//! The axes in another order: y[i_a0, i_a1, ...] = x[i_0, i_1, ...], where axis k of y is axis
//! `axes[k]` of x.
//!
//! The adjoint is the inverse permutation.

pub mod cpu;
pub mod cuda;
pub mod reference;

use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::shape::Shape;
use crate::storage::Storage;
use crate::tensor::Tensor;

/// `x` with its axes in the order `axes`: `[2, 0, 1]` turns `[h, w, c]` into `[c, h, w]`. x̄ is ȳ with its axes put
/// back.
///
/// # Panics
/// If `axes` doesn't name every axis once.
#[track_caller]
pub fn permute(x: &Tensor, axes: &[usize]) -> Tensor {
    let mut sorted = axes.to_vec();
    sorted.sort_unstable();
    assert!(
        sorted.iter().copied().eq(0..x.shape().rank()),
        "permute: axes {axes:?} of an input of shape {}",
        x.shape()
    );
    let lengths: Vec<usize> = axes.iter().map(|&axis| x.dims()[axis]).collect();
    let _span = span("permute", || Cost::pass(2 * x.numel()));
    let storage = match x.storage() {
        Storage::Reference(v) => Storage::Reference(reference::permute(v, x.shape(), axes)),
        Storage::Cpu(v) => Storage::Cpu(cpu::permute(v, x.shape(), axes)),
        Storage::Cuda(v) => Storage::Cuda(cuda::permute(v, x.shape(), axes)),
    };
    let op = Permute { axes: axes.to_vec() };
    record(op, &[x], Shape::new(&lengths), storage)
}

struct Permute {
    axes: Vec<usize>,
}

impl Op for Permute {
    fn name(&self) -> &'static str {
        "permute"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn vjp(&self, _: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        let mut inverse = vec![0; self.axes.len()];
        for (to, &from) in self.axes.iter().enumerate() {
            inverse[from] = to;
        }
        vec![Some(permute(grad, &inverse))]
    }
}
