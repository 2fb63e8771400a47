//! C_ij = Σ_p A_ip · B_pj.

use super::Transpose;

// ANCHOR: matmul
/// The product `[m, n]`, where the inner length is k and sizes are `[m, k, n]`.
pub fn matmul(a: &[f64], b: &[f64], [m, k, n]: [usize; 3], transpose: Transpose) -> Vec<f64> {
    let a_at = |i: usize, p: usize| {
        if transpose.a { a[p * m + i] } else { a[i * k + p] }
    };
    let b_at = |p: usize, j: usize| {
        if transpose.b { b[j * k + p] } else { b[p * n + j] }
    };
    let mut c = vec![0.0; m * n];
    for i in 0..m {
        for j in 0..n {
            c[i * n + j] = (0..k).map(|p| a_at(i, p) * b_at(p, j)).sum();
        }
    }
    c
}
// ANCHOR_END: matmul
