//! Gradients, and the check of a Python function's.

use crate::errors::{Error, guarded, raise};
use crate::operand::{Operand, compute, tensor_of};
use crate::recording::is_paused;
use crate::tensor::PyTensor;
use minimax::check::gradcheck::{Row, check_function};
use minimax::{Device, Tensor, autograd};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

/// The gradients of loss, which holds one value, with respect to each of inputs, a list of tensors that it was computed
/// from; zeros for one that it doesn't depend on.
///
/// With create_graph the gradients can be differentiated again.
#[pyfunction]
#[pyo3(signature = (loss, inputs, create_graph=false))]
pub fn grad(
    py: Python,
    loss: &Bound<PyTensor>,
    inputs: Vec<Bound<PyTensor>>,
    create_graph: bool,
) -> PyResult<Vec<PyTensor>> {
    let loss = &loss.get().0;
    let inputs = parameters("grad", &inputs)?;
    compute(py, || wrapped(autograd::grad(loss, &inputs, create_graph)))
}

/// As grad, the gradients of the sum of cotangent times output, two tensors of one shape.
#[pyfunction]
#[pyo3(signature = (output, cotangent, inputs, create_graph=false))]
pub fn vjp(
    py: Python,
    output: &Bound<PyTensor>,
    cotangent: Operand,
    inputs: Vec<Bound<PyTensor>>,
    create_graph: bool,
) -> PyResult<Vec<PyTensor>> {
    let output = output.get().0.clone();
    let cotangent = match cotangent {
        Operand::Tensor(tensor) => tensor,
        array => tensor_of(array, output.device())?,
    };
    let inputs = parameters("vjp", &inputs)?;
    compute(py, || wrapped(autograd::vjp(output, cotangent, &inputs, create_graph)))
}

fn wrapped(tensors: Vec<Tensor>) -> Vec<PyTensor> {
    tensors.into_iter().map(PyTensor).collect()
}

/// Those that gradients are asked of, none of which may be a constant.
fn parameters<'a>(function: &str, inputs: &'a [Bound<PyTensor>]) -> PyResult<Vec<&'a Tensor>> {
    let inputs: Vec<&Tensor> = inputs.iter().map(|input| &input.get().0).collect();
    match inputs.iter().position(|input| !input.requires_grad()) {
        None => Ok(inputs),
        Some(i) => Err(PyValueError::new_err(format!(
            "{function}: input {i} is a constant; make it by Tensor(..., requires_grad=True)"
        ))),
    }
}

/// Holds the derivatives of a function of tensors to finite differences, in float64 on "reference".
///
/// function takes as many tensors as there are inputs (tensors or arrays, around which it must be smooth) and gives one
/// tensor or several. order is 1 for its gradients, 2 for the gradients of those. Returns the relative error by input, of
/// order 2 by "cotangents" too; raises minimax.Error if one is more than limit, which is 1e-7 of order 1 and 1e-5 of order 2.
#[pyfunction]
#[pyo3(signature = (function, inputs, order=1, limit=None))]
pub fn gradcheck<'py>(
    py: Python<'py>,
    function: Bound<'py, PyAny>,
    inputs: Vec<Operand<'py>>,
    order: u8,
    limit: Option<f64>,
) -> PyResult<Bound<'py, PyDict>> {
    if is_paused() {
        return Err(PyValueError::new_err("gradcheck: nothing is recorded within no_grad()"));
    }
    let inputs: PyResult<Vec<Tensor>> = inputs.into_iter().map(|input| tensor_of(input, Device::Reference)).collect();
    let inputs = inputs?;
    let outputs = |x: &[Tensor]| outputs(&function, x).unwrap_or_else(|error| raise(error));
    let rows = guarded(|| Ok(check_function("function", outputs, &inputs, order)))?;
    let errors = PyDict::new(py);
    let mut failed = Vec::new();
    for row in rows {
        let row = Row { limit: limit.unwrap_or(row.limit), ..row };
        if !row.passed() {
            failed.push(format!("{}: {:.1e}", row.case, row.error));
        }
        errors.set_item(row.case, row.error)?;
    }
    match failed.is_empty() {
        true => Ok(errors),
        false => Err(Error::new_err(format!(
            "gradcheck: derivatives of order {order} are off finite differences, by this relative error: {}",
            failed.join(", ")
        ))),
    }
}

/// What `function` gives of the tensors `x`.
fn outputs(function: &Bound<PyAny>, x: &[Tensor]) -> PyResult<Vec<Tensor>> {
    let given = function.call1(PyTuple::new(function.py(), x.iter().cloned().map(PyTensor))?)?;
    if let Ok(one) = given.cast::<PyTensor>() {
        return Ok(vec![one.get().0.clone()]);
    }
    let Ok(several) = given.extract::<Vec<Bound<PyTensor>>>() else {
        let what = format!("gradcheck: the function gives {}, not a Tensor or several", given.get_type());
        return Err(PyTypeError::new_err(what));
    };
    Ok(several.iter().map(|one| one.get().0.clone()).collect())
}
