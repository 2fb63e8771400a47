//! Ops over axes.

use crate::operand::{Axes, Operand, axis, call};
use crate::tensor::PyTensor;
use minimax::{Shape, Tensor, ops};
use pyo3::prelude::*;

/// What `op` makes of `x` over `axes`, which stay as axes of length 1 if `keepdims`.
fn reduce(
    py: Python,
    x: Operand,
    axes: Option<Axes>,
    keepdims: bool,
    op: fn(&Tensor, &[usize]) -> Tensor,
) -> PyResult<PyTensor> {
    call(py, [x], |[x]| {
        let axes = Axes::resolve(axes, x.dims().len());
        let y = op(x, &axes);
        let kept = axes.iter().fold(x.shape(), |shape, &axis| shape.with_axis(axis, 1));
        if keepdims { ops::reshape(&y, kept).into() } else { y.into() }
    })
}

/// The sum of x over an axis, several, or all where none is said; the result lacks them unless keepdims.
#[pyfunction]
#[pyo3(signature = (x, axis=None, keepdims=false))]
pub fn sum(py: Python, x: Operand, axis: Option<Axes>, keepdims: bool) -> PyResult<PyTensor> {
    reduce(py, x, axis, keepdims, ops::sum)
}

/// The mean of x over an axis, several, or all where none is said; the result lacks them unless keepdims.
#[pyfunction]
#[pyo3(signature = (x, axis=None, keepdims=false))]
pub fn mean(py: Python, x: Operand, axis: Option<Axes>, keepdims: bool) -> PyResult<PyTensor> {
    reduce(py, x, axis, keepdims, ops::mean)
}

/// The largest value of x over an axis, several, or all where none is said; the result lacks them unless keepdims.
///
/// NaN if there is one. The gradient is shared by those that tie.
#[pyfunction]
#[pyo3(signature = (x, axis=None, keepdims=false))]
pub fn max(py: Python, x: Operand, axis: Option<Axes>, keepdims: bool) -> PyResult<PyTensor> {
    reduce(py, x, axis, keepdims, ops::max)
}

/// The sum of x over what stretching shape to x's shape would repeat: the adjoint of broadcast_to.
#[pyfunction]
pub fn sum_to(py: Python, x: Operand, shape: Vec<usize>) -> PyResult<PyTensor> {
    call(py, [x], |[x]| ops::sum_to(x, Shape::new(&shape)).into())
}

/// The index of the largest value of x along the axis, which the result lacks; the first of those that tie. No gradient.
#[pyfunction]
#[pyo3(signature = (x, axis=-1), text_signature = "(x, axis=-1)")]
pub fn argmax(py: Python, x: Operand, axis: isize) -> PyResult<PyTensor> {
    call(py, [x], |[x]| ops::argmax(x, self::axis(axis, x.dims().len())).into())
}

/// Softmax of x along the axis: positive numbers whose sum along it is 1.
#[pyfunction]
#[pyo3(signature = (x, axis=-1), text_signature = "(x, axis=-1)")]
pub fn softmax(py: Python, x: Operand, axis: isize) -> PyResult<PyTensor> {
    call(py, [x], |[x]| ops::softmax(x, self::axis(axis, x.dims().len())).into())
}

/// The logarithm of softmax of x along the axis.
#[pyfunction]
#[pyo3(signature = (x, axis=-1), text_signature = "(x, axis=-1)")]
pub fn log_softmax(py: Python, x: Operand, axis: isize) -> PyResult<PyTensor> {
    call(py, [x], |[x]| ops::log_softmax(x, self::axis(axis, x.dims().len())).into())
}

/// x [..., c] normalised by the statistics of the batch, times gamma [c], plus beta [c].
///
/// Gives the result, the batch's mean [c] and its variance [c] (divided by the count), which are constants.
#[pyfunction]
#[pyo3(signature = (x, gamma, beta, epsilon=1e-5))]
pub fn batch_norm(
    py: Python,
    x: Operand,
    gamma: Operand,
    beta: Operand,
    epsilon: f64,
) -> PyResult<(PyTensor, PyTensor, PyTensor)> {
    call(py, [x, gamma, beta], |[x, gamma, beta]| {
        let normalized = ops::batch_norm(x, gamma, beta, epsilon);
        (normalized.y.into(), normalized.mean.into(), normalized.variance.into())
    })
}

/// As batch_norm, by the given mean [c] and variance [c]: for evaluation, with running ones.
#[pyfunction]
#[pyo3(signature = (x, gamma, beta, mean, variance, epsilon=1e-5))]
pub fn batch_norm_evaluate(
    py: Python,
    x: Operand,
    gamma: Operand,
    beta: Operand,
    mean: Operand,
    variance: Operand,
    epsilon: f64,
) -> PyResult<PyTensor> {
    call(py, [x, gamma, beta, mean, variance], |[x, gamma, beta, mean, variance]| {
        ops::batch_norm_evaluate(x, gamma, beta, mean, variance, epsilon).into()
    })
}
