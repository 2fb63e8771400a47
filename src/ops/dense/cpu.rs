//! One GEMM whose sums start from the bias.

use crate::cpu::gemm::{Matrix, Start, gemm};
use crate::cpu::pool::Buffer;

/// y `[n, out]`, with sizes `[n, in, out]`.
pub fn dense(x: &[f32], weight: &[f32], bias: &[f32], [n, k, out]: [usize; 3]) -> Buffer {
    let mut y = Buffer::unspecified(n * out);
    let (x, weight) = (Matrix::new(x, n, k), Matrix::new(weight, k, out));
    gemm(x, weight, &mut y, Start::Bias(bias));
    y
}
