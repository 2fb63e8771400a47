//! The Frechet distance of two sets of features (Heusel, Ramsauer, Unterthiner, Nessler and Hochreiter 2017): the
//! Wasserstein-2 distance, squared, of the two normal distributions that have their means μ and covariances A and B
//! (Dowson and Landau 1982).
//!
//! ```text
//! F = |μ_a - μ_b|² + Tr(A + B - 2 (A B)^½)        Tr (A B)^½ = Tr (√A B √A)^½ = Σ √λ(√A B √A)
//! ```
//!
//! √A B √A is symmetric and has no eigenvalue below 0, whether or not A and B are singular.
//!
//! For n samples F is too large by about c/n, with a c that depends on the generator: F(n) ≈ F(∞) + c/n. The line
//! through F for several n, as a function of 1/n, is F(∞) at 0 (Chong and Forsyth 2020).

use super::bootstrap::Figure;
use super::eigen::{eigen, roots, square_root};
use super::points::Points;
use super::product::{dot, product};
use crate::random::Random;
use rayon::prelude::*;
use std::ops::Range;

/// Rows that are summed at a time.
const ROWS: usize = 256;

/// The number of groups into which samples are dealt.
const GROUPS: usize = 120;

/// The number of points of the fitted line, for numbers of samples from a tenth of all on.
const SIZES: usize = 15;

/// The number of resamples for an interval.
const RESAMPLES: usize = 200;

/// Mean and covariance of features.
///
/// ```
/// use minimax::metrics::{Moments, Points, frechet_distance};
///
/// let moments = |values: &[f32]| Moments::of(&Points::of(values, 1));
/// let (a, b) = (moments(&[-1.0, 1.0]), moments(&[2.0, 4.0]));
/// assert!((frechet_distance(&a, &b) - 9.0).abs() < 1e-9);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// The number of rows.
    pub count: usize,
    /// `[dimensions]`.
    pub mean: Vec<f64>,
    /// `[dimensions, dimensions]`, the sum of products over n - 1.
    pub covariance: Vec<f64>,
}

impl Moments {
    /// The moments of the rows of `points`.
    ///
    /// # Panics
    /// If there are fewer than two rows, or rows have no values.
    pub fn of(points: &Points) -> Moments {
        let all: Vec<u32> = (0..points.len() as u32).collect();
        let parts: Vec<Range<usize>> =
            (0..points.len()).step_by(ROWS).map(|start| start..points.len().min(start + ROWS)).collect();
        let shift = mean(points);
        let mut sums = Sums::zero(points.dimensions());
        // A few parts at a time, which are shared among threads.
        for parts in parts.chunks(16) {
            let found = sums_of(points, &all, parts, &shift);
            found.iter().for_each(|part| sums.add(part, 1.0));
        }
        sums.moments(&shift)
    }
}

/// The mean of each column.
fn mean(points: &Points) -> Vec<f64> {
    let mut mean = vec![0.0; points.dimensions()];
    for start in (0..points.len()).step_by(ROWS) {
        let rows = points.doubles(start..points.len().min(start + ROWS));
        for row in rows.chunks_exact(points.dimensions()) {
            mean.iter_mut().zip(row).for_each(|(sum, v)| *sum += v);
        }
    }
    mean.iter_mut().for_each(|sum| *sum /= points.len() as f64);
    mean
}

/// Sums over some rows x, less a shift s, so that little cancels.
struct Sums {
    count: f64,
    /// Σ (x - s)
    first: Vec<f64>,
    /// Σ (x - s)(x - s)ᵀ
    second: Vec<f64>,
}

impl Sums {
    fn zero(dimensions: usize) -> Sums {
        Sums { count: 0.0, first: vec![0.0; dimensions], second: vec![0.0; dimensions * dimensions] }
    }

