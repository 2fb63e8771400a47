//! Rows of a table by their numbers, as an embedding takes them, and the adjoint, which adds rows up by their numbers:
//!
//! ```text
//! gather        y[i] = table[indices[i]]
//! scatter_add   y[v] = Σ values[i]  over the i with indices[i] = v
//! ```
//!
//! Each is the other's derivative rule. Indices are numbers of the tensors' element type and have no gradient. On every
//! device a row's sum is taken in the order of i, so that the same numbers give the same bits.

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::different_devices;
use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::storage::Storage;
use crate::tensor::Tensor;

/// The rows of `table` `[v, d]` that `indices` `[n]` name: `[n, d]`. The gradient of `table` is [`scatter_add`] of ȳ.
///
/// ```
/// use minimax::{Device, Tensor, ops};
///
/// let table = Tensor::arange(6, Device::Cpu).reshape([3, 2]);
/// let indices = Tensor::new(&[2.0, 0.0, 2.0], [3], Device::Cpu);
/// assert_eq!(ops::gather(&table, &indices).to_f64(), [4.0, 5.0, 0.0, 1.0, 4.0, 5.0]);
/// ```
///
/// Indices on a CUDA device are read back to be checked, which waits for the device. Within a captured step their
/// values aren't known yet; there an index without a row gives a row of NaN.
///
/// # Panics
/// If the shapes differ from these, or an index is not a whole number from 0 up to v - 1.
#[track_caller]
pub fn gather(table: &Tensor, indices: &Tensor) -> Tensor {
    let (&[rows, _], &[_]) = (table.dims(), indices.dims()) else {
        panic!("gather: table {} must have 2 axes and indices {} one", table.shape(), indices.shape());
    };
    check_indices("gather", "index", indices, rows);
    gathered(table, indices)
}

/// The rows of `values` `[n, d]` added up by their number in `indices` `[n]`: row v of the result `[rows, d]` is the
/// sum of those whose index is v, or zeros if there are none. The gradient of `values` is [`gather`] of ȳ.
///
/// Indices on a CUDA device are read back to be checked, which waits for the device. Within a captured step their
/// values aren't known yet; there a row whose index is too large is left out.
///
/// # Panics
/// If the shapes differ from these, or an index is not a whole number from 0 up to `rows` - 1.
#[track_caller]
pub fn scatter_add(values: &Tensor, indices: &Tensor, rows: usize) -> Tensor {
    match (values.dims(), indices.dims()) {
        (&[n, _], &[count]) if n == count => {}
        _ => panic!("scatter_add: values {} must have a row for each of indices {}", values.shape(), indices.shape()),
    }
    check_indices("scatter_add", "index", indices, rows);
    scattered(values, indices, rows)
}

/// Checks that every value of `indices` is a whole number below `count`.
///
/// # Panics
/// With the name of `op` and the first value that is none, called a `what`. It never panics within a captured step.
#[track_caller]
pub(super) fn check_indices(op: &str, what: &str, indices: &Tensor, count: usize) {
    let outside = |index: &f64| !(index.fract() == 0.0 && (0.0..count as f64).contains(index));
    let found = match indices.storage() {
        Storage::Reference(values) => values.iter().copied().find(outside),
        Storage::Cpu(values) => values.iter().map(|&v| f64::from(v)).find(outside),
        Storage::Cuda(values) if values.context().is_capturing() => None,
        Storage::Cuda(values) => values.to_vec().into_iter().map(f64::from).find(outside),
    };
    if let Some(index) = found {
        panic!("{op}: {what} {index} must be a whole number, at least 0 and below {count}");
    }
}

#[track_caller]
fn gathered(table: &Tensor, indices: &Tensor) -> Tensor {
    let (rows, width, n) = (table.dims()[0], table.dims()[1], indices.numel());
    let _span = span("gather", || Cost::pass(2 * n * width));
    let storage = match (table.storage(), indices.storage()) {
        (Storage::Reference(table), Storage::Reference(i)) => Storage::Reference(reference::gather(table, i, width)),
        (Storage::Cpu(table), Storage::Cpu(i)) => Storage::Cpu(cpu::gather(table, i, width)),
        (Storage::Cuda(table), Storage::Cuda(i)) => Storage::Cuda(cuda::gather(table, i, [rows, width])),
        _ => different_devices("gather", &[table, indices]),
    };
    record(Gather { indices: indices.detach(), rows }, &[table], [n, width], storage)
}

#[track_caller]
fn scattered(values: &Tensor, indices: &Tensor, rows: usize) -> Tensor {
    let width = values.dims()[1];
    let _span = span("scatter_add", || Cost::pass(values.numel() + rows * width));
    let storage = match (values.storage(), indices.storage()) {
        (Storage::Reference(values), Storage::Reference(i)) => {
            Storage::Reference(reference::scatter_add(values, i, [rows, width]))
        }
        (Storage::Cpu(values), Storage::Cpu(i)) => Storage::Cpu(cpu::scatter_add(values, i, [rows, width])),
        (Storage::Cuda(values), Storage::Cuda(i)) => Storage::Cuda(cuda::scatter_add(values, i, [rows, width])),
        _ => different_devices("scatter_add", &[values, indices]),
    };
    record(ScatterAdd { indices: indices.detach() }, &[values], [rows, width], storage)
}

struct Gather {
    indices: Tensor,
    rows: usize,
}

impl Op for Gather {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn vjp(&self, _: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(scattered(grad, &self.indices, self.rows))]
    }
}

struct ScatterAdd {
    indices: Tensor,
}

impl Op for ScatterAdd {
    fn name(&self) -> &'static str {
        "scatter_add"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn vjp(&self, _: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(gathered(grad, &self.indices))]
    }
}
