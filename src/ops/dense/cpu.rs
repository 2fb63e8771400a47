//! One GEMM that adds to an output already filled with the bias.

use crate::cpu::gemm::{Accumulate, Matrix, gemm};
use crate::cpu::pool::Buffer;

/// y `[n, out]`, with sizes `[n, in, out]`.
pub fn dense(x: &[f32], weight: &[f32], bias: &[f32], [n, k, out]: [usize; 3]) -> Buffer {
    let mut y = Buffer::unspecified(n * out);
    for row in y.chunks_exact_mut(out.max(1)) {
        row.copy_from_slice(bias);
    }
    let (x, weight) = (Matrix::new(x, n, k), Matrix::new(weight, k, out));
    gemm(x, weight, &mut y, Accumulate::Add);
    y
}
