//! # The Fréchet distance of two normal distributions
//!
//! To judge a generator, one may compare the features of its images with those of real ones. Each
//! set is described by the mean μ and the covariance matrix of its features, as if they were
//! normally distributed, and the distance of the two normal distributions is taken (Heusel et al.,
//! 2017). It is the Wasserstein-2 distance, squared: the least mean of |x - y|² with which samples
//! x of the one can be paired with samples y of the other. Of normal distributions with means μ_a
//! and μ_b and covariances A and B it is known (Dowson and Landau, 1982):
//!
//! ```text
//! F  =  |μ_a - μ_b|²  +  Tr A  +  Tr B  -  2 Tr (A B)^½
//! ```
//!
//! Tr is the trace, the sum of the elements on the diagonal. With one feature, A = σ_a² and
//! B = σ_b² are numbers, and F is (μ_a - μ_b)² + (σ_a - σ_b)².
//!
//! # The root of a matrix
//!
//! A covariance matrix is symmetric, and its eigenvalues λ are not below 0. With its eigenvectors e
//! of length 1,
//!
//! ```text
//! A  =  Σ_k  λ_k · e_k e_kᵀ          √A  =  Σ_k  √λ_k · e_k e_kᵀ
//! ```
//!
//! since e_kᵀ e_l is 1 for k = l and 0 for others, √A · √A = A.
//!
//! A · B is not symmetric, so this does not work for it directly. But √A B √A is symmetric, and it
//! has the same eigenvalues: if A B e = λ e, put e = √A f, and take √A away from the left of √A (√A
//! B √A) f = λ √A f. (The proof asks for an A that can be inverted; the result holds for others
//! too, by going to the limit.) The trace of a root is the sum of the roots of the eigenvalues, and
//! so
//!
//! ```text
//! Tr (A B)^½  =  Σ_k  √λ_k      with λ_k the eigenvalues of √A B √A
//! ```
//!
//! Of a matrix that is singular, rounding may make an eigenvalue of 0 slightly negative. Count
//! those as 0.
//!
//! `eigen` is given, in src/eigen.rs. Matrices lie in memory row after row: element [i, j] is at
//! place i · n + j.

pub mod eigen;

pub use eigen::eigen;

/// The symmetric matrix whose square is the covariance matrix `a`, [n, n].
pub fn square_root(a: &[f64], n: usize) -> Vec<f64> {
    todo!()
}

/// F, of the distributions with means `mean_a` and `mean_b`, of n values each, and covariances `a`
/// and `b`, [n, n].
pub fn frechet_distance(mean_a: &[f64], a: &[f64], mean_b: &[f64], b: &[f64]) -> f64 {
    todo!()
}
