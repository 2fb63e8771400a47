//! Finds which pairs of a block may be near, by their products in f32: see [`super::pairs`].

use super::product::sum_of;
use crate::cpu::gemm::{Matrix, Start, gemm};
use crate::cpu::simd::widest;

/// Products that are looked at side by side.
const LANES: usize = 32;

/// The products of the rows of a block with its columns, and the thresholds from which on a pair may be near:
/// 2 a·b ≥ |a|² + |b|² - distance².
pub(super) struct Sieve {
    slack: Slack,
    products: Vec<f32>,
    /// |a|² of each row.
    lengths: Vec<f64>,
    /// Each column's part of the threshold for the distance that a row looks for.
    columns: Vec<f32>,
    /// Each column's part of the threshold for the distance that the column itself looks for.
    reaching: Vec<f32>,
}

impl Sieve {
    /// The sieve for points of this many `values`, where the columns look as far as `reach`, which are squared
    /// distances.
    pub(super) fn new(rows: &[f32], columns: &[f32], values: usize, reach: Option<&[f64]>) -> Sieve {
        let (m, n) = (rows.len() / values, columns.len() / values);
        let mut products = vec![0.0; m * n];
        gemm(Matrix::new(rows, m, values), Matrix::new(columns, n, values).transposed(), &mut products, Start::Zero);
        let slack = Slack::of(values);
        let squared = |rows: &[f32]| -> Vec<f64> {
            rows.chunks_exact(values).map(|row| sum_of(row, row, |v, _| f64::from(v) * f64::from(v))).collect()
        };
        let lengths = squared(columns);
        let reaching = match reach {
            Some(reach) => lengths.iter().zip(reach).map(|(&length, &reach)| slack.half(length, reach)).collect(),
            None => vec![f32::INFINITY; n],
        };
        let columns = lengths.iter().map(|&length| slack.half(length, 0.0)).collect();
        Sieve { slack, products, lengths: squared(rows), columns, reaching }
    }

    /// The first column from `from` on that may be nearer to `row` than `within`, a squared distance, or than the
    /// column looks.
    pub(super) fn next(&self, row: usize, from: usize, within: f64) -> Option<usize> {
        let n = self.columns.len();
        let own = self.slack.half(self.lengths[row], 0.0);
        // Nothing is nearer than 0.
        let looked_for = if within > 0.0 { self.slack.half(self.lengths[row], within) } else { f32::INFINITY };
        let products = &self.products[row * n..][from..n];
        let (columns, reaching) = (&self.columns[from..], &self.reaching[from..]);
        let found = widest(
            #[inline(always)]
            move || {
                // NaN must be looked at, too.
                let far = move |p: f32, column: f32, reaching: f32| p < (column + looked_for).min(reaching + own);
                let whole = products.len() / LANES * LANES;
                for start in (0..whole).step_by(LANES) {
                    let part = start..start + LANES;
                    let (p, c, r) = (&products[part.clone()], &columns[part.clone()], &reaching[part.clone()]);
                    let mut all_far = true;
                    for i in 0..LANES {
                        all_far &= far(p[i], c[i], r[i]);
                    }
                    if !all_far {
                        return part.into_iter().find(|&i| !far(products[i], columns[i], reaching[i]));
                    }
                }
                (whole..products.len()).find(|&i| !far(products[i], columns[i], reaching[i]))
            },
        );
        found.map(|place| from + place)
    }
}

/// An allowance for rounding: twice the bound on a product's error, and room for further steps in f32 and for the
/// rounding of values that are measured from the middle.
struct Slack(f64);

impl Slack {
    fn of(dimensions: usize) -> Slack {
        Slack((dimensions + 16) as f64 / f64::from(1 << 23))
    }

    /// The share in a least product of a squared length, less that of a squared distance.
    fn half(&self, length: f64, distance: f64) -> f32 {
        let exact = 0.5 * (length * (1.0 - self.0) - distance * (1.0 + self.0));
        // Products of tiny values may be lost in f32, and lengths of huge ones be infinite.
        (exact as f32).min(f32::MAX) - f32::MIN_POSITIVE
    }
}
