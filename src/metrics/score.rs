//! A classifier's opinion of samples: the score (Salimans, Goodfellow, Zaremba, Cheung, Radford and Chen 2016, who
//! take Inception and call it the Inception score) and its confidence.
//!
//! ```text
//! score      = exp(mean over x of KL(p(y|x) ‖ p(y))) = exp(H(p(y)) - mean H(p(y|x)))        p(y) = mean p(y|x)
//! confidence = mean over x of the largest p(y|x)
//! ```
//!
//! The score is between 1 and the number of classes. It is high where each sample is clearly of some class and all
//! classes appear equally often.

use super::bootstrap::{Figure, RESAMPLES, mean_of_resampled};
use crate::random::Random;

/// The classifier score of samples with the probabilities `[n, classes]`, each row of which sums to 1. Its interval
/// is from resampling the samples. The score of a resample, which has fewer different samples, is a little too small;
/// so the interval is moved until the resamples' mean is the score itself.
///
/// ```
/// use minimax::metrics::{RESAMPLING, classifier_score};
/// use minimax::random::Random;
///
/// let sure_and_even = [1.0, 0.0, 0.0, 1.0].repeat(50);
/// let score = classifier_score(&sure_and_even, 2, &mut Random::new(1, RESAMPLING));
/// assert!((score.value - 2.0).abs() < 1e-12);
/// ```
///
/// # Panics
/// If there are no samples, or `probabilities` doesn't consist of whole rows.
pub fn classifier_score(probabilities: &[f32], classes: usize, random: &mut Random) -> Figure {
    let rows = rows(probabilities, classes, "classifier_score");
    let entropies: Vec<f64> = rows.clone().map(|row| entropy(row.iter().map(|&p| f64::from(p)))).collect();
    // ANCHOR: score
    let score = |times: &[u32]| {
        let mut marginal = vec![0.0; classes];
        for (row, &times) in rows.clone().zip(times).filter(|&(_, &times)| times > 0) {
            marginal.iter_mut().zip(row).for_each(|(sum, &p)| *sum += f64::from(times) * f64::from(p));
        }
        let whole: f64 = marginal.iter().sum();
        let all = entropy(marginal.iter().map(|p| p / whole));
        libm::exp(all - mean_of_resampled(times, entropies.iter().copied()))
    };
    // ANCHOR_END: score
    Figure::centred(rows.len(), RESAMPLES, score, random)
}

/// The mean of the largest probability of each sample, with probabilities as for [`classifier_score`].
///
/// # Panics
/// If there are no samples, or `probabilities` doesn't consist of whole rows.
pub fn confidence(probabilities: &[f32], classes: usize, random: &mut Random) -> Figure {
    Figure::mean(&largest(probabilities, classes), random)
}

/// The largest probability of each sample, with probabilities as for [`classifier_score`].
///
/// # Panics
/// As [`confidence`].
pub fn largest(probabilities: &[f32], classes: usize) -> Vec<f64> {
    let rows = rows(probabilities, classes, "confidence");
    rows.map(|row| f64::from(row.iter().copied().fold(0.0, f32::max))).collect()
}

fn rows<'a>(
    probabilities: &'a [f32],
    classes: usize,
    what: &str,
) -> impl ExactSizeIterator<Item = &'a [f32]> + Clone + Sync {
    assert!(
        classes > 0 && !probabilities.is_empty() && probabilities.len().is_multiple_of(classes),
        "{what}: {} probabilities of {classes} classes",
        probabilities.len()
    );
    probabilities.chunks_exact(classes)
}

/// H = -Σ p ln p, in nats.
pub(super) fn entropy(probabilities: impl Iterator<Item = f64>) -> f64 {
    -probabilities.filter(|&p| p > 0.0).map(|p| p * libm::log(p)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::RESAMPLING;

    fn score(probabilities: &[f32], classes: usize) -> f64 {
        let Figure { value, interval } = classifier_score(probabilities, classes, &mut Random::new(1, RESAMPLING));
        assert!(interval.low <= value + 1e-12 && value <= interval.high + 1e-12, "{value}, {interval:?}");
        value
    }

    #[test]
    fn scores_that_are_known() {
        let sure = |class: usize| -> Vec<f32> { (0..4).map(|c| f32::from(u8::from(c == class))).collect() };
        let all: Vec<f32> = (0..400).flat_map(|i| sure(i % 4)).collect();
        assert!((score(&all, 4) - 4.0).abs() < 1e-12);
        assert!((score(&sure(2).repeat(50), 4) - 1.0).abs() < 1e-12);
        assert!((score(&[0.25; 80], 4) - 1.0).abs() < 1e-12);
        // Two classes, [0.9, 0.1] and [0.1, 0.9]: ln 2 - H(0.9).
        let unsure = [0.9, 0.1, 0.1, 0.9].repeat(100);
        let expected = libm::log(2.0) + 0.9 * libm::log(0.9) + 0.1 * libm::log(0.1);
        assert!((score(&unsure, 2) - libm::exp(expected)).abs() < 1e-7);
        let found = confidence(&unsure, 2, &mut Random::new(1, RESAMPLING));
        assert!((found.value - 0.9).abs() < 1e-7 && found.interval.high - found.interval.low < 1e-7);
    }
}
