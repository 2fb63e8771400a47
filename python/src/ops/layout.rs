//! Ops that move values about.

use crate::operand::{Operand, axis, call, compute, on_one_device};
use crate::tensor::PyTensor;
use minimax::{Tensor, ops};
use pyo3::prelude::*;

/// x in another shape of as many values; one of its lengths may be -1, for what is left.
#[pyfunction]
pub fn reshape(py: Python, x: Operand, shape: Vec<isize>) -> PyResult<PyTensor> {
    call(py, [x], |[x]| ops::reshape(x, &lengths(&shape, x.numel())[..]).into())
}

/// The lengths of a shape of `numel` values, of which `shape` may leave one out as -1.
///
/// # Panics
/// If it leaves out more, or another is negative.
fn lengths(shape: &[isize], numel: usize) -> Vec<usize> {
    let said: Vec<usize> = shape.iter().filter_map(|&length| usize::try_from(length).ok()).collect();
    let left_out = shape.iter().filter(|&&length| length == -1).count();
    assert!(left_out <= 1 && said.len() + left_out == shape.len(), "reshape: to {shape:?}");
    let rest = numel / said.iter().product::<usize>().max(1);
    shape.iter().map(|&length| usize::try_from(length).unwrap_or(rest)).collect()
}

/// x with its axes in the order axes: [2, 0, 1] makes [c, h, w] of [h, w, c].
#[pyfunction]
pub fn permute(py: Python, x: Operand, axes: Vec<isize>) -> PyResult<PyTensor> {
    call(py, [x], |[x]| {
        let rank = x.dims().len();
        let axes: Vec<usize> = axes.into_iter().map(|a| axis(a, rank)).collect();
        ops::permute(x, &axes).into()
    })
}

/// x stretched to a shape, as NumPy broadcasts.
#[pyfunction]
pub fn broadcast_to(py: Python, x: Operand, shape: Vec<usize>) -> PyResult<PyTensor> {
    call(py, [x], |[x]| ops::broadcast_to(x, &shape[..]).into())
}

/// The part of x within ranges, a pair (start, stop) for each axis.
#[pyfunction]
pub fn slice(py: Python, x: Operand, ranges: Vec<[usize; 2]>) -> PyResult<PyTensor> {
    call(py, [x], |[x]| {
        let ranges: Vec<_> = ranges.into_iter().map(|[start, stop]| start..stop).collect();
        ops::slice(x, &ranges).into()
    })
}

/// x with zeros around it, a pair (before, after) for each axis.
#[pyfunction]
pub fn pad(py: Python, x: Operand, zeros: Vec<[usize; 2]>) -> PyResult<PyTensor> {
    call(py, [x], |[x]| ops::pad(x, &zeros).into())
}

/// The inputs one after the other along the axis.
#[pyfunction]
#[pyo3(signature = (inputs, axis=0))]
pub fn concat(py: Python, inputs: Vec<Operand>, axis: isize) -> PyResult<PyTensor> {
    let inputs = on_one_device(inputs)?;
    compute(py, || {
        let axis = self::axis(axis, inputs.first().map_or(1, |x| x.dims().len()));
        ops::concat(&inputs.iter().collect::<Vec<&Tensor>>(), axis).into()
    })
}

/// The inputs, of one shape, one after the other along a new axis, which is then that number.
#[pyfunction]
#[pyo3(signature = (inputs, axis=0))]
pub fn stack(py: Python, inputs: Vec<Operand>, axis: isize) -> PyResult<PyTensor> {
    let inputs = on_one_device(inputs)?;
    compute(py, || {
        let axis = self::axis(axis, inputs.first().map_or(1, |x| x.dims().len() + 1));
        ops::stack(&inputs.iter().collect::<Vec<&Tensor>>(), axis).into()
    })
}

/// The rows of table [v, d] that indices [n] name: [n, d].
#[pyfunction]
pub fn gather(py: Python, table: Operand, indices: Operand) -> PyResult<PyTensor> {
    call(py, [table, indices], |[table, indices]| ops::gather(table, indices).into())
}

/// The sums of those rows of values [n, d] that indices [n] give one number: [rows, d], zeros where there are none.
#[pyfunction]
pub fn scatter_add(py: Python, values: Operand, indices: Operand, rows: usize) -> PyResult<PyTensor> {
    call(py, [values, indices], |[values, indices]| ops::scatter_add(values, indices, rows).into())
}

/// A row for each of labels [n], with 1 in the column that it names and 0 elsewhere: [n, classes]. No gradient.
#[pyfunction]
pub fn one_hot(py: Python, labels: Operand, classes: usize) -> PyResult<PyTensor> {
    call(py, [labels], |[labels]| ops::one_hot(labels, classes).into())
}
