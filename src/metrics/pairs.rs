//! Which points lie near which others, exactly and at the speed of matrix products.
//!
//! ```text
//! |a - b|² = |a|² - 2 a·b + |b|²
//! ```
//!
//! A matrix product in f32 gives a·b of all pairs, each off by at most about d 2⁻²⁴ |a||b|, where d is the number of
//! values and |a||b| ≤ (|a|² + |b|²) / 2. It sifts: the few pairs that may be near enough are computed once more in
//! f64, as Σ (a - b)², and only that counts. So equal points are exactly 0 apart, and neither the cutting into blocks
//! nor the instruction set has any say in what is found.

use super::points::{Points, few_rows_at_a_time};
use super::product::sum_of;
use crate::cpu::gemm::{Matrix, Start, gemm};
use crate::cpu::simd::widest;
use rayon::prelude::*;

/// The most points of the first and of the second set at a time: their products take 8 MiB.
const ROWS: usize = 2048;
const COLUMNS: usize = 1024;

/// Products that are looked at side by side.
const LANES: usize = 32;

/// Calls `meet(state, i, j, |a_i - b_j|²)` for every pair whose squared distance is below `within(state)`, where
/// `state` is that of i, or below `reach[j]`; for some other pairs, too. For one i, j rises from call to call.
///
/// # Panics
/// If dimensions or numbers of points and states differ.
pub(super) fn near_pairs<S: Send>(
    a: &Points,
    b: &Points,
    reach: Option<&[f64]>,
    states: &mut [S],
    within: impl Fn(&S) -> f64 + Sync,
    meet: impl Fn(&mut S, usize, usize, f64) + Sync,
) {
    let dimensions = a.dimensions();
    assert!(
        dimensions == b.dimensions() && states.len() == a.len() && reach.is_none_or(|reach| reach.len() == b.len()),
        "near_pairs: {} points of {dimensions} values, {} of {}, {} states",
        a.len(),
        b.len(),
        b.dimensions(),
        states.len()
    );
    let slack = Slack::of(dimensions);
    let middle = middle(b);
    let moved = |values: &[f32]| -> Vec<f32> {
        values.chunks_exact(dimensions).flat_map(|row| row.iter().zip(&middle).map(|(v, middle)| v - middle)).collect()
    };
    for rows in few_rows_at_a_time(a.len(), dimensions, ROWS) {
        let of_a = a.values(rows.clone());
        let moved_a = moved(&of_a);
        let lengths = squared_lengths(&moved_a, dimensions);
        for columns in few_rows_at_a_time(b.len(), dimensions, COLUMNS) {
            let of_b = b.values(columns.clone());
            let n = columns.len();
            let mut products = vec![0.0; rows.len() * n];
            let moved_b = moved(&of_b);
            let across = Matrix::new(&moved_b, n, dimensions).transposed();
            gemm(Matrix::new(&moved_a, rows.len(), dimensions), across, &mut products, Start::Zero);
            let reach = reach.map(|reach| &reach[columns.clone()]);
            let least = Least::of(&slack, &squared_lengths(&moved_b, dimensions), reach);
            let few = states[rows.clone()].par_iter_mut().zip(products.par_chunks(n)).enumerate().with_min_len(8);
            few.for_each(|(row, (state, products))| {
                let point = &of_a[row * dimensions..][..dimensions];
                let mut from = 0;
                while let Some(column) = least.first(&slack, products, from, lengths[row], within(state)) {
                    let other = &of_b[column * dimensions..][..dimensions];
                    meet(state, rows.start + row, columns.start + column, squared_distance(point, other));
                    from = column + 1;
                }
            });
        }
    }
}

/// |a - b|² in f64.
pub(super) fn squared_distance(a: &[f32], b: &[f32]) -> f64 {
    sum_of(a, b, |a, b| {
        let difference = f64::from(a) - f64::from(b);
        difference * difference
    })
}

fn squared_lengths(rows: &[f32], dimensions: usize) -> Vec<f64> {
    rows.chunks_exact(dimensions).map(|row| sum_of(row, row, |v, _| f64::from(v) * f64::from(v))).collect()
}

/// The mean of `points`. Measured from there, no product is larger than it need be, and rounding doesn't drown the
/// distances of points that lie close together far from 0.
fn middle(points: &Points) -> Vec<f32> {
    let mut sums = vec![0.0; points.dimensions()];
    for rows in few_rows_at_a_time(points.len(), points.dimensions(), COLUMNS) {
        for row in points.values(rows).chunks_exact(points.dimensions()) {
            sums.iter_mut().zip(row).for_each(|(sum, &v)| *sum += f64::from(v));
        }
    }
    let mean = sums.into_iter().map(|sum| (sum / points.len() as f64) as f32);
    mean.map(|v| if v.is_finite() { v } else { 0.0 }).collect()
}

