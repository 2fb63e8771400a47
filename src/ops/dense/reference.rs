//! y_ij = Σ_p x_ip · W_pj + b_j.

use crate::ops::matmul::{Transpose, reference::matmul};

/// y `[n, out]`, with sizes `[n, in, out]`.
pub fn dense(x: &[f64], weight: &[f64], bias: &[f64], sizes: [usize; 3]) -> Vec<f64> {
    let mut y = matmul(x, weight, sizes, Transpose::NONE);
    for (i, y) in y.iter_mut().enumerate() {
        *y += bias[i % sizes[2]];
    }
    y
}
