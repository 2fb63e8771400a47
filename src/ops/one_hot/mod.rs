//! Labels as rows of probabilities: `y[i, c]` is 1 where `labels[i]` = c, else 0. There is no gradient.

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::gather::check_indices;
use crate::profile::{Cost, span};
use crate::storage::Storage;
use crate::tensor::Tensor;

/// `labels` `[n]`, numbers of the tensor's element type, as `[n, classes]`. No gradient.
///
/// A label on a CUDA device is read back to be checked, which waits for the device. Within a captured step, where it
/// isn't known yet, one that is no class gives a row of NaN.
///
/// # Panics
/// If `labels` has not one axis, or a label is not a whole number from 0 up to `classes` - 1.
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
