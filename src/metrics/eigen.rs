//! Eigenvalues and eigenvectors of a symmetric matrix, and its square root.
//!
//! ```text
//! A = Q T Qᵀ        T tridiagonal: n - 2 reflections (Householder 1958)
//! T = Z Λ Zᵀ        by QL steps with implicit shifts (Martin and Wilkinson 1968; Dubrulle 1970)
//! √A = Q Z √Λ Zᵀ Qᵀ
//! ```
//!
//! Golub and Van Loan, "Matrix computations", chapter 8, has both.

use super::product::{dot, product};

/// The most QL steps for one eigenvalue. Two or three are usual.
const MOST_STEPS: usize = 100;

/// An entry beside the diagonal that is below this counts as 0, whatever the diagonal is, if the largest entry of A is
/// 1.
const NOTHING: f64 = 1e-150;

/// The parts of A = Σ λ v vᵀ.
pub(super) struct Eigen {
    /// λ, the smallest first.
    pub values: Vec<f64>,
    /// v, one row for each value; empty if they were not asked for.
    pub vectors: Vec<f64>,
}

/// The eigenvalues of the symmetric matrix `a` `[n, n]`, and its eigenvectors if they are wanted.
///
/// The error of each value is about ε · n · (the largest), which is relatively large for values that are much smaller.
///
/// # Panics
/// If `a` is not square, not symmetric or not finite.
pub(super) fn eigen(a: &[f64], n: usize, wanted: bool) -> Eigen {
    assert!(a.len() == n * n, "eigen: {} values in {n} rows", a.len());
    let largest = a.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
    let symmetric = (0..n).all(|i| (0..i).all(|j| (a[i * n + j] - a[j * n + i]).abs() <= 1e-9 * largest));
    assert!(a.iter().all(|v| v.is_finite()) && symmetric, "eigen: a symmetric matrix of finite numbers is needed");
    if largest == 0.0 {
        let mut vectors = if wanted { vec![0.0; n * n] } else { Vec::new() };
        vectors.iter_mut().step_by(n + 1).for_each(|v| *v = 1.0);
        return Eigen { values: vec![0.0; n], vectors };
    }
    // With this, no square of an entry is out of range.
    let scaled = a.iter().map(|v| v / largest).collect();
    let mut t = tridiagonal(scaled, n, wanted);
    diagonal(&mut t, n);
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| t.diagonal[i].total_cmp(&t.diagonal[j]));
    Eigen {
        values: order.iter().map(|&i| largest * t.diagonal[i]).collect(),
        vectors: match wanted {
            true => order.iter().flat_map(|&i| &t.transform[i * n..][..n]).copied().collect(),
            false => Vec::new(),
        },
    }
}

/// T, and the transform that makes it from A.
struct Tridiagonal {
    diagonal: Vec<f64>,
    /// Entry i is between i and i + 1; the last is 0.
    beside: Vec<f64>,
    /// Qᵀ, if wanted.
    transform: Vec<f64>,
}

/// For each column, a reflection H = 1 - β v vᵀ that makes all of it 0 from two places below the diagonal on:
///
/// ```text
/// x = what is below the diagonal,  v = x ± |x| e₁,  β = 2 / v·v
/// H A H = A - v wᵀ - w vᵀ,         w = p - (β/2)(p·v) v,  p = β A v
/// ```
fn tridiagonal(mut a: Vec<f64>, n: usize, wanted: bool) -> Tridiagonal {
    let mut beside = vec![0.0; n];
    // (β, v) of each reflection.
    let mut reflections = Vec::with_capacity(n);
    for column in 0..n.saturating_sub(1) {
        let start = column + 1;
        let mut v = a[column * n + start..][..n - start].to_vec();
        let below = dot(&v[1..], &v[1..]);
        if below == 0.0 {
            beside[column] = v[0];
            reflections.push((0.0, v));
            continue;
        }
        let length = (v[0] * v[0] + below).sqrt();
        // The sign that avoids cancellation.
        beside[column] = if v[0] > 0.0 { -length } else { length };
        v[0] -= beside[column];
        let beta = 2.0 / (v[0] * v[0] + below);
        let mut w: Vec<f64> = (start..n).map(|row| beta * dot(&a[row * n + start..][..n - start], &v)).collect();
        let half = 0.5 * beta * dot(&w, &v);
        w.iter_mut().zip(&v).for_each(|(w, v)| *w -= half * v);
        for (i, row) in a.chunks_exact_mut(n).skip(start).enumerate() {
            let (vi, wi) = (v[i], w[i]);
            let pairs = v.iter().zip(&w);
            row[start..].iter_mut().zip(pairs).for_each(|(a, (v, w))| *a -= vi * w + wi * v);
        }
        reflections.push((beta, v));
    }
    let diagonal = a.into_iter().step_by(n + 1).collect();
    let mut transform = Vec::new();
    if wanted {
        transform = vec![0.0; n * n];
        transform.iter_mut().step_by(n + 1).for_each(|one| *one = 1.0);
        // Qᵀ = ... H₁ H₀. From its left end on, what the next reflection meets is still small.
        for (column, (beta, v)) in reflections.iter().enumerate().rev() {
            for row in transform.chunks_exact_mut(n).skip(column + 1) {
                let row = &mut row[column + 1..];
                let along = beta * dot(row, v);
                row.iter_mut().zip(v).for_each(|(q, v)| *q -= along * v);
            }
        }
    }
    Tridiagonal { diagonal, beside, transform }
}

