//! Finds which points are near which others, exactly and at the speed of matrix products.
//!
//! ```text
//! |a - b|² = |a|² - 2 a·b + |b|²
//! ```
//!
//! A matrix product in f32 gives a·b of all pairs, each off by at most about d 2⁻²⁴ |a||b|, where d is the number of
//! values and |a||b| ≤ (|a|² + |b|²) / 2. It only sifts: for the few pairs that may be near enough, the distance is
//! computed again in f64, as Σ (a - b)², and only that counts. So equal points are exactly 0 apart, and the result
//! depends neither on how the points are cut into blocks nor on the instruction set.
//!
//! Points with many values are sifted by their projections onto a few directions, if these tell enough: see
//! [`super::shadows`].

use super::points::{Points, few_rows_at_a_time};
use super::product::sum_of;
use super::shadows::{directions, middle, moved, shadows};
use super::sieve::Sieve;
use rayon::prelude::*;

/// The most points of the first and of the second set at a time: their products take 8 MiB.
const ROWS: usize = 2048;
const COLUMNS: usize = 1024;

/// If more than one pair in this many passes, sifting by shadows doesn't pay.
const TOO_MANY: usize = 8;

/// Calls `meet(state, i, j, |a_i - b_j|²)` for every pair whose squared distance is below `within(state)`, where
/// `state` is that of i, or below `reach[j]`; for some other pairs, too. For one i, j rises from call to call.
///
/// # Panics
/// If dimensions or numbers of points and states differ, or there are no dimensions.
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
        dimensions > 0
            && dimensions == b.dimensions()
            && states.len() == a.len()
            && reach.is_none_or(|reach| reach.len() == b.len()),
        "near_pairs: {} points of {dimensions} values, {} of {}, {} states",
        a.len(),
        b.len(),
        b.dimensions(),
        states.len()
    );
    let middle = middle(b);
    let directions = directions(b, &middle);
    let [shadows_a, shadows_b] = [a, b].map(|points| shadows(points, &middle, &directions));
    let count = directions.len() / dimensions;
    for rows in few_rows_at_a_time(a.len(), dimensions, ROWS) {
        let of_a = a.values(rows.clone());
        let mut by_shadows = count > 0;
        for columns in few_rows_at_a_time(b.len(), dimensions, COLUMNS) {
            let of_b = b.values(columns.clone());
            let reach = reach.map(|reach| &reach[columns.clone()]);
            let sieve = if by_shadows {
                let (of_a, of_b) = (&shadows_a[rows.start * count..], &shadows_b[columns.start * count..]);
                Sieve::new(&of_a[..rows.len() * count], &of_b[..columns.len() * count], count, reach)
            } else {
                Sieve::new(&moved(&of_a, &middle), &moved(&of_b, &middle), dimensions, reach)
            };
            let states = states[rows.clone()].par_iter_mut().enumerate().with_min_len(8);
            let met = states.map(|(row, state)| {
                let point = &of_a[row * dimensions..][..dimensions];
                let (mut from, mut met) = (0, 0);
                while let Some(column) = sieve.next(row, from, within(state)) {
                    let other = &of_b[column * dimensions..][..dimensions];
                    meet(state, rows.start + row, columns.start + column, squared_distance(point, other));
                    from = column + 1;
                    met += 1;
                }
                met
            });
            by_shadows &= met.sum::<usize>() <= rows.len() * columns.len() / TOO_MANY;
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

#[cfg(test)]
mod tests {
    use super::super::product::{product, transposed};
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

    /// Images among whose shadows few are near, and noise, whose shadows tell nothing.
    #[test]
    fn near_pairs_of_points_with_many_values_are_all_found() {
        let (n, m, d, rank) = (70, 2300, 280, 6);
        let mut random = Random::new(3, Purpose::CHECK);
        let mix = random.normal(rank * d);
        let mut draw = |count: usize, noise: f64| -> Vec<f32> {
            let z = random.normal(count * rank);
            let small = random.normal(count * d);
            let spread = product(&z, &transposed(&mix, d), rank);
            spread.iter().zip(small).map(|(v, small)| (v + noise * small) as f32).collect()
        };
        let b = draw(m, 0.1);
        for (a, within) in [(draw(n, 0.1), 300.0), (draw(n, 5.0), 8000.0)] {
            let mut found = vec![Vec::new(); n];
            let keep = |state: &mut Vec<(usize, usize, f64)>, i, j, distance: f64| {
                if distance < within {
                    state.push((i, j, distance));
                }
            };
            near_pairs(&Points::of(&a, d), &Points::of(&b, d), None, &mut found, |_| within, keep);
            let expected = expected(&a, &b, d, within, &vec![0.0; m]);
            let share = expected.len() as f64 / (n * m) as f64;
            assert!((0.001..0.9).contains(&share), "{share}");
            assert_eq!(found.concat(), expected);
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
