//! Losses. Each is one number, the mean over what it is given.

use crate::operand::{Operand, call};
use crate::tensor::PyTensor;
use minimax::ops;
use pyo3::prelude::*;

/// The mean of -t log(sigmoid(x)) - (1 - t) log(1 - sigmoid(x)) over logits x and targets t in [0, 1].
#[pyfunction]
pub fn binary_cross_entropy_with_logits(py: Python, logits: Operand, targets: Operand) -> PyResult<PyTensor> {
    call(py, [logits, targets], |[x, t]| ops::binary_cross_entropy_with_logits(x, t).into())
}

/// The mean of -t log(p) - (1 - t) log(1 - p) over probabilities p, held to [1e-7, 1 - 1e-7], and targets t in [0, 1].
#[pyfunction]
pub fn binary_cross_entropy(py: Python, probabilities: Operand, targets: Operand) -> PyResult<PyTensor> {
    call(py, [probabilities, targets], |[p, t]| ops::binary_cross_entropy(p, t).into())
}

/// The critic's estimate of the Wasserstein distance: the mean of real_scores minus that of fake_scores.
#[pyfunction]
pub fn wasserstein(py: Python, real_scores: Operand, fake_scores: Operand) -> PyResult<PyTensor> {
    call(py, [real_scores, fake_scores], |[real, fake]| ops::wasserstein(real, fake).into())
}

/// The mean of (a - b) squared.
#[pyfunction]
pub fn mean_squared_error(py: Python, a: Operand, b: Operand) -> PyResult<PyTensor> {
    call(py, [a, b], |[a, b]| ops::mean_squared_error(a, b).into())
}

/// The mean over the batch of the cross-entropy of softmax of logits [n, classes] against targets, rows of probabilities.
#[pyfunction]
pub fn cross_entropy(py: Python, logits: Operand, targets: Operand) -> PyResult<PyTensor> {
    call(py, [logits, targets], |[x, t]| ops::cross_entropy(x, t).into())
}
