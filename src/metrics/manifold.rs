//! Whether samples look real, and whether they cover all that is real: precision and recall (Kynkäänniemi, Karras,
//! Laine, Lehtinen and Aila 2019), density and coverage (Naeem, Oh, Uh, Choi and Yoo 2020).
//!
//! B(x, k) is the open ball about x that reaches to its k-th nearest neighbour in its own set, not counting x itself:
//!
//! ```text
//! precision = share of samples in some B(real, 3)        recall   = share of real ones in some B(sample, 3)
//! density   = mean over samples of the number of         coverage = share of real ones whose B(real, 5)
//!             balls B(real, 5) that they are in, over 5             has a sample in it
//! ```
//!
//! All four are defined as in the package prdc, which uses one k for all of them.

use super::bootstrap::{Figure, mean_of_resampled};
use super::nearest::nearest_in_set;
use super::pairs::near_pairs;
use super::points::Points;
use crate::random::Random;
use std::sync::atomic::{AtomicBool, Ordering};

/// The number of neighbours for precision and recall.
pub const PRECISION_NEIGHBOURS: usize = 3;

/// The number of neighbours for density and coverage.
pub const COVERAGE_NEIGHBOURS: usize = 5;

/// The radii of the balls about points: see [`Overlap`].
#[derive(Clone, Debug)]
pub struct Manifold {
    /// The square of the distance to the third nearest neighbour.
    near: Vec<f64>,
    /// The square of the distance to the fifth nearest neighbour.
    far: Vec<f64>,
}

impl Manifold {
    /// The manifold of `points`.
    ///
    /// # Panics
    /// If there are fewer than 6 points.
    pub fn of(points: &Points) -> Manifold {
        let found = nearest_in_set::<COVERAGE_NEIGHBOURS>(points);
        Manifold {
            near: found.iter().map(|nearest| nearest[PRECISION_NEIGHBOURS - 1]).collect(),
            far: found.iter().map(|nearest| nearest[COVERAGE_NEIGHBOURS - 1]).collect(),
        }
    }
}

/// How samples and real points lie among each other.
///
/// The interval of each figure is from resampling the points over which it is a mean, each with what was found for it:
/// samples for precision and density, real points for recall and coverage. It doesn't account for the other neighbours
/// that other points would have.
///
/// ```
/// use minimax::metrics::{Manifold, Overlap, Points, RESAMPLING};
/// use minimax::random::Random;
///
/// let values: Vec<f32> = (0..40).map(|i| i as f32).collect();
/// let (real, samples) = (Points::of(&values, 1), Points::of(&values[..20], 1));
/// let overlap = Overlap::of((&real, &Manifold::of(&real)), (&samples, &Manifold::of(&samples)));
/// let mut random = Random::new(1, RESAMPLING);
/// assert_eq!(overlap.precision(&mut random).value, 1.0);
/// assert!(overlap.recall(&mut random).value < 0.6);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// For each sample, whether it is in some B(real, 3).
    pub precise: Vec<bool>,
    /// For each real point, whether it is in some B(sample, 3).
    pub recalled: Vec<bool>,
    /// For each sample, how many balls B(real, 5) it is in.
    pub inside: Vec<u32>,
    /// For each real point, whether there is a sample in B(real, 5).
    pub covered: Vec<bool>,
}

impl Overlap {
    /// The overlap of `real` points and `samples`, each with its manifold.
    ///
    /// # Panics
    /// If dimensions differ, or a manifold has another number of points.
    pub fn of(real: (&Points, &Manifold), samples: (&Points, &Manifold)) -> Overlap {
        let ((real, of_real), (samples, of_samples)) = (real, samples);
        assert!(
            (real.len(), samples.len()) == (of_real.near.len(), of_samples.near.len()),
            "Overlap: {} and {} points, manifolds of {} and {}",
            real.len(),
            samples.len(),
            of_real.near.len(),
            of_samples.near.len()
        );
        // Several threads may set the same flag at a time; none clears one.
        let [recalled, covered] =
            [(); 2].map(|()| -> Vec<AtomicBool> { (0..real.len()).map(|_| AtomicBool::new(false)).collect() });
        // The reach of a sample, whether it is precise and the balls that it is in.
        let mut states: Vec<(f64, bool, u32)> = of_samples.near.iter().map(|&near| (near, false, 0)).collect();
        // ANCHOR: meet
        let meet = |(reach, precise, inside): &mut (f64, bool, u32), _, place: usize, distance: f64| {
            *precise |= distance < of_real.near[place];
            if distance < of_real.far[place] {
                *inside += 1;
                covered[place].store(true, Ordering::Relaxed);
            }
            if distance < *reach {
                recalled[place].store(true, Ordering::Relaxed);
            }
        };
        // ANCHOR_END: meet
        near_pairs(samples, real, Some(&of_real.far), &mut states, |state| state.0, meet);
        let plain = |flags: Vec<AtomicBool>| flags.into_iter().map(AtomicBool::into_inner).collect();
        Overlap {
            precise: states.iter().map(|state| state.1).collect(),
            recalled: plain(recalled),
            inside: states.iter().map(|state| state.2).collect(),
            covered: plain(covered),
        }
    }

    /// The share of samples that look real.
    pub fn precision(&self, random: &mut Random) -> Figure {
        share(&self.precise, random)
    }

    /// The share of real points that are near samples.
    pub fn recall(&self, random: &mut Random) -> Figure {
        share(&self.recalled, random)
    }

