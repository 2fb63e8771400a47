//! One of two values by a condition: y = a where the condition is not 0 (NaN counts as not 0), else b. NumPy and
//! PyTorch call it `where`, which is a keyword in Rust.
//!
//! ā is ȳ where the condition is not 0, and 0 elsewhere, even if ȳ is infinite there; b̄ the other way round. Where an
//! input was stretched, its gradient is then summed back ([`sum_to`]). The condition has no gradient.

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::binary::masked;
use super::{different_devices, equal, sum_to};
use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::storage::Storage;
use crate::tensor::Tensor;

/// The values of `a` where `condition` is not 0, and those of `b` where it is: NumPy's `where`. All three are broadcast
/// to one shape.
///
/// ```
/// use minimax::{Device, Tensor, ops};
///
/// let x = Tensor::new(&[-1.0, 4.0], [2], Device::Cpu);
/// let zero = Tensor::zeros([], Device::Cpu);
/// assert_eq!(ops::select(&ops::greater(&x, &zero), &x, &zero).to_f64(), [0.0, 4.0]);
/// ```
///
/// # Panics
/// If the shapes don't broadcast.
#[track_caller]
pub fn select(condition: &Tensor, a: &Tensor, b: &Tensor) -> Tensor {
    let [c_shape, a_shape, b_shape] = [condition, a, b].map(Tensor::shape);
    let Some(shape) = a_shape.broadcast(b_shape).and_then(|shape| shape.broadcast(c_shape)) else {
        panic!("select: shapes {c_shape}, {a_shape} and {b_shape} don't broadcast");
    };
    let read = condition.numel() + a.numel() + b.numel();
    let _span = span("select", || Cost::pass(read + shape.numel()));
    let shapes = [c_shape, a_shape, b_shape];
    let storage = match (condition.storage(), a.storage(), b.storage()) {
        (Storage::Reference(c), Storage::Reference(a), Storage::Reference(b)) => {
            Storage::Reference(reference::select([c, a, b], shapes, shape))
        }
        (Storage::Cpu(c), Storage::Cpu(a), Storage::Cpu(b)) => Storage::Cpu(cpu::select([c, a, b], shapes, shape)),
        (Storage::Cuda(c), Storage::Cuda(a), Storage::Cuda(b)) => Storage::Cuda(cuda::select([c, a, b], shapes, shape)),
        _ => different_devices("select", &[condition, a, b]),
    };
    record(Select { condition: condition.detach() }, &[a, b], shape, storage)
}

struct Select {
    condition: Tensor,
}

impl Op for Select {
    fn name(&self) -> &'static str {
        "select"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        let of_a = || sum_to(&masked(grad, &self.condition), call.input_shape(0));
        let of_b = || {
            let zero = Tensor::constant(0.0, grad.device());
            sum_to(&masked(grad, &equal(&self.condition, &zero)), call.input_shape(1))
        };
        vec![call.wants(0).then(of_a), call.wants(1).then(of_b)]
    }
}
