//! Products of matrices, and convolutions. Images are [n, h, w, c].

use super::images::size;
use crate::operand::{Operand, Pair, Zeros, call};
use crate::tensor::PyTensor;
use minimax::ops::{self, Transpose};
use minimax::{Padding, Tensor};
use pyo3::prelude::*;

/// The product [m, n] of a [m, k] and b [k, n]; a is [k, m] with transpose_a, b is [n, k] with transpose_b.
#[pyfunction]
#[pyo3(signature = (a, b, transpose_a=false, transpose_b=false))]
pub fn matmul(py: Python, a: Operand, b: Operand, transpose_a: bool, transpose_b: bool) -> PyResult<PyTensor> {
    let transpose = Transpose { a: transpose_a, b: transpose_b };
    call(py, [a, b], |[a, b]| ops::matmul(a, b, transpose).into())
}

/// The products [batch, m, n] of a [batch, m, k] and b [batch, k, n], transposed as in matmul.
#[pyfunction]
#[pyo3(signature = (a, b, transpose_a=false, transpose_b=false))]
pub fn batched_matmul(py: Python, a: Operand, b: Operand, transpose_a: bool, transpose_b: bool) -> PyResult<PyTensor> {
    let transpose = Transpose { a: transpose_a, b: transpose_b };
    call(py, [a, b], |[a, b]| ops::batched_matmul(a, b, transpose).into())
}

/// x [n, k] times weight [k, m] plus bias [m].
#[pyfunction]
pub fn dense(py: Python, x: Operand, weight: Operand, bias: Operand) -> PyResult<PyTensor> {
    call(py, [x, weight, bias], |[x, weight, bias]| ops::dense(x, weight, bias).into())
}

/// The convolution of x [n, h, w, c_in] with weight [kh, kw, c_in / groups, c_out].
///
/// stride is a number or (rows, columns); padding a number, "same", "valid" or ((top, bottom), (left, right)).
#[pyfunction]
#[pyo3(
    signature = (x, weight, stride=Pair([1, 1]), padding=Zeros::NONE, groups=1),
    text_signature = "(x, weight, stride=1, padding=0, groups=1)"
)]
pub fn conv2d(
    py: Python,
    x: Operand,
    weight: Operand,
    stride: Pair,
    padding: Zeros,
    groups: usize,
) -> PyResult<PyTensor> {
    let Pair(stride) = stride;
    call(py, [x, weight], |[x, weight]| {
        let padding = padding.around(size(x), kernel(weight), stride);
        // Each is called what it is in what is said of shapes that don't fit.
        match groups {
            1 => ops::conv2d(x, weight, stride, padding).into(),
            _ => ops::grouped_conv2d(x, weight, groups, stride, padding).into(),
        }
    })
}

/// The input gradient of conv2d: x [n, h, w, c_in] spread by weight [kh, kw, c_out / groups, c_in].
///
/// output_size is (rows, columns) of the result; without it h * stride with padding "same", else the least that fits.
#[pyfunction]
#[pyo3(
    signature = (x, weight, stride=Pair([1, 1]), padding=Zeros::NONE, output_size=None, groups=1),
    text_signature = "(x, weight, stride=1, padding=0, output_size=None, groups=1)"
)]
pub fn conv_transpose2d(
    py: Python,
    x: Operand,
    weight: Operand,
    stride: Pair,
    padding: Zeros,
    output_size: Option<Pair>,
    groups: usize,
) -> PyResult<PyTensor> {
    let Pair(stride) = stride;
    call(py, [x, weight], |[x, weight]| {
        let kernel = kernel(weight);
        let output_size = output_size.map_or_else(|| spread(x, kernel, stride, padding), |Pair(size)| size);
        let padding = padding.around(output_size, kernel, stride);
        match groups {
            1 => ops::conv_transpose2d(x, weight, output_size, stride, padding).into(),
            _ => ops::grouped_conv_transpose2d(x, weight, groups, output_size, stride, padding).into(),
        }
    })
}

/// The gradient [kh, kw, c_in / groups, c_out] of the weight of conv2d, from its input x and the gradient of its output.
///
/// kernel is (kh, kw), or a number for both.
#[pyfunction]
#[pyo3(
    signature = (x, grad, kernel, stride=Pair([1, 1]), padding=Zeros::NONE, groups=1),
    text_signature = "(x, grad, kernel, stride=1, padding=0, groups=1)"
)]
pub fn conv2d_weight_grad(
    py: Python,
    x: Operand,
    grad: Operand,
    kernel: Pair,
    stride: Pair,
    padding: Zeros,
    groups: usize,
) -> PyResult<PyTensor> {
    let (Pair(kernel), Pair(stride)) = (kernel, stride);
    call(py, [x, grad], |[x, grad]| {
        let padding = padding.around(size(x), kernel, stride);
        match groups {
            1 => ops::conv2d_weight_grad(x, grad, kernel, stride, padding).into(),
            _ => ops::grouped_conv2d_weight_grad(x, grad, groups, kernel, stride, padding).into(),
        }
    })
}

/// Rows and columns of the kernels of `weight`; of what is no weight it doesn't matter, for the op refuses it.
fn kernel(weight: &Tensor) -> [usize; 2] {
    match *weight.dims() {
        [rows, columns, ..] => [rows, columns],
        _ => [1, 1],
    }
}

/// The size of the images that `x` is spread to where none is said.
fn spread(x: &Tensor, kernel: [usize; 2], stride: [usize; 2], padding: Zeros) -> [usize; 2] {
    let [rows, columns] = size(x);
    let Zeros::These(Padding { top, bottom, left, right }) = padding else {
        return [rows * stride[0], columns * stride[1]];
    };
    let least = |n: usize, s: usize, k: usize, zeros: usize| (n.saturating_sub(1) * s + k).saturating_sub(zeros);
    [least(rows, stride[0], kernel[0], top + bottom), least(columns, stride[1], kernel[1], left + right)]
}
