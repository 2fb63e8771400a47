//! The largest value over any axes: y = max x over `axes`, which the result lacks.
//!
//! The gradient goes to the largest value. Values that tie share it equally, which is a subgradient:
//! x̄ = ȳ · [x = y] / (number of ties). The mask [x = y] is constant wherever the derivative exists.

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::sum::Reduction;
use super::{broadcast_to, equal, reshape, sum};
use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::shape::Shape;
use crate::storage::Storage;
use crate::tensor::Tensor;

/// The largest value over `axes`, or NaN if there is one. The result lacks these axes.
///
/// ```
/// use minimax::{Device, Tensor, ops};
///
/// let x = Tensor::new(&[1.0, 5.0, 4.0, 2.0], [2, 2], Device::Cpu);
/// assert_eq!(ops::max(&x, &[0]).to_f64(), [4.0, 5.0]);
/// ```
///
/// # Panics
/// If an axis is out of range or named twice, or there is nothing to choose from.
#[track_caller]
pub fn max(x: &Tensor, axes: &[usize]) -> Tensor {
    let reduction = Reduction::new("max", x.shape(), axes);
    assert!(x.numel() > 0, "max: an input of shape {} is empty", x.shape());
    if axes.is_empty() {
        return x.clone();
    }
    let _span = span("max", || Cost::pass(x.numel() + reduction.reduced.numel()));
    let storage = match x.storage() {
        Storage::Reference(v) => Storage::Reference(reference::max(v, x.shape(), &reduction)),
        Storage::Cpu(v) => Storage::Cpu(cpu::max(v, x.shape(), &reduction)),
        Storage::Cuda(v) => Storage::Cuda(cuda::max(v, x.shape(), &reduction)),
    };
    let op = Max { axes: axes.to_vec(), kept: reduction.kept };
    record(op, &[x], reduction.reduced, storage)
}

struct Max {
    axes: Vec<usize>,
    kept: Shape,
}

impl Op for Max {
    fn name(&self) -> &'static str {
        "max"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Both
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        let (x, y) = (call.input(0).detach(), call.output().detach());
        let largest = equal(&x, &reshape(&y, self.kept));
        let ties = reshape(&sum(&largest, &self.axes), self.kept);
        let share = broadcast_to(&reshape(grad, self.kept), x.shape());
        vec![Some(share * (largest / ties))]
    }
}
