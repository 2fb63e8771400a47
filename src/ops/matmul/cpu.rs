//! One GEMM; a transposed operand is a matrix with its strides exchanged.

use super::Transpose;
use crate::cpu::gemm::{Matrix, Start, gemm};
use crate::cpu::pool::Buffer;

/// The product `[m, n]`, where the inner length is k and sizes are `[m, k, n]`.
pub fn matmul(a: &[f32], b: &[f32], [m, k, n]: [usize; 3], transpose: Transpose) -> Buffer {
    let matrix = |values, rows, columns, transposed| match transposed {
        false => Matrix::new(values, rows, columns),
        true => Matrix::new(values, columns, rows).transposed(),
    };
    let mut c = Buffer::unspecified(m * n);
    gemm(matrix(a, m, k, transpose.a), matrix(b, k, n, transpose.b), &mut c, Start::Zero);
    c
}
