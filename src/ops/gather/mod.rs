//! Rows of a table by their numbers, as of an embedding, and the adjoint, which adds rows up by number:
//!
//! ```text
//! gather        y[i] = table[indices[i]]
//! scatter_add   y[v] = Σ values[i]  over the i with indices[i] = v
//! ```
//!
//! Each is the other's rule. Indices are numbers of the tensors' element type, and have no gradient. On every device a
//! row's sum is taken in the order of i, so that the same numbers give the same bits.

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::different_devices;
use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::storage::Storage;
use crate::tensor::Tensor;

/// The rows of `table` `[v, d]` that `indices` `[n]` name: `[n, d]`.
///
/// An index on a CUDA device is read back to be checked, which waits for the device. Within a captured step, where it
/// isn't known yet, one that is no row's gives NaN.
///
/// # Panics
/// If the shapes are not those, or an index is not a whole number from 0 up to v - 1.
#[track_caller]
pub fn gather(table: &Tensor, indices: &Tensor) -> Tensor {
    let (&[rows, _], &[_]) = (table.dims(), indices.dims()) else {
        panic!("gather: table {} must have 2 axes and indices {} one", table.shape(), indices.shape());
    };
    check_indices("gather", "index", indices, rows);
    gathered(table, indices)
}

/// The sums of those rows of `values` `[n, d]` that `indices` `[n]` give one number: `[rows, d]`, zeros where there are
/// none.
///
/// An index on a CUDA device is read back to be checked, which waits for the device. Within a captured step, where it
/// isn't known yet, the row of one that is too large is left out.
///
/// # Panics
/// If the shapes are not those, or an index is not a whole number from 0 up to `rows` - 1.
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
/// Naming `op` and the first that is not, which is a `what`; within a captured step never.
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
