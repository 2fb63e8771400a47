//! The kernel distance (Bińkowski, Sutherland, Arbel and Gretton 2018, who take the features of Inception and call it
//! KID): the squared maximum mean discrepancy (Gretton et al. 2012) with a cubic polynomial kernel.
//!
//! ```text
//! D = mean k(x, x') + mean k(y, y') - 2 mean k(x, y)        k(x, y) = (x·y / d + 1)³
//! ```
//!
//! where x and x' are two different features of one set, y and y' two of the other and d is their length. Its
//! expectation doesn't depend on how many features there are; of one distribution it is 0, so a figure below 0 is
//! usual.
//!
//! Usually D is averaged over random subsets of 1,000. Here the means are over all pairs there are: the same
//! expectation, less spread, and no choice of subsets. (D of a subset is what torch-fidelity computes for it.)

use super::bootstrap::{Figure, RESAMPLES};
use super::points::Points;
use super::product::{product, sum_of};
use crate::random::Random;
use rayon::prelude::*;
use std::ops::Range;

/// The number of groups into which the features of a set are dealt.
const GROUPS: usize = 32;

/// Features in f64, dealt into groups, and the kernel's sums within and between these.
///
/// ```
/// use minimax::metrics::{KernelSet, Points, RESAMPLING, kernel_distance};
/// use minimax::random::Random;
///
/// let mut random = Random::new(1, RESAMPLING);
/// let [near, far] = [0.0, 3.0].map(|shift| {
///     let values: Vec<f32> = (0..64).map(|i| i as f32 / 64.0 + shift).collect();
///     KernelSet::of(&Points::of(&values, 1), &mut random)
/// });
/// assert!(kernel_distance(&near, &near, &mut random).value < 0.1);
/// assert!(kernel_distance(&near, &far, &mut random).value > 1.0);
/// ```
pub struct KernelSet {
    dimensions: usize,
    groups: Vec<Vec<f64>>,
    /// `[groups, groups]`: the kernel's sum over pairs of different features.
    sums: Vec<f64>,
}

impl KernelSet {
    /// The set of the rows of `points`, dealt in an order from `random`. Except for rounding, only the interval depends
    /// on that order.
    ///
    /// # Panics
    /// If there are fewer than two points, or they have no values.
    pub fn of(points: &Points, random: &mut Random) -> KernelSet {
        let (count, dimensions) = (points.len(), points.dimensions());
        assert!(count >= 2 && dimensions > 0, "KernelSet: {count} points of {dimensions} values");
        let order = random.permutation(count);
        let number = GROUPS.min(count);
        let part = |g: usize| count * g / number..count * (g + 1) / number;
        let rows = |part: Range<usize>| points.doubles(order[part].iter().map(|&row| row as usize));
        let groups: Vec<Vec<f64>> = (0..number).map(|g| rows(part(g))).collect();
        let pairs: Vec<(usize, usize)> = (0..number).flat_map(|g| (0..=g).map(move |h| (g, h))).collect();
        let found: Vec<f64> =
            pairs.par_iter().map(|&(g, h)| kernel_sum(&groups[g], &groups[h], dimensions, g == h)).collect();
        let mut sums = vec![0.0; number * number];
        for (&(g, h), sum) in pairs.iter().zip(found) {
            sums[g * number + h] = sum;
            sums[h * number + g] = sum;
        }
        KernelSet { dimensions, groups, sums }
    }

    /// How many features each group has.
    fn counts(&self) -> Vec<f64> {
        self.groups.iter().map(|group| (group.len() / self.dimensions) as f64).collect()
    }
}

/// Σ k(x, y) over the rows of `x` and of `y`; if they are the same rows, over pairs of different ones.
fn kernel_sum(x: &[f64], y: &[f64], dimensions: usize, same: bool) -> f64 {
    let scale = 1.0 / dimensions as f64;
    let cube = move |product: f64| {
        let v = product * scale + 1.0;
        v * v * v
    };
    let mut sum = 0.0;
    // As many rows at a time as leave their products in the cache.
    for (first, rows) in (0..).step_by(64).zip(x.chunks(64 * dimensions)) {
        let products = product(rows, y, dimensions);
        sum += sum_of(&products, &products, move |v, _| cube(v));
        if same {
            let n = y.len() / dimensions;
            let own = products.chunks_exact(n).zip(first..).map(|(row, i)| cube(row[i]));
            sum -= own.sum::<f64>();
        }
    }
    sum
}

