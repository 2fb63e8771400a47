//! Softmax along an axis, y = eˣ / Σ eˣ, computed as e^(x - m) / Σ e^(x - m) with m the largest x along it, which
//! never overflows. A row that has NaN or +∞, or only -∞, becomes NaN, as in PyTorch.
//!
//! x̄ = y · (ȳ - Σ ȳ y), the sum along the axis.

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::sum::Reduction;
use super::{reshape, sum};
use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::storage::Storage;
use crate::tensor::Tensor;

/// Softmax of `x` along `axis`: positive numbers whose sum along it is 1, in the shape of `x`.
///
/// ```
/// use minimax::{Device, Tensor, ops};
///
/// let x = Tensor::new(&[5.0, 5.0], [1, 2], Device::Cpu);
/// assert_eq!(ops::softmax(&x, 1).to_f64(), [0.5, 0.5]);
/// ```
///
/// # Panics
/// If there is no such axis.
#[track_caller]
pub fn softmax(x: &Tensor, axis: usize) -> Tensor {
    // Checks the axis.
    Reduction::new("softmax", x.shape(), &[axis]);
    let (length, inner) = (x.dims()[axis], x.shape().strides()[axis]);
    let _span = span("softmax", || Cost::pass(2 * x.numel()));
    let storage = match x.storage() {
        Storage::Reference(x) => Storage::Reference(reference::softmax(x, length, inner)),
        Storage::Cpu(x) => Storage::Cpu(cpu::softmax(x, length, inner)),
        Storage::Cuda(x) => Storage::Cuda(cuda::softmax(x, length, inner)),
    };
    record(Softmax { axis }, &[x], x.shape(), storage)
}

struct Softmax {
    axis: usize,
}

impl Op for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Output
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        let y = call.output();
        let kept = y.shape().with_axis(self.axis, 1);
        let total = reshape(&sum(&(grad * &y), &[self.axis]), kept);
        vec![Some(y * (grad - total))]
    }
}
