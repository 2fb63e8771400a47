//! The sliced Wasserstein distance between two sets of points (Rabin, Peyré, Delon and Bernot 2011):
//! how far one has to be moved, on average over directions, to become the other.
//!
//! ```text
//! SW(A, B) = mean over directions u of (1/n) Σ |a'(i) - b'(i)|,    a' = sort(A·u), b' = sort(B·u)
//! ```
//!
//! In one dimension the cheapest way to move n points to n others is to pair them in order. The directions are unit
//! vectors, uniformly distributed on the sphere.

use super::points::{Points, rows_at_a_time};
use crate::autograd::no_grad;
use crate::ops::{Transpose, matmul};
use crate::random::Random;
use crate::storage::Device;
use crate::tensor::Tensor;

/// The number of directions.
const DIRECTIONS: usize = 256;

/// The distance between the rows of `a` and of `b`, each `[n, dimensions]`, along 256 directions
/// from `random`; 0 for equal sets, in units of the coordinates.
///
/// Compare only figures for the same n: the distance between two samples of one distribution falls as 1/√n and is not
/// 0.
///
/// # Panics
/// If there are no points, or the two sets have different numbers of points or dimensions.
pub fn sliced_wasserstein(a: &Points, b: &Points, random: &mut Random) -> f64 {
    assert!(
        a.len() == b.len() && !a.is_empty() && a.dimensions() == b.dimensions(),
        "sliced_wasserstein: {} and {} points of {} and {} values",
        a.len(),
        b.len(),
        a.dimensions(),
        b.dimensions()
    );
    let (n, dimensions) = (a.len(), a.dimensions());
    let mut moved = 0.0;
    for directions in rows_at_a_time(DIRECTIONS, dimensions) {
        let count = directions.len();
        let directions = Tensor::from_f32(&unit_vectors(count, dimensions, random), [count, dimensions], Device::Cpu);
        let (a, b) = (projected(a, &directions), projected(b, &directions));
        for (a, b) in a.chunks(n).zip(b.chunks(n)) {
            let pairs = a.iter().zip(b);
            moved = pairs.fold(moved, |sum, (a, b)| sum + f64::from((a - b).abs()));
        }
    }
    moved / (DIRECTIONS * n) as f64
}

/// The sorted positions of `points` along each of `directions`: `[directions, n]`.
fn projected(points: &Points, directions: &Tensor) -> Vec<f32> {
    let n = points.len();
    let mut all = vec![0.0; directions.dims()[0] * n];
    for rows in rows_at_a_time(n, points.dimensions()) {
        let some = points.tensor(rows.clone());
        let values = no_grad(|| matmul(directions, &some, Transpose::B)).to_f32();
        let lines = all.chunks_mut(n).zip(values.chunks(rows.len()));
        lines.for_each(|(line, values)| line[rows.clone()].copy_from_slice(values));
    }
    for line in all.chunks_mut(n) {
        line.sort_by(f32::total_cmp);
    }
    all
}

/// `count` unit vectors. They are uniform, as a normal distribution is the same in every direction.
fn unit_vectors(count: usize, dimensions: usize, random: &mut Random) -> Vec<f32> {
    let mut all = Vec::with_capacity(count * dimensions);
    for _ in 0..count {
        let direction = random.normal(dimensions);
        let length = direction.iter().map(|v| v * v).sum::<f64>().sqrt();
        all.extend(direction.iter().map(|v| (v / length) as f32));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    fn distance(a: &[f32], b: &[f32], dimensions: usize) -> f64 {
        let (a, b) = (Points::of(a, dimensions), Points::of(b, dimensions));
        sliced_wasserstein(&a, &b, &mut Random::new(1, crate::metrics::COMPARISON))
    }

    #[test]
    fn the_order_of_points_does_not_count() {
        let a = [1.0, 2.0, -3.0, 0.5, 0.0, 4.0];
        let b = [0.0, 4.0, 1.0, 2.0, -3.0, 0.5];
        assert_eq!(distance(&a, &b, 2), 0.0);
    }

    /// A shift by s is seen along u as |s·u|, whose mean over the circle is 2|s|/π.
    #[test]
    fn a_shift_in_the_plane_is_known() {
        let mut random = Random::new(2, Purpose::CHECK);
        let a: Vec<f32> = random.normal(2000).iter().map(|&v| v as f32).collect();
        let b: Vec<f32> = a.chunks(2).flat_map(|p| [p[0] + 3.0, p[1] - 4.0]).collect();
        let (found, expected) = (distance(&a, &b, 2), 2.0 * 5.0 / std::f64::consts::PI);
        // The spread of |cos| over an even circle is 0.31: four of it over √256.
        assert!((found - expected).abs() < 5.0 * 4.0 * 0.31 / 16.0, "{found}");
        assert_eq!(found, distance(&b, &a, 2));
    }
}
