//! Stretching to a larger shape by NumPy's rule: y repeats x along missing axes and axes of length 1.
//!
//! Its adjoint is the sum over what was repeated: x̄ is [`sum_to`] of ȳ.

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::sum::{divided, divided_sum_to};
#[cfg(doc)]
use super::sum_to;
use crate::autograd::{Call, Keeps, Op, record};
use crate::cpu::pool::Buffer;
use crate::cpu::simd;
use crate::profile::{Cost, span};
use crate::shape::Shape;
use crate::storage::Storage;
use crate::tensor::Tensor;

/// `x` stretched to `shape` by repeating it along missing axes and axes of length 1; x̄ is [`sum_to`] of ȳ.
///
/// ```
/// use minimax::{Device, Tensor, ops};
///
/// let row = Tensor::new(&[1.0, 2.0], [2], Device::Cpu);
/// assert_eq!(ops::broadcast_to(&row, [3, 2]).to_f64(), [1.0, 2.0, 1.0, 2.0, 1.0, 2.0]);
/// ```
///
/// # Panics
/// If the shape of `x` doesn't broadcast to `shape`.
#[track_caller]
pub fn broadcast_to(x: &Tensor, shape: impl Into<Shape>) -> Tensor {
    divided_broadcast_to(x, shape.into(), 1.0)
}

/// `x` / `divisor`, stretched to `shape`.
#[track_caller]
pub(super) fn divided_broadcast_to(x: &Tensor, shape: Shape, divisor: f64) -> Tensor {
    assert!(x.shape().broadcast(shape) == Some(shape), "broadcast_to: {} can't be stretched to {shape}", x.shape());
    if x.shape() == shape {
        return divided(x, divisor);
    }
    let _span = span("broadcast_to", || Cost::pass(x.numel() + shape.numel()));
    let storage = match x.storage() {
        Storage::Reference(v) => {
            let divided: Vec<f64> = v.iter().map(|v| v / divisor).collect();
            Storage::Reference(reference::broadcast(&divided, x.shape(), shape))
        }
        Storage::Cpu(v) if divisor == 1.0 => Storage::Cpu(cpu::broadcast(v, x.shape(), shape)),
        Storage::Cpu(v) => {
            let mut divided = Buffer::unspecified(v.len());
            let divisor = divisor as f32;
            simd::map(v, &mut divided, |v| v / divisor);
            Storage::Cpu(cpu::broadcast(&divided, x.shape(), shape))
        }
        Storage::Cuda(v) => Storage::Cuda(cuda::divided_broadcast(v, x.shape(), shape, divisor as f32)),
    };
    record(BroadcastTo { divisor }, &[x], shape, storage)
}

struct BroadcastTo {
    divisor: f64,
}

impl Op for BroadcastTo {
    fn name(&self) -> &'static str {
        "broadcast_to"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(divided_sum_to(grad, call.input_shape(0), self.divisor))]
    }
}
