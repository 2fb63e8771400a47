//! Pooling and resampling of images [n, h, w, c].

use crate::operand::{Operand, Pair, Zeros, call};
use crate::tensor::PyTensor;
use minimax::{Tensor, ops};
use pyo3::prelude::*;

/// Rows and columns of the images `x`; of what are no images it doesn't matter, for the op refuses it.
pub fn size(x: &Tensor) -> [usize; 2] {
    match *x.dims() {
        [_, rows, columns, _] => [rows, columns],
        _ => [1, 1],
    }
}

/// The largest value in each window of x [n, h, w, c]. Without a stride windows lie side by side.
///
/// kernel and stride are numbers or (rows, columns); padding a number, "same", "valid" or ((top, bottom), (left, right)).
#[pyfunction]
#[pyo3(
    signature = (x, kernel, stride=None, padding=Zeros::NONE),
    text_signature = "(x, kernel, stride=None, padding=0)"
)]
pub fn max_pool2d(py: Python, x: Operand, kernel: Pair, stride: Option<Pair>, padding: Zeros) -> PyResult<PyTensor> {
    let (Pair(kernel), Pair(stride)) = (kernel, stride.unwrap_or(kernel));
    call(py, [x], |[x]| ops::max_pool2d(x, kernel, stride, padding.around(size(x), kernel, stride)).into())
}

/// The mean of each window of x [n, h, w, c], over what of it lies inside the image; arguments as of max_pool2d.
#[pyfunction]
#[pyo3(
    signature = (x, kernel, stride=None, padding=Zeros::NONE),
    text_signature = "(x, kernel, stride=None, padding=0)"
)]
pub fn avg_pool2d(py: Python, x: Operand, kernel: Pair, stride: Option<Pair>, padding: Zeros) -> PyResult<PyTensor> {
    let (Pair(kernel), Pair(stride)) = (kernel, stride.unwrap_or(kernel));
    call(py, [x], |[x]| ops::avg_pool2d(x, kernel, stride, padding.around(size(x), kernel, stride)).into())
}

/// The adjoint of avg_pool2d: grad [n, out_h, out_w, c] spread over images of a size, (rows, columns).
#[pyfunction]
#[pyo3(
    signature = (grad, size, kernel, stride=None, padding=Zeros::NONE),
    text_signature = "(grad, size, kernel, stride=None, padding=0)"
)]
pub fn avg_pool2d_grad(
    py: Python,
    grad: Operand,
    size: Pair,
    kernel: Pair,
    stride: Option<Pair>,
    padding: Zeros,
) -> PyResult<PyTensor> {
    let (Pair(size), Pair(kernel), Pair(stride)) = (size, kernel, stride.unwrap_or(kernel));
    call(py, [grad], |[grad]| {
        ops::avg_pool2d_grad(grad, size, kernel, stride, padding.around(size, kernel, stride)).into()
    })
}

/// x [n, h, w, c] with every pixel repeated to [n, h * factor, w * factor, c].
#[pyfunction]
pub fn upsample_nearest(py: Python, x: Operand, factor: usize) -> PyResult<PyTensor> {
    call(py, [x], |[x]| ops::upsample_nearest(x, factor).into())
}

/// The adjoint of upsample_nearest: the sum of each block of factor times factor pixels of grad.
#[pyfunction]
pub fn upsample_nearest_grad(py: Python, grad: Operand, factor: usize) -> PyResult<PyTensor> {
    call(py, [grad], |[grad]| ops::upsample_nearest_grad(grad, factor).into())
}

/// x [n, h, w, c] resampled to images of a size, (rows, columns), bilinearly.
#[pyfunction]
pub fn bilinear(py: Python, x: Operand, size: Pair) -> PyResult<PyTensor> {
    call(py, [x], |[x]| ops::bilinear(x, size.0).into())
}

/// The adjoint of bilinear: what images of a size, (rows, columns), have of grad.
#[pyfunction]
pub fn bilinear_grad(py: Python, grad: Operand, size: Pair) -> PyResult<PyTensor> {
    call(py, [grad], |[grad]| ops::bilinear_grad(grad, size.0).into())
}
