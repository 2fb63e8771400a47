//! The sliced Wasserstein distance between two sets of points (Rabin, Peyré, Delon and Bernot 2011):
//! how far the one has to be moved, on average over directions, to become the other.
//!
//! ```text
//! SW(A, B) = mean over directions u of (1/n) Σ |a'(i) - b'(i)|,    a' = sort(A·u), b' = sort(B·u)
//! ```
//!
//! In one dimension the cheapest way to move n points to n others is to pair them in order. The
//! directions are unit vectors drawn evenly from the sphere.

use crate::autograd::no_grad;
use crate::ops::{Transpose, matmul};
use crate::random::Random;
use crate::storage::Device;
use crate::tensor::Tensor;

/// Directions that are looked along.
const DIRECTIONS: usize = 256;

/// The distance between the rows of `a` and of `b`, each `[n, dimensions]`, along 256 directions
/// from `random`; 0 for equal sets, in units of the coordinates.
///
/// Compare only figures of one n: that of two samples of one distribution falls as 1/√n, not to 0.
///
/// # Panics
/// If the lengths differ or are not whole rows.
pub fn sliced_wasserstein(a: &[f32], b: &[f32], dimensions: usize, random: &mut Random) -> f64 {
    assert!(
        a.len() == b.len() && !a.is_empty() && a.len().is_multiple_of(dimensions),
        "sliced_wasserstein: {} and {} values in rows of {dimensions}",
        a.len(),
        b.len()
    );
    let n = a.len() / dimensions;
    let directions = Tensor::from_f32(
        &directions(dimensions, random),
        [DIRECTIONS, dimensions],
        Device::Cpu,
    );
    // [directions, n]: along each direction the points lie in one row.
    let projected = |points: &[f32]| {
        let points = Tensor::from_f32(points, [n, dimensions], Device::Cpu);
        let mut values = no_grad(|| matmul(&directions, &points, Transpose::B)).to_f32();
        for row in values.chunks_mut(n) {
            row.sort_by(f32::total_cmp);
        }
        values
    };
    let (a, b) = (projected(a), projected(b));
    let moved = a.iter().zip(&b).map(|(a, b)| f64::from((a - b).abs()));
    moved.sum::<f64>() / a.len() as f64
}

/// Unit vectors, `[directions, dimensions]`: normal numbers look alike from every side.
fn directions(dimensions: usize, random: &mut Random) -> Vec<f32> {
    let mut all = Vec::with_capacity(DIRECTIONS * dimensions);
    for _ in 0..DIRECTIONS {
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
        sliced_wasserstein(a, b, dimensions, &mut Random::new(1, Purpose::Metrics))
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
        let mut random = Random::new(2, Purpose::Check);
        let a: Vec<f32> = random.normal(2000).iter().map(|&v| v as f32).collect();
        let b: Vec<f32> = a.chunks(2).flat_map(|p| [p[0] + 3.0, p[1] - 4.0]).collect();
        let (found, expected) = (distance(&a, &b, 2), 2.0 * 5.0 / std::f64::consts::PI);
        // The spread of |cos| over an even circle is 0.31: four of it over √256.
        assert!(
            (found - expected).abs() < 5.0 * 4.0 * 0.31 / 16.0,
            "{found}"
        );
        assert_eq!(found, distance(&b, &a, 2));
    }
}