    /// The sums of `rows` `[n, dimensions]`.
    fn of(rows: &[f64], shift: &[f64]) -> Sums {
        let (dimensions, n) = (shift.len(), rows.len() / shift.len());
        let mut across = vec![0.0; rows.len()];
        for (i, row) in rows.chunks_exact(dimensions).enumerate() {
            row.iter().zip(shift).enumerate().for_each(|(j, (x, s))| across[j * n + i] = x - s);
        }
        Sums {
            count: n as f64,
            first: across.chunks_exact(n).map(|column| column.iter().sum()).collect(),
            second: product(&across, &across, n),
        }
    }

    /// Adds `other` as if its rows were there `times` times.
    fn add(&mut self, other: &Sums, times: f64) {
        self.count += times * other.count;
        self.first.iter_mut().zip(&other.first).for_each(|(sum, v)| *sum += times * v);
        self.second.iter_mut().zip(&other.second).for_each(|(sum, v)| *sum += times * v);
    }

    fn moments(self, shift: &[f64]) -> Moments {
        let Sums { count, first, second: mut covariance } = self;
        assert!(count >= 2.0 && !shift.is_empty(), "Moments: {count} points of {} values", shift.len());
        for (i, row) in covariance.chunks_exact_mut(shift.len()).enumerate() {
            let products = first.iter().map(|v| first[i] * v / count);
            row.iter_mut().zip(products).for_each(|(sum, product)| *sum = (*sum - product) / (count - 1.0));
        }
        let mean = first.iter().zip(shift).map(|(v, s)| s + v / count).collect();
        Moments { count: count as usize, mean, covariance }
    }
}

/// The sums of each part of the rows in `order`.
fn sums_of(points: &Points, order: &[u32], parts: &[Range<usize>], shift: &[f64]) -> Vec<Sums> {
    let read = |part: &Range<usize>| points.doubles(order[part.clone()].iter().map(|&row| row as usize));
    let rows: Vec<Vec<f64>> = parts.iter().map(read).collect();
    rows.into_par_iter().map(|rows| Sums::of(&rows, shift)).collect()
}

/// The Frechet distance of two sets from their moments, in squared units of the features: 0 for equal ones.
///
/// # Panics
/// If they have different dimensions, or values that are not finite.
pub fn frechet_distance(a: &Moments, b: &Moments) -> f64 {
    Origin::new(a).distance(b)
}

/// The set from which distances are measured: its moments, and the root of its covariance.
struct Origin<'a> {
    moments: &'a Moments,
    root: Vec<f64>,
}

impl<'a> Origin<'a> {
    fn new(moments: &'a Moments) -> Origin<'a> {
        Origin { moments, root: square_root(&moments.covariance, moments.mean.len()) }
    }

    // ANCHOR: distance
    fn distance(&self, other: &Moments) -> f64 {
        let (a, b, n) = (self.moments, other, other.mean.len());
        assert!(a.mean.len() == n, "frechet_distance: features of {} and {n} dimensions", a.mean.len());
        let between: Vec<f64> = a.mean.iter().zip(&b.mean).map(|(a, b)| a - b).collect();
        let inner = product(&product(&self.root, &b.covariance, n), &self.root, n);
        // Symmetric, except for rounding.
        let inner: Vec<f64> = (0..n * n).map(|at| 0.5 * (inner[at] + inner[at % n * n + at / n])).collect();
        let cross: f64 = roots(&eigen(&inner, n, false).values).sum();
        let trace = |m: &Moments| m.covariance.iter().step_by(n + 1).sum::<f64>();
        // Rounding can make the distance of equal sets negative.
        (dot(&between, &between) + trace(a) + trace(b) - 2.0 * cross).max(0.0)
    }
    // ANCHOR_END: distance
}

/// A Frechet distance of samples, with its interval and an estimate for infinitely many samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrechetDistance {
    /// The distance of all samples. The interval is where 95% of the distances of as many other samples of the same
    /// generator would lie. It is about which samples came, not about the excess that all distances of so few samples
    /// have.
    pub distance: Figure,
    /// An estimate of the distance of infinitely many samples; it can be negative where it is little more than noise.
    pub extrapolated: f64,
}

