//! Labels as rows of probabilities: `y[i, c]` is 1 where `labels[i]` = c, else 0. No gradient goes through it.

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::gather::check_indices;
use crate::profile::{Cost, span};
use crate::storage::Storage;
use crate::tensor::Tensor;

/// `labels` `[n]`, whole numbers in the tensor's element type, as rows `[n, classes]` with 1 in the label's column and
/// 0 in the others. No gradient goes through it.
///
/// ```
/// use minimax::{Device, Tensor, ops};
///
/// let labels = Tensor::new(&[2.0, 0.0], [2], Device::Cpu);
/// assert_eq!(ops::one_hot(&labels, 3).to_f64(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
/// ```
///
/// Labels on a CUDA device are read back to be checked, which waits for the device. Within a captured step their values
/// aren't known yet; there a label that is no class gives a row of NaN.
///
/// # Panics
/// If `labels` doesn't have one axis, or a label is not a whole number from 0 up to `classes` - 1.
#[track_caller]
pub fn one_hot(labels: &Tensor, classes: usize) -> Tensor {
    let &[n] = labels.dims() else {
        panic!("one_hot: labels {} must have one axis", labels.shape());
    };
    check_indices("one_hot", "label", labels, classes);
    let _span = span("one_hot", || Cost::pass(n + n * classes));
    let storage = match labels.storage() {
        Storage::Reference(labels) => Storage::Reference(reference::one_hot(labels, classes)),
        Storage::Cpu(labels) => Storage::Cpu(cpu::one_hot(labels, classes)),
        Storage::Cuda(labels) => Storage::Cuda(cuda::one_hot(labels, classes)),
    };
    Tensor::from_storage(storage, [n, classes])
}
