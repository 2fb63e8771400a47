//! Shadows: the projections of points onto a few directions. Pairs of points with many values, such as images, can be
//! sifted by their shadows, which have fewer values.
//!
//! ```text
//! |P a - P b| ≤ |a - b|        where the rows of P are orthonormal
//! ```
//!
//! So points whose shadows are far apart are far apart themselves. Shadows tell most along the directions in which the
//! points vary most: the leading eigenvectors of their covariance, roughly, by two steps of subspace iteration (Halko,
//! Martinsson and Tropp 2011) on some of the points.

use super::points::{Points, few_rows_at_a_time};
use super::product::{dot, product, transposed};
use rayon::prelude::*;

/// The number of directions.
const DIRECTIONS: usize = 64;

/// Points with fewer values than this many for each direction get no shadows.
const TIMES_FEWER: usize = 4;

/// The number of points from which the directions are found.
const FROM: usize = 1000;

/// Rows that are worked on at a time.
const ROWS: usize = 1024;

/// The mean of `points`. Measured from it, products are no larger than necessary, and rounding doesn't hide the
/// distances of points that are close together but far from 0.
pub(super) fn middle(points: &Points) -> Vec<f32> {
    let mut sums = vec![0.0; points.dimensions()];
    for rows in few_rows_at_a_time(points.len(), points.dimensions(), ROWS) {
        for row in points.values(rows).chunks_exact(points.dimensions()) {
            sums.iter_mut().zip(row).for_each(|(sum, &v)| *sum += f64::from(v));
        }
    }
    let mean = sums.into_iter().map(|sum| (sum / points.len() as f64) as f32);
    mean.map(|v| if v.is_finite() { v } else { 0.0 }).collect()
}

/// `values`, rows of the length of `middle`, less `middle`.
pub(super) fn moved(values: &[f32], middle: &[f32]) -> Vec<f32> {
    let rows = values.chunks_exact(middle.len());
    rows.flat_map(|row| row.iter().zip(middle).map(|(v, middle)| v - middle)).collect()
}

fn moved_exactly(values: &[f32], middle: &[f32]) -> Vec<f64> {
    let rows = values.chunks_exact(middle.len());
    rows.flat_map(|row| row.iter().zip(middle).map(|(&v, &middle)| f64::from(v) - f64::from(middle))).collect()
}

/// The directions for `points` about their middle, as orthonormal rows; empty if shadows wouldn't pay.
pub(super) fn directions(points: &Points, middle: &[f32]) -> Vec<f64> {
    let (count, d) = (points.len(), middle.len());
    if d < TIMES_FEWER * DIRECTIONS || count < FROM {
        return Vec::new();
    }
    let some = points.values((0..FROM).map(|i| count * i / FROM));
    let rows = moved_exactly(&some, middle);
    if rows.iter().any(|v| !v.is_finite()) {
        return Vec::new();
    }
    let columns = transposed(&rows, d);
    let spaced = rows.chunks_exact(d).step_by(FROM / DIRECTIONS).take(DIRECTIONS);
    let mut found = orthonormal(spaced.flatten().copied().collect(), d);
    for _ in 0..2 {
        found = orthonormal(product(&product(&found, &rows, d), &columns, FROM), d);
    }
    found
}

/// Orthonormal rows with the same span as `rows` (Gram and Schmidt, done twice because of rounding).
fn orthonormal(rows: Vec<f64>, d: usize) -> Vec<f64> {
    let mut found: Vec<f64> = Vec::with_capacity(rows.len());
    for row in rows.chunks_exact(d) {
        let mut row = row.to_vec();
        let before = dot(&row, &row);
        for _ in 0..2 {
            for other in found.chunks_exact(d) {
                let along = dot(&row, other);
                row.iter_mut().zip(other).for_each(|(v, other)| *v -= along * other);
            }
        }
        let left = dot(&row, &row);
        // If the others span a row, only rounding is left of it.
        if left > 1e-12 * before {
            let length = left.sqrt();
            found.extend(row.iter().map(|v| v / length));
        }
    }
    found
}

/// The shadows of `points`, measured from `middle`, along the `directions`.
pub(super) fn shadows(points: &Points, middle: &[f32], directions: &[f64]) -> Vec<f32> {
    let d = middle.len();
    let mut all = Vec::with_capacity(points.len() * directions.len() / d.max(1));
    if directions.is_empty() {
        return all;
    }
    for rows in few_rows_at_a_time(points.len(), d, ROWS) {
        let values = points.values(rows);
        let parts = values.par_chunks(64 * d);
        let found = parts.flat_map_iter(|part| product(&moved_exactly(part, middle), directions, d));
        all.par_extend(found.map(|v| v as f32));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};

    #[test]
    fn directions_are_orthonormal_and_hold_most_of_what_spreads() {
        // 20 of 300 dimensions in which points spread, and a little noise in all.
        let (n, d, rank) = (1500, 300, 20);
        let mut random = Random::new(1, Purpose::CHECK);
        let mix = random.normal(rank * d);
        let (z, noise) = (random.normal(n * rank), random.normal(n * d));
        let values: Vec<f32> = product(&z, &transposed(&mix, d), rank)
            .iter()
            .zip(noise)
            .map(|(v, noise)| (v + 0.01 * noise + 3.0) as f32)
            .collect();
        let points = Points::of(&values, d);
        let middle = middle(&points);
        let found = directions(&points, &middle);
        assert_eq!(found.len(), DIRECTIONS * d);
        for (at, v) in product(&found, &found, d).into_iter().enumerate() {
            let expected = f64::from(u8::from(at / DIRECTIONS == at % DIRECTIONS));
            assert!((v - expected).abs() < 1e-13);
        }
        let square = |values: &[f32]| values.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>();
        let (all, seen) = (square(&moved(&values, &middle)), square(&shadows(&points, &middle, &found)));
        assert!(seen < all && seen > 0.999 * all, "{seen} of {all}");
    }

    #[test]
    fn points_of_few_values_or_of_one_kind_have_few_shadows_or_none() {
        let of = |values: &[f32], d: usize| {
            let points = Points::of(values, d);
            let middle = middle(&points);
            let directions = directions(&points, &middle);
            (directions.len(), shadows(&points, &middle, &directions).len())
        };
        assert_eq!(of(&[1.0; 2000 * 255], 255), (0, 0));
        assert_eq!(of(&[1.0; 500 * 300], 300), (0, 0));
        assert_eq!(of(&[1.0; 2000 * 300], 300), (0, 0));
    }
}
