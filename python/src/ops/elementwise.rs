//! Ops that treat each number by itself, and those of two or three numbers, which stretch their inputs to one shape.

use crate::operand::{Operand, call};
use crate::tensor::PyTensor;
use minimax::ops;
use minimax::random::{Purpose, Random};
use pyo3::prelude::*;

/// A function for each op of one tensor, with its description.
macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[pyfunction]
        pub fn $name(py: Python, x: Operand) -> PyResult<PyTensor> {
            call(py, [x], |[x]| ops::$name(x).into())
        }
    )*};
}

/// The same of two tensors.
macro_rules! binary {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[pyfunction]
        pub fn $name(py: Python, a: Operand, b: Operand) -> PyResult<PyTensor> {
            call(py, [a, b], |[a, b]| ops::$name(a, b).into())
        }
    )*};
}

unary! {
    /// -x.
    neg;
    /// e to the power of x.
    exp;
    /// The natural logarithm of x.
    log;
    /// The square root of x.
    sqrt;
    /// x squared.
    square;
    /// The absolute value of x.
    abs;
    /// The hyperbolic tangent of x.
    tanh;
    /// 1 / (1 + exp(-x)).
    sigmoid;
    /// log(1 + exp(x)), which overflows nowhere.
    softplus;
    /// The error function of x.
    erf;
    /// x times the probability that a standard normal number is less than x.
    gelu;
    /// x times sigmoid(x).
    silu;
    /// x where it is positive or NaN, 0 elsewhere.
    relu;
}

binary! {
    /// a + b, stretched to one shape.
    add;
    /// a - b, stretched to one shape.
    sub;
    /// a times b, stretched to one shape.
    mul;
    /// a / b, stretched to one shape.
    div;
    /// a to the power of b, stretched to one shape.
    pow;
    /// The larger of a and b, stretched to one shape; where they are equal the gradient is a's.
    maximum;
    /// The smaller of a and b, stretched to one shape; where they are equal the gradient is a's.
    minimum;
    /// 1 where a > b, else 0. No gradient.
    greater;
    /// 1 where a >= b, else 0. No gradient.
    greater_equal;
    /// 1 where a == b, else 0. No gradient.
    equal;
}

/// x where it is positive, alpha (exp(x) - 1) elsewhere.
#[pyfunction]
#[pyo3(signature = (x, alpha=1.0))]
pub fn elu(py: Python, x: Operand, alpha: f64) -> PyResult<PyTensor> {
    call(py, [x], |[x]| ops::elu(x, alpha).into())
}

/// x where it is positive or NaN, slope times x elsewhere.
#[pyfunction]
#[pyo3(signature = (x, slope=0.2))]
pub fn leaky_relu(py: Python, x: Operand, slope: f64) -> PyResult<PyTensor> {
    call(py, [x], |[x]| ops::leaky_relu(x, slope).into())
}

/// x held to [low, high]; no gradient beyond.
#[pyfunction]
pub fn clamp(py: Python, x: Operand, low: f64, high: f64) -> PyResult<PyTensor> {
    call(py, [x], |[x]| ops::clamp(x, low, high).into())
}

/// a where condition is not 0, b where it is, all stretched to one shape: NumPy's where.
#[pyfunction]
pub fn select(py: Python, condition: Operand, a: Operand, b: Operand) -> PyResult<PyTensor> {
    call(py, [condition, a, b], |[condition, a, b]| ops::select(condition, a, b).into())
}

/// x with a share rate of its values, which seed chooses, set to 0 and the others divided by 1 - rate.
#[pyfunction]
#[pyo3(signature = (x, rate, seed=0))]
pub fn dropout(py: Python, x: Operand, rate: f64, seed: u64) -> PyResult<PyTensor> {
    let position = Random::new(seed, Purpose::DROPOUT).position();
    call(py, [x], |[x]| ops::dropout(x, rate, position).into())
}