/// The kernel distance of `b` from `a`.
///
/// For the interval, whole groups of `b` are drawn with replacement, 1,000 times, and the resamples' figures are moved
/// until their mean is D. `a` stays as it is, as the interval is about other samples `b`.
///
/// # Panics
/// If they have different dimensions.
pub fn kernel_distance(a: &KernelSet, b: &KernelSet, random: &mut Random) -> Figure {
    let dimensions = a.dimensions;
    assert!(dimensions == b.dimensions, "kernel_distance: features of {dimensions} and {} values", b.dimensions);
    // For each group of b, the sum over its pairs with all of a.
    let between: Vec<f64> = b
        .groups
        .par_iter()
        .map(|group| a.groups.iter().map(|other| kernel_sum(group, other, dimensions, false)).sum())
        .collect();
    let (in_a, in_b) = (a.counts(), b.counts());
    let all_of_a: f64 = in_a.iter().sum();
    let within_a = a.sums.iter().sum::<f64>() / (all_of_a * (all_of_a - 1.0));
    let number = in_b.len();
    let distance = |times: &[u32]| {
        let weight = |g: usize| f64::from(times[g]);
        let [mut within, mut pairs, mut across, mut count] = [0.0; 4];
        for g in (0..number).filter(|&g| times[g] > 0) {
            for h in (0..number).filter(|&h| times[h] > 0) {
                // A group that is drawn twice is paired with itself as one group is: no feature is paired with itself.
                within += weight(g) * weight(h) * b.sums[g * number + h];
                let own = if g == h { in_b[g] } else { 0.0 };
                pairs += weight(g) * weight(h) * (in_b[g] * in_b[h] - own);
            }
            across += weight(g) * between[g];
            count += weight(g) * in_b[g];
        }
        // If groups have one feature each, a resample may consist of a single feature, which has no pairs.
        let within = if pairs == 0.0 { 0.0 } else { within / pairs };
        within_a + within - 2.0 * across / (count * all_of_a)
    };
    Figure::centred(number, RESAMPLES, distance, random)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::RESAMPLING;
    use crate::random::Purpose;

    fn features(count: usize, dimensions: usize, shift: f32, seed: u64) -> Vec<f32> {
        Random::new(seed, Purpose::CHECK).normal(count * dimensions).iter().map(|&v| v as f32 + shift).collect()
    }

    fn found(a: &[f32], b: &[f32], dimensions: usize, seed: u64) -> Figure {
        let mut random = Random::new(seed, RESAMPLING);
        let [a, b] = [a, b].map(|values| KernelSet::of(&Points::of(values, dimensions), &mut random));
        kernel_distance(&a, &b, &mut random)
    }

    #[test]
    fn the_distance_is_that_of_the_formula() {
        // More rows than are worked on at a time, and fewer than there are groups.
        for (m, n, d) in [(150, 2300, 3), (5, 2, 4), (70, 70, 9)] {
            let (a, b) = (features(m, d, 0.0, 1), features(n, d, 0.5, 2));
            let k = |x: &[f32], y: &[f32]| {
                let product: f64 = x.iter().zip(y).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum();
                (product / d as f64 + 1.0).powi(3)
            };
            let mean = |x: &[f32], y: &[f32], same: bool| {
                let [mut sum, mut pairs] = [0.0; 2];
                for (i, x) in x.chunks(d).enumerate() {
                    for (_, y) in y.chunks(d).enumerate().filter(|&(j, _)| !same || i != j) {
                        sum += k(x, y);
                        pairs += 1.0;
                    }
                }
                sum / pairs
            };
            let expected = mean(&a, &a, true) + mean(&b, &b, true) - 2.0 * mean(&a, &b, false);
            let distance = found(&a, &b, d, 1).value;
            assert!((distance - expected).abs() < 1e-11 * expected.abs().max(1.0), "{m}, {n}: {distance}, {expected}");
            // Another deal into groups changes only rounding.
            assert!((found(&a, &b, d, 2).value - distance).abs() < 1e-11);
        }
    }

    /// Over many pairs of sets of one distribution, of few features each, D is 0 on average; a biased one would be
    /// (k(x, x) - mean k) · 2/n, far from it.
    #[test]
    fn equal_distributions_are_0_apart_on_average() {
        let (n, d) = (20, 6);
        let found: Vec<f64> = (0..200)
            .map(|seed| {
                found(&features(n, d, 0.0, 2 * seed + 100), &features(n, d, 0.0, 2 * seed + 101), d, seed).value
            })
            .collect();
        let mean = found.iter().sum::<f64>() / 200.0;
        let spread = (found.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 199.0).sqrt();
        assert!(mean.abs() < 3.0 * spread / 200f64.sqrt(), "{mean} ± {spread}");
        assert!(mean.abs() < 0.1, "{mean}");
    }

    #[test]
    fn the_interval_is_as_wide_as_other_samples_are_apart() {
        let (n, d) = (640, 8);
        let mut random = Random::new(1, RESAMPLING);
        let a = KernelSet::of(&Points::of(&features(2000, d, 0.0, 1), d), &mut random);
        let mut of = |seed| {
            let b = KernelSet::of(&Points::of(&features(n, d, 0.2, seed), d), &mut random);
            kernel_distance(&a, &b, &mut random)
        };
        let found: Vec<Figure> = (100..200).map(&mut of).collect();
        let mean = found.iter().map(|f| f.value).sum::<f64>() / 100.0;
        let spread = (found.iter().map(|f| (f.value - mean).powi(2)).sum::<f64>() / 99.0).sqrt();
        let width = found.iter().map(|f| f.interval.high - f.interval.low).sum::<f64>() / 100.0;
        let ratio = width / (2.0 * 1.96 * spread);
        assert!((0.8..1.25).contains(&ratio), "{ratio}: {mean} ± {spread}, {width}");
        assert!(found.iter().all(|f| f.interval.low < f.value && f.value < f.interval.high));
    }
}