/// The distance of `samples` from `real`, with its interval and its limit.
///
/// Samples are dealt into 120 groups in an order from `random`. The limit is a least-squares line of F over 1/n,
/// through 15 numbers of samples, the first 12 to 120 groups. There is no correction for the finite number of real
/// images. For the interval, whole groups are drawn with replacement, 200 times. As a resample has fewer different
/// samples than there are, its distance is too large; so the resamples' distances are moved until their mean is the
/// distance itself.
///
/// # Panics
/// If there are fewer than 20 samples, if dimensions differ, or values are not finite.
pub fn frechet_of_samples(real: &Moments, samples: &Points, random: &mut Random) -> FrechetDistance {
    let count = samples.len();
    assert!(count >= 20, "frechet_of_samples: {count} samples are too few");
    let groups = GROUPS.min(count / 2);
    let order = random.permutation(count);
    let parts: Vec<Range<usize>> = (0..groups).map(|g| count * g / groups..count * (g + 1) / groups).collect();
    let shift = mean(samples);
    let sums: Vec<Sums> = parts.chunks(16).flat_map(|parts| sums_of(samples, &order, parts, &shift)).collect();
    let origin = Origin::new(real);
    let distance_of = |times: &[u32]| {
        let mut all = Sums::zero(shift.len());
        let resampled = sums.iter().zip(times).filter(|&(_, &times)| times > 0);
        resampled.for_each(|(sums, &times)| all.add(sums, f64::from(times)));
        origin.distance(&all.moments(&shift))
    };
    let first = |groups_taken: usize| -> Vec<u32> { (0..groups).map(|g| u32::from(g < groups_taken)).collect() };
    let least = groups.div_ceil(10);
    let sizes: Vec<usize> = (0..SIZES).map(|i| least + (groups - least) * i / (SIZES - 1)).collect();
    let line: Vec<(f64, f64)> =
        sizes.into_par_iter().map(|taken| (1.0 / parts[taken - 1].end as f64, distance_of(&first(taken)))).collect();
    FrechetDistance {
        distance: Figure::centred(groups, RESAMPLES, distance_of, random),
        extrapolated: intercept(&line),
    }
}