    /// As precision, but samples count for more where real points lie dense; it may be above 1.
    pub fn density(&self, random: &mut Random) -> Figure {
        let balls = |times: &[u32]| mean_of_resampled(times, self.inside.iter().map(|&balls| f64::from(balls)));
        Figure::new(self.inside.len(), |times| balls(times) / COVERAGE_NEIGHBOURS as f64, random)
    }

    /// The share of real points that have samples around them.
    pub fn coverage(&self, random: &mut Random) -> Figure {
        share(&self.covered, random)
    }
}

/// The share of flags that are true.
fn share(flags: &[bool], random: &mut Random) -> Figure {
    let values = || flags.iter().map(|&flag| f64::from(u8::from(flag)));
    Figure::new(flags.len(), |times| mean_of_resampled(times, values()), random)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::RESAMPLING;
    use crate::random::Purpose;

    fn features(count: usize, d: usize, scale: f64, shift: f64, seed: u64) -> Vec<f32> {
        Random::new(seed, Purpose::CHECK).normal(count * d).iter().map(|&v| (scale * v + shift) as f32).collect()
    }

    /// Precision, recall, density and coverage.
    fn figures(real: &[f32], samples: &[f32], d: usize) -> [f64; 4] {
        let (real, samples) = (Points::of(real, d), Points::of(samples, d));
        let found = Overlap::of((&real, &Manifold::of(&real)), (&samples, &Manifold::of(&samples)));
        let mut random = Random::new(1, RESAMPLING);
        let figures = [
            found.precision(&mut random),
            found.recall(&mut random),
            found.density(&mut random),
            found.coverage(&mut random),
        ];
        for Figure { value, interval } in figures {
            assert!(interval.low <= value && value <= interval.high, "{value}, {interval:?}");
        }
        figures.map(|figure| figure.value)
    }

    #[test]
    fn samples_of_the_real_distribution_are_precise_and_cover_it() {
        let d = 6;
        let [precision, recall, density, coverage] =
            figures(&features(800, d, 1.0, 0.0, 1), &features(800, d, 1.0, 0.0, 2), d);
        assert!(precision > 0.7 && recall > 0.7, "{precision}, {recall}");
        // Naeem et al. (2020): 1 and 1 - 2⁻⁵ or so.
        assert!((density - 1.0).abs() < 0.1 && (coverage - 0.969).abs() < 0.03, "{density}, {coverage}");
    }

    #[test]
    fn far_away_samples_are_0_and_collapsed_ones_precise_without_recall() {
        let d = 6;
        let real = features(500, d, 1.0, 0.0, 1);
        assert_eq!(figures(&real, &features(500, d, 1.0, 100.0, 2), d), [0.0; 4]);
        let [precision, recall, density, coverage] = figures(&real, &features(500, d, 0.01, 0.0, 3), d);
        assert!(precision > 0.99 && density > 1.0, "{precision}, {density}");
        assert!(recall < 0.05 && coverage < 0.3, "{recall}, {coverage}");
        // One image over and over: its balls are empty.
        let one = real[..d].repeat(500);
        let [precision, recall, ..] = figures(&real, &one, d);
        assert_eq!((precision, recall), (1.0, 0.0));
    }

    /// In many dimensions nearly all of a distribution is far from its middle, and what is nearer lies in many balls.
    #[test]
    fn samples_too_near_to_the_middle_are_told_by_recall_alone() {
        let d = 32;
        let [precision, recall, density, coverage] =
            figures(&features(800, d, 1.0, 0.0, 1), &features(800, d, 0.8, 0.0, 2), d);
        assert!(precision > 0.95 && density > 3.0 && coverage > 0.95, "{precision}, {density}, {coverage}");
        assert!(recall < 0.35, "{recall}");
    }

    #[test]
    fn balls_are_counted_as_in_the_formulas() {
        let d = 2;
        let (real, samples) = (features(70, d, 1.0, 0.0, 4), features(50, d, 1.1, 0.3, 5));
        let distance = |x: &[f32], y: &[f32]| -> f64 {
            x.iter().zip(y).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum::<f64>().sqrt()
        };
        let radius = |all: &[f32], i: usize, k: usize| {
            let mut distances: Vec<f64> = all.chunks(d).map(|y| distance(&all[i * d..][..d], y)).collect();
            distances.sort_by(f64::total_cmp);
            distances[k]
        };
        let (x, y) = (|i: usize| &real[i * d..][..d], |j: usize| &samples[j * d..][..d]);
        let real_balls = |j: usize, k: usize| (0..70).filter(|&i| distance(x(i), y(j)) < radius(&real, i, k)).count();
        let precision = (0..50).filter(|&j| real_balls(j, 3) > 0).count() as f64 / 50.0;
        let density = (0..50).map(|j| real_balls(j, 5)).sum::<usize>() as f64 / 250.0;
        let recalled = |i: usize| (0..50).any(|j| distance(x(i), y(j)) < radius(&samples, j, 3));
        let covered = |i: usize| (0..50).any(|j| distance(x(i), y(j)) < radius(&real, i, 5));
        let share = |holds: &dyn Fn(usize) -> bool| (0..70).filter(|&i| holds(i)).count() as f64 / 70.0;
        let expected = [precision, share(&recalled), density, share(&covered)];
        let found = figures(&real, &samples, d);
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found}, {expected}");
        }
    }
}
