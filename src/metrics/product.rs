//! Matrix products in f64. A metric is often a small difference of large sums, of which f32 would leave little.
//!
//! A value is summed over k one term after the other, each product rounded before it is added: the same bits
//! with every instruction set. Nothing here starts threads: callers share work among them.

use crate::cpu::simd::widest;

/// Rows and columns of C that are summed side by side.
const ROWS: usize = 4;
const COLUMNS: usize = 8;

/// A · Bᵀ, `[m, n]`, where A is `[m, k]` and B is `[n, k]`.
///
/// # Panics
/// If `a` or `b` doesn't consist of whole rows.
pub(super) fn product(a: &[f64], b: &[f64], k: usize) -> Vec<f64> {
    assert!(
        k > 0 && a.len().is_multiple_of(k) && b.len().is_multiple_of(k),
        "product: {} and {} values in rows of {k}",
        a.len(),
        b.len()
    );
    let (m, n) = (a.len() / k, b.len() / k);
    let mut c = vec![0.0; m * n];
    let mut panel = vec![[0.0; COLUMNS]; k];
    for (first, columns) in (0..n).step_by(COLUMNS).zip(b.chunks(COLUMNS * k)) {
        for (p, across) in panel.iter_mut().enumerate() {
            *across = std::array::from_fn(|j| columns.get(j * k + p).copied().unwrap_or(0.0));
        }
        let width = columns.len() / k;
        for (rows, tile) in a.chunks(ROWS * k).zip(c.chunks_mut(ROWS * n)) {
            let sums = match rows.len() == ROWS * k {
                true => sums_of(std::array::from_fn(|i| &rows[i * k..][..k]), &panel),
                // The last rows, some of which are summed more than once.
                false => sums_of(std::array::from_fn(|i| &rows[i.min(rows.len() / k - 1) * k..][..k]), &panel),
            };
            for (row, sums) in tile.chunks_mut(n).zip(sums) {
                row[first..first + width].copy_from_slice(&sums[..width]);
            }
        }
    }
    c
}

/// The sums of one tile.
fn sums_of(rows: [&[f64]; ROWS], panel: &[[f64; COLUMNS]]) -> [[f64; COLUMNS]; ROWS] {
    widest(
        #[inline(always)]
        move || {
            let mut sums = [[0.0; COLUMNS]; ROWS];
            let [r0, r1, r2, r3] = rows.map(|row| &row[..panel.len()]);
            for (p, across) in panel.iter().enumerate() {
                let at = [r0[p], r1[p], r2[p], r3[p]];
                for i in 0..ROWS {
                    for j in 0..COLUMNS {
                        sums[i][j] += at[i] * across[j];
                    }
                }
            }
            sums
        },
    )
}

/// The transpose `[columns, rows]` of `values` `[rows, columns]`.
pub(super) fn transposed(values: &[f64], columns: usize) -> Vec<f64> {
    let rows = values.len() / columns;
    (0..values.len()).map(|at| values[at % rows * columns + at / rows]).collect()
}

/// a · b, in eight sums side by side.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    sum_of(a, b, |a, b| a * b)
}

/// Σ f(a_i, b_i), in eight sums side by side.
#[inline(always)]
pub(super) fn sum_of<T: Copy>(a: &[T], b: &[T], f: impl Fn(T, T) -> f64 + Copy) -> f64 {
    widest(
        #[inline(always)]
        move || {
            let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
            let mut sums = [0.0; 8];
            for (a, b) in a.iter().zip(b) {
                for i in 0..8 {
                    sums[i] += f(a[i], b[i]);
                }
            }
            for (i, (&a, &b)) in a_rest.iter().zip(b_rest).enumerate() {
                sums[i] += f(a, b);
            }
            let [s0, s1, s2, s3, s4, s5, s6, s7] = sums;
            ((s0 + s4) + (s1 + s5)) + ((s2 + s6) + (s3 + s7))
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};

    #[test]
    fn products_of_all_sizes_are_those_of_plain_loops() {
        let mut random = Random::new(1, Purpose::CHECK);
        for [m, n, k] in [[1, 1, 1], [4, 16, 8], [5, 17, 3], [7, 33, 129], [64, 15, 20]] {
            let (a, b) = (random.normal(m * k), random.normal(n * k));
            let found = product(&a, &b, k);
            assert_eq!(found.len(), m * n);
            for (at, found) in found.iter().enumerate() {
                let (row, column) = (&a[at / n * k..][..k], &b[at % n * k..][..k]);
                let expected: f64 = row.iter().zip(column).map(|(a, b)| a * b).sum();
                assert!((found - expected).abs() < 1e-12 * k as f64, "[{m}, {k}] · [{k}, {n}], {at}");
                assert!((dot(row, column) - expected).abs() < 1e-12 * k as f64);
            }
        }
    }
}
