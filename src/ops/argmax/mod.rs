//! Where the largest value along an axis is: y = the smallest r with x[.., r, ..] = max x, as a number of the tensor's
//! element type. It is constant wherever it has a derivative, so there is no gradient.

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::sum::Reduction;
use crate::profile::{Cost, span};
use crate::storage::Storage;
use crate::tensor::Tensor;

/// The longest axis whose indices f32 holds exactly.
const LONGEST: usize = 1 << 24;

/// The index of the largest value along `axis`, which the result lacks: the first of those that tie, or of NaN if there is
/// one. No gradient.
///
/// # Panics
/// If there is no such axis, it is longer than 2²⁴, or there is nothing to choose from.
#[track_caller]
pub fn argmax(x: &Tensor, axis: usize) -> Tensor {
    let reduction = Reduction::new("argmax", x.shape(), &[axis]);
    assert!(x.numel() > 0, "argmax: an input of shape {} is empty", x.shape());
    let length = x.dims()[axis];
    assert!(length <= LONGEST, "argmax: axis {axis} of {} is longer than {LONGEST}", x.shape());
    let inner = x.shape().strides()[axis];
    let _span = span("argmax", || Cost::pass(x.numel() + reduction.reduced.numel()));
    let storage = match x.storage() {
        Storage::Reference(x) => Storage::Reference(reference::argmax(x, length, inner)),
        Storage::Cpu(x) => Storage::Cpu(cpu::argmax(x, length, inner)),
        Storage::Cuda(x) => Storage::Cuda(cuda::argmax(x, length, inner)),
    };
    Tensor::from_storage(storage, reduction.reduced)
}
