//! A GEMM for every pair; the pairs are shared out, and so are large products themselves.

use super::Transpose;
use crate::cpu::batch::chosen_as_for;
use crate::cpu::gemm::{Matrix, Start, gemm};
use crate::cpu::pool::Buffer;
use rayon::prelude::*;

/// The `batch` products `[m, n]`, where the inner length is k and sizes are `[m, k, n]`.
pub fn batched_matmul(a: &[f32], b: &[f32], batch: usize, [m, k, n]: [usize; 3], transpose: Transpose) -> Buffer {
    let mut c = Buffer::unspecified(batch * m * n);
    if c.is_empty() {
        return c;
    }
    let matrix = |values, rows, columns, transposed| match transposed {
        false => Matrix::new(values, rows, columns),
        true => Matrix::new(values, columns, rows).transposed(),
    };
    c.par_chunks_mut(m * n).enumerate().for_each(|(i, c)| {
        let a = matrix(&a[i * m * k..], m, k, transpose.a);
        let b = matrix(&b[i * k * n..], k, n, transpose.b);
        // The rows are no examples, and the thread may be another than the one that has been told of a batch.
        chosen_as_for(m, || gemm(a, b, c, Start::Zero));
    });
    c
}