/// Leaves the eigenvalues in `t.diagonal` and the eigenvectors in the rows of `t.transform`.
fn diagonal(t: &mut Tridiagonal, n: usize) {
    let Tridiagonal { diagonal: d, beside: e, transform } = t;
    // By the size of all of T: where A is singular, its null space is a block of nothing but rounding, within which an
    // entry is never small beside its neighbours.
    let size = d.iter().zip(&*e).map(|(d, e)| d.abs() + e.abs()).fold(0.0, f64::max);
    let rounding = (f64::EPSILON * size).max(NOTHING);
    for first in 0..n {
        for step in 0.. {
            assert!(step < MOST_STEPS, "eigen: no eigenvalue after {step} steps");
            // Up to where T falls apart.
            let small = |i: &usize| e[*i].abs() <= rounding;
            let last = (first..n - 1).find(small).unwrap_or(n - 1);
            if last == first {
                break;
            }
            // Wilkinson's shift: the eigenvalue of the upper 2x2 block that is nearer to d[first].
            let g = (d[first + 1] - d[first]) / (2.0 * e[first]);
            let shift = d[first] - e[first] / (g + (g * g + 1.0).sqrt().copysign(g));
            // Rotations from the bottom up chase the entry that the first one leaves beside T.
            let (mut sine, mut cosine, mut moved) = (1.0, 1.0, 0.0);
            let mut g = d[last] - shift;
            let mut apart = false;
            for i in (first..last).rev() {
                let (f, b) = (sine * e[i], cosine * e[i]);
                let r = (f * f + g * g).sqrt();
                e[i + 1] = r;
                if r == 0.0 {
                    // T has fallen apart on the way.
                    d[i + 1] -= moved;
                    e[last] = 0.0;
                    apart = true;
                    break;
                }
                (sine, cosine) = (f / r, g / r);
                g = d[i + 1] - moved;
                let r = (d[i] - g) * sine + 2.0 * cosine * b;
                moved = sine * r;
                d[i + 1] = g + moved;
                g = cosine * r - b;
                if !transform.is_empty() {
                    let (above, below) = transform.split_at_mut((i + 1) * n);
                    let rows = above[i * n..].iter_mut().zip(&mut below[..n]);
                    for (upper, lower) in rows {
                        let old = *lower;
                        *lower = sine * *upper + cosine * old;
                        *upper = cosine * *upper - sine * old;
                    }
                }
            }
            if !apart {
                d[first] -= moved;
                e[first] = g;
                e[last] = 0.0;
            }
        }
    }
}

/// The roots of the eigenvalues `values` of a positive semidefinite matrix. A value that is 0 except for rounding
/// counts as 0: the root of 10⁻¹⁶ would be 10⁻⁸.
pub(super) fn roots(values: &[f64]) -> impl Iterator<Item = f64> {
    let largest = values.iter().fold(0.0, |most: f64, v| most.max(*v));
    let least = f64::EPSILON * values.len() as f64 * largest;
    values.iter().map(move |&v| if v > least { v.sqrt() } else { 0.0 })
}