/// The value at x = 0 of the least-squares line through `points` (x, y).
fn intercept(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let [x, y] = [points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n];
    let across: f64 = points.iter().map(|p| (p.0 - x) * (p.0 - x)).sum();
    let along: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    if across == 0.0 { y } else { y - x * along / across }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Interval, RESAMPLING};
    use crate::random::Purpose;

    /// Normal features with a different spread in each dimension, the last `dead` of which are 0.
    fn features(count: usize, dimensions: usize, dead: usize, seed: u64) -> Vec<f32> {
        let mut values: Vec<f32> =
            Random::new(seed, Purpose::CHECK).normal(count * dimensions).iter().map(|&v| v as f32).collect();
        for row in values.chunks_mut(dimensions) {
            for j in 0..dimensions {
                row[j] *= if j + dead < dimensions { 1.0 + j as f32 / 4.0 } else { 0.0 };
            }
        }
        values
    }

    fn moments(values: &[f32], dimensions: usize) -> Moments {
        Moments::of(&Points::of(values, dimensions))
    }

    #[test]
    fn moments_are_those_of_the_formula() {
        // More rows than one part, far from 0.
        let (n, d) = (1000, 5);
        let values: Vec<f32> = features(n, d, 0, 1).iter().map(|v| v + 100.0).collect();
        let found = moments(&values, d);
        assert_eq!(found.count, n);
        for i in 0..d {
            let column = |i: usize| values.iter().skip(i).step_by(d).map(|&v| f64::from(v));
            let mean = |i: usize| column(i).sum::<f64>() / n as f64;
            assert!((found.mean[i] - mean(i)).abs() < 1e-11);
            for j in 0..d {
                let products = column(i).zip(column(j)).map(|(x, y)| (x - mean(i)) * (y - mean(j)));
                assert!((found.covariance[i * d + j] - products.sum::<f64>() / (n - 1) as f64).abs() < 1e-11);
            }
        }
    }

    /// A tenth of them, with which the line begins, has a covariance of a rank far below its size.
    #[test]
    fn fewer_samples_than_dimensions_have_a_distance_too() {
        for (count, dimensions) in [(20, 64), (60, 128), (150, 128), (400, 128)] {
            let (real, some) = (features(500, dimensions, 0, 1), features(count, dimensions, 0, 2));
            let real = moments(&real, dimensions);
            let mut random = Random::new(3, RESAMPLING);
            let FrechetDistance { distance, extrapolated } =
                frechet_of_samples(&real, &Points::of(&some, dimensions), &mut random);
            assert!(distance.value > 0.0 && extrapolated.is_finite(), "{count} of {dimensions}");
        }
    }

    /// Of equal sets 0, of a shifted one the square of the shift, of a scaled one Σ σ² (1 - s)²; with singular
    /// covariances too.
    #[test]
    fn distances_that_are_known() {
        for (count, dead) in [(500, 0), (500, 6), (10, 0)] {
            let d = 16;
            let values = features(count, d, dead, 2);
            let real = moments(&values, d);
            let trace: f64 = real.covariance.iter().step_by(d + 1).sum();
            assert!(frechet_distance(&real, &real) < 1e-9 * trace, "{count}, {dead}");
            let shifted: Vec<f32> = values.iter().enumerate().map(|(i, v)| v + [3.0, 4.0][i % 2]).collect();
            let expected = 25.0 * 8.0;
            let found = frechet_distance(&real, &moments(&shifted, d));
            assert!((found - expected).abs() < 1e-5 * expected, "{count}, {dead}: {found}");
            let scaled: Vec<f32> = values.iter().map(|v| v * 1.5).collect();
            let scaled = moments(&scaled, d);
            let means: f64 = real.mean.iter().map(|m| (0.5 * m).powi(2)).sum();
            let expected = means + 0.25 * trace;
            let found = [frechet_distance(&real, &scaled), frechet_distance(&scaled, &real)];
            assert!(found.iter().all(|f| (f - expected).abs() < 1e-6 * expected), "{count}, {dead}: {found:?}");
        }
    }

    #[test]
    fn the_limit_of_samples_of_the_same_distribution_is_nearer_to_0() {
        let d = 16;
        let real = moments(&features(50_000, d, 0, 3), d);
        let values = features(1000, d, 0, 4);
        let found = frechet_of_samples(&real, &Points::of(&values, d), &mut Random::new(1, RESAMPLING));
        let plain = frechet_distance(&real, &moments(&values, d));
        assert!((found.distance.value - plain).abs() < 1e-9 * plain, "{found:?}, {plain}");
        assert!(found.extrapolated.abs() < 0.4 * plain, "{found:?}");
        let Interval { low, high } = found.distance.interval;
        assert!(low < plain && plain < high && high < 3.0 * plain, "{found:?}");
    }

    /// The interval of one set of samples is about as wide as what distances of other sets differ by.
    #[test]
    fn the_interval_is_as_wide_as_other_samples_are_apart() {
        let d = 8;
        let real = moments(&features(20_000, d, 0, 5), d);
        let samples = |seed| -> Vec<f32> { features(600, d, 0, seed).iter().map(|v| v * 1.1 + 0.2).collect() };
        let others: Vec<f64> = (100..500).map(|seed| frechet_distance(&real, &moments(&samples(seed), d))).collect();
        let mean = others.iter().sum::<f64>() / 400.0;
        let spread = (others.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 399.0).sqrt();
        let width = |seed| {
            let values = samples(seed);
            let found = frechet_of_samples(&real, &Points::of(&values, d), &mut Random::new(seed, RESAMPLING));
            found.distance.interval.high - found.distance.interval.low
        };
        let width = (10..20).map(width).sum::<f64>() / 10.0 / (2.0 * 1.96 * spread);
        assert!((0.75..1.3).contains(&width), "{width} of {spread} about {mean}");
    }

    #[test]
    fn a_line_meets_the_axis() {
        assert!((intercept(&[(1.0, 5.0), (2.0, 7.0), (3.0, 9.0)]) - 3.0).abs() < 1e-12);
        assert_eq!(intercept(&[(0.5, 2.0), (0.5, 4.0)]), 3.0);
    }
}