/// What rounding may take away: twice the bound on a product's error, and room for what is done with it in f32 and
/// for the rounding of values that are measured from the middle.
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

/// The products from which on a pair may be near: 2 a·b ≥ |a|² + |b|² - distance².
struct Least {
    /// For the distance that the row looks for, but for the row's share.
    rows: Vec<f32>,
    /// For the distance that the column looks for.
    columns: Vec<f32>,
}

impl Least {
    fn of(slack: &Slack, lengths: &[f64], reach: Option<&[f64]>) -> Least {
        let rows = lengths.iter().map(|&length| slack.half(length, 0.0)).collect();
        let columns = match reach {
            Some(reach) => lengths.iter().zip(reach).map(|(&length, &reach)| slack.half(length, reach)).collect(),
            None => vec![f32::INFINITY; lengths.len()],
        };
        Least { rows, columns }
    }

    /// The first place from `from` on where a product of the row may be that of near points.
    fn first(&self, slack: &Slack, products: &[f32], from: usize, length: f64, within: f64) -> Option<usize> {
        let own = slack.half(length, 0.0);
        // Nothing is nearer than 0.
        let looked_for = if within > 0.0 { slack.half(length, within) } else { f32::INFINITY };
        let (products, rows, columns) = (&products[from..], &self.rows[from..], &self.columns[from..]);
        let found = widest(
            #[inline(always)]
            move || {
                // What is not a number must be looked at, too.
                let far = move |i: usize| products[i] < (rows[i] + looked_for).min(columns[i] + own);
                let whole = products.len() / LANES * LANES;
                for start in (0..whole).step_by(LANES) {
                    let (p, r, c) = (&products[start..][..LANES], &rows[start..][..LANES], &columns[start..][..LANES]);
                    let mut all_far = true;
                    for i in 0..LANES {
                        all_far &= p[i] < (r[i] + looked_for).min(c[i] + own);
                    }
                    if !all_far {
                        return (start..start + LANES).find(|&i| !far(i));
                    }
                }
                (whole..products.len()).find(|&i| !far(i))
            },
        );
        found.map(|place| from + place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};

    /// All pairs that are near, by plain loops.
    fn expected(a: &[f32], b: &[f32], d: usize, within: f64, reach: &[f64]) -> Vec<(usize, usize, f64)> {
        let mut pairs = Vec::new();
        for (i, x) in a.chunks(d).enumerate() {
            for (j, y) in b.chunks(d).enumerate() {
                let distance = squared_distance(x, y);
                if distance < within.max(reach[j]) {
                    pairs.push((i, j, distance));
                }
            }
        }
        pairs
    }

    /// With values of any size, points that coincide, and a number of points beyond every block.
    #[test]
    fn near_pairs_are_all_found() {
        let mut random = Random::new(1, Purpose::CHECK);
        for (n, m, d, scale, center) in [
            (30, 40, 7, 1.0, 0.0),
            (100, 2100, 3, 1.0, 50.0),
            (2100, 60, 2, 1e-3, 1.0),
            (20, 50, 33, 1e-30, 0.0),
            (20, 50, 5, 1e-22, 0.0),
            (20, 50, 5, 1e25, 0.0),
        ] {
            let mut draw = |count: usize| -> Vec<f32> {
                random.normal(count * d).iter().map(|v| (scale * (v + center)) as f32).collect()
            };
            let (a, mut b) = (draw(n), draw(m));
            b[..d].copy_from_slice(&a[d..2 * d]);
            let unit = scale * scale * d as f64;
            let reach: Vec<f64> = (0..m).map(|j| unit * [0.05, 0.0, 0.3][j % 3]).collect();
            let within = 0.1 * unit;
            let mut found = vec![Vec::new(); n];
            let (of_a, of_b) = (Points::of(&a, d), Points::of(&b, d));
            let keep = |state: &mut Vec<(usize, usize, f64)>, i, j, distance: f64| {
                if distance < within.max(reach[j]) {
                    state.push((i, j, distance));
                }
            };
            near_pairs(&of_a, &of_b, Some(&reach), &mut found, |_| within, keep);
            let expected = expected(&a, &b, d, within, &reach);
            assert!(expected.iter().any(|&(i, j, distance)| (i, j, distance) == (1, 0, 0.0)));
            assert_eq!(found.concat(), expected, "{n}, {m}, {d}, {scale}");
        }
    }

    /// Few more pairs are computed than are near, or nothing is gained.
    #[test]
    fn few_others_are_met() {
        let (n, d) = (500, 64);
        let mut random = Random::new(2, Purpose::CHECK);
        let values: Vec<f32> = random.normal(n * d).iter().map(|&v| v as f32 + 0.5).collect();
        let points = Points::of(&values, d);
        let mut met = vec![0; n];
        near_pairs(&points, &points, None, &mut met, |_| 1e-3, |met, _, _, _| *met += 1);
        assert_eq!(met, vec![1; n]);
    }
}
