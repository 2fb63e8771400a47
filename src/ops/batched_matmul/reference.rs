//! The product of every pair.

use super::Transpose;
use crate::ops::matmul::reference::matmul;

/// The `batch` products `[m, n]`, where the inner length is k and sizes are `[m, k, n]`.
pub fn batched_matmul(a: &[f64], b: &[f64], batch: usize, [m, k, n]: [usize; 3], transpose: Transpose) -> Vec<f64> {
    let pairs = (0..batch).map(|i| (&a[i * m * k..][..m * k], &b[i * k * n..][..k * n]));
    pairs.flat_map(|(a, b)| matmul(a, b, [m, k, n], transpose)).collect()
}
