//! The place of the largest value along an axis: y = the smallest r with x[.., r, ..] = max x, as a number of the
//! tensor's element type. It is constant wherever it has a derivative, so no gradient goes through it.

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::sum::Reduction;
use crate::profile::{Cost, span};
use crate::storage::Storage;
use crate::tensor::Tensor;

/// The longest axis whose indices f32 holds exactly.
const LONGEST: usize = 1 << 24;

/// The index of the largest value along `axis`, in the shape of `x` without that axis. It is the first such index where
/// values tie, and the index of NaN where there is one. No gradient goes through it.
///
/// ```
/// use minimax::{Device, Tensor, ops};
///
/// let scores = Tensor::new(&[0.1, 0.7, 0.2, 0.5, 0.4, 0.1], [2, 3], Device::Cpu);
/// assert_eq!(ops::argmax(&scores, 1).to_f64(), [1.0, 0.0]);
/// ```
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