/// The symmetric positive semidefinite matrix whose square is `a` `[n, n]`, which must be symmetric and positive
/// semidefinite too and may be singular. Negative eigenvalues count as 0.
///
/// ```
/// use minimax::metrics::square_root;
///
/// let root = square_root(&[4.0, 0.0, 0.0, 9.0], 2);
/// assert!((root[0] - 2.0).abs() < 1e-12 && (root[3] - 3.0).abs() < 1e-12);
/// ```
///
/// # Panics
/// If `a` is not square, not symmetric or not finite.
pub fn square_root(a: &[f64], n: usize) -> Vec<f64> {
    let Eigen { values, vectors } = eigen(a, n, true);
    // Row i: entry i of each vector, times the fourth root of its value.
    let mut half = vec![0.0; n * n];
    for (k, (root, vector)) in roots(&values).zip(vectors.chunks_exact(n.max(1))).enumerate() {
        let fourth = root.sqrt();
        vector.iter().enumerate().for_each(|(i, v)| half[i * n + k] = fourth * v);
    }
    product(&half, &half, n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};
    use std::f64::consts::PI;

    fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    /// X Xᵀ of normal X `[n, rank]`.
    fn semidefinite(n: usize, rank: usize, seed: u64) -> Vec<f64> {
        let x = Random::new(seed, Purpose::CHECK).normal(n * rank);
        product(&x, &x, rank)
    }

    /// -1, 2, -1 along the diagonal: 2 - 2 cos(πj / (n + 1)).
    #[test]
    fn the_second_difference_has_known_eigenvalues() {
        let n = 50;
        let mut a = vec![0.0; n * n];
        for i in 0..n {
            a[i * n + i] = 2.0;
            if i > 0 {
                a[i * n + i - 1] = -1.0;
                a[(i - 1) * n + i] = -1.0;
            }
        }
        let known: Vec<f64> = (1..=n).map(|j| 2.0 - 2.0 * libm::cos(PI * j as f64 / (n + 1) as f64)).collect();
        assert!(largest_difference(&eigen(&a, n, false).values, &known) < 1e-14);
    }

    #[test]
    fn vectors_are_orthonormal_and_make_the_matrix_again() {
        for (n, rank) in [(1, 1), (2, 2), (3, 1), (24, 24), (40, 7), (97, 120)] {
            let a = semidefinite(n, rank, 5);
            let Eigen { values, vectors } = eigen(&a, n, true);
            let mut one = vec![0.0; n * n];
            one.iter_mut().step_by(n + 1).for_each(|v| *v = 1.0);
            assert!(largest_difference(&product(&vectors, &vectors, n), &one) < 1e-13, "{n}");
            let across: Vec<f64> = (0..n * n).map(|at| vectors[at % n * n + at / n]).collect();
            let scaled: Vec<f64> =
                across.chunks(n).flat_map(|row| row.iter().zip(&values).map(|(v, l)| v * l)).collect();
            let scale = values[n - 1];
            assert!(largest_difference(&product(&scaled, &across, n), &a) < 1e-13 * scale, "{n}");
            assert!(largest_difference(&eigen(&a, n, false).values, &values) < 1e-13 * scale, "{n}");
            assert!(values.is_sorted());
        }
    }

    #[test]
    fn the_square_of_the_root_is_the_matrix_singular_or_not() {
        for (n, rank) in [(1, 1), (24, 30), (24, 5), (64, 63), (128, 5), (128, 100), (300, 40)] {
            let a = semidefinite(n, rank, 6);
            let root = square_root(&a, n);
            let scale = a.iter().fold(0.0, |most: f64, v| most.max(*v));
            assert!(largest_difference(&product(&root, &root, n), &a) < 1e-13 * scale, "{n}, rank {rank}");
        }
        assert_eq!(square_root(&[0.0; 9], 3), [0.0; 9]);
        assert!(largest_difference(&square_root(&[4.0, 0.0, 0.0, 9.0], 2), &[2.0, 0.0, 0.0, 3.0]) < 1e-15 * 4.0);
    }

    /// Blocks that fall apart, equal values and entries of very different sizes.
    #[test]
    fn matrices_that_are_hard_to_chase_through() {
        let diagonal = [1e-200, 3.0, 3.0, 3.0, 0.0, 1e-8, -2.0];
        let n = diagonal.len();
        let mut a = vec![0.0; n * n];
        diagonal.iter().enumerate().for_each(|(i, &v)| a[i * n + i] = v);
        let mut sorted = diagonal;
        sorted.sort_by(f64::total_cmp);
        assert_eq!(eigen(&a, n, true).values, sorted);
        // Two equal pairs: [[1, 1], [1, 1]] twice.
        let a = [1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0];
        assert!(largest_difference(&eigen(&a, 4, true).values, &[0.0, 0.0, 2.0, 2.0]) < 1e-15);
        let huge: Vec<f64> = a.iter().map(|v| v * 1e300).collect();
        assert!(largest_difference(&eigen(&huge, 4, false).values, &[0.0, 0.0, 2e300, 2e300]) < 1e285);
    }

    #[test]
    #[should_panic(expected = "symmetric matrix of finite numbers")]
    fn what_is_not_symmetric_is_refused() {
        eigen(&[1.0, 2.0, 3.0, 4.0], 2, false);
    }
}
