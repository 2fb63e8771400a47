//! # The product of two matrices, and its two gradients
//!
//! The product C = A · B of a matrix A of m rows and k columns with a matrix B of k rows and n
//! columns has m rows and n columns:
//!
//! ```text
//! C[i, j]  =  Σ_p  A[i, p] · B[p, j]
//! ```
//!
//! Let L be a number that is calculated from C, and write C̄ for the matrix of its derivatives by
//! the elements of C. Which elements of C does A[i, p] go into? Those of row i, and into C[i, j]
//! with the factor B[p, j]. So
//!
//! ```text
//! Ā[i, p]  =  Σ_j  C̄[i, j] · B[p, j]
//! ```
//!
//! and in the same way, as B[p, j] goes into column j,
//!
//! ```text
//! B̄[p, j]  =  Σ_i  A[i, p] · C̄[i, j]
//! ```
//!
//! Both are products of matrices again: Ā = C̄ · Bᵀ and B̄ = Aᵀ · C̄, where ᵀ exchanges rows and
//! columns.
//!
//! Matrices lie in memory row after row: element [i, j] of a matrix of n columns is at place
//! i · n + j.

/// C, of m rows and n columns, from A, of m rows and k columns, and B, of k rows and n columns.
pub fn product(a: &[f64], b: &[f64], [m, k, n]: [usize; 3]) -> Vec<f64> {
    todo!()
}

/// Ā, of the shape of A, from B and C̄.
pub fn a_gradient(b: &[f64], c_grad: &[f64], [m, k, n]: [usize; 3]) -> Vec<f64> {
    todo!()
}

/// B̄, of the shape of B, from A and C̄.
pub fn b_gradient(a: &[f64], c_grad: &[f64], [m, k, n]: [usize; 3]) -> Vec<f64> {
    todo!()
}
