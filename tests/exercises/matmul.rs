//! By the engine's reference, which takes a factor transposed as well.

use minimax::ops::{Transpose, matmul::reference::matmul};

pub fn product(a: &[f64], b: &[f64], sizes: [usize; 3]) -> Vec<f64> {
    matmul(a, b, sizes, Transpose::NONE)
}

pub fn a_gradient(b: &[f64], c_grad: &[f64], [m, k, n]: [usize; 3]) -> Vec<f64> {
    matmul(c_grad, b, [m, n, k], Transpose { a: false, b: true })
}

pub fn b_gradient(a: &[f64], c_grad: &[f64], [m, k, n]: [usize; 3]) -> Vec<f64> {
    matmul(a, c_grad, [k, m, n], Transpose { a: true, b: false })
}
