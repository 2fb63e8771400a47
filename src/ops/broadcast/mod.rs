//! Stretching to a larger shape by NumPy's rule: y repeats x along missing axes and axes of length 1.
//!
//! Its adjoint is the sum over what was repeated: x̄ is [`sum_to`] of ȳ.

pub(super) mod cpu;
pub(super) mod cuda;
pub(super) mod reference;

use super::sum_to;
use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::shape::Shape;
use crate::storage::Storage;
use crate::tensor::Tensor;

/// `x` stretched to `shape`.
///
/// # Panics
/// If it can't be.
#[track_caller]
pub fn broadcast_to(x: &Tensor, shape: impl Into<Shape>) -> Tensor {
    let shape = shape.into();
    assert!(x.shape().broadcast(shape) == Some(shape), "broadcast_to: {} can't be stretched to {shape}", x.shape());
    if x.shape() == shape {
        return x.clone();
    }
    let _span = span("broadcast_to", || Cost::pass(x.numel() + shape.numel()));
    let storage = match x.storage() {
        Storage::Reference(v) => Storage::Reference(reference::broadcast(v, x.shape(), shape)),
        Storage::Cpu(v) => Storage::Cpu(cpu::broadcast(v, x.shape(), shape)),
        Storage::Cuda(v) => Storage::Cuda(cuda::broadcast(v, x.shape(), shape)),
    };
    record(BroadcastTo, &[x], shape, storage)
}

struct BroadcastTo;

impl Op for BroadcastTo {
    fn name(&self) -> &'static str {
        "broadcast_to"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(sum_to(grad, call.input_shape(0)))]
    }
}
