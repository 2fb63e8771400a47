//! How much a figure would vary with other samples from the same source: the bootstrap (Efron 1979). The rows at hand
//! stand for the source. Again and again, as many rows as there are get drawn from them with replacement (a
//! *resample*), and the figure is computed for each resample.
//!
//! ```text
//! interval = from the 2.5th to the 97.5th percentile of the figures
//! ```

use crate::random::{Position, Random, WORDS_AT_ONCE};
use rayon::prelude::*;

/// The number of resamples for a figure that is cheap to compute.
pub(super) const RESAMPLES: usize = 1000;

/// The range of 95% of the resamples' figures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// A figure with its 95% interval.
///
/// ```
/// use minimax::metrics::{Figure, RESAMPLING};
/// use minimax::random::Random;
///
/// let figure = Figure::mean(&[1.0, 2.0, 3.0, 4.0], &mut Random::new(1, RESAMPLING));
/// assert_eq!(figure.value, 2.5);
/// assert!(figure.interval.low < 2.5 && 2.5 < figure.interval.high);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    /// The figure of the rows at hand.
    pub value: f64,
    /// The range in which it would probably be for other rows.
    pub interval: Interval,
}

impl Figure {
    /// The value of `figure`, with its interval from 1,000 resamples. `figure` is told how many times each of `rows`
    /// rows is drawn.
    ///
    /// # Panics
    /// If there are no rows.
    pub fn new(rows: usize, figure: impl Fn(&[u32]) -> f64 + Sync, random: &mut Random) -> Figure {
        Figure { value: figure(&vec![1; rows]), interval: percentiles(figures(rows, RESAMPLES, figure, random)) }
    }

    /// The mean of `values`, each of which is a row.
    ///
    /// # Panics
    /// If there are no values.
    pub fn mean(values: &[f64], random: &mut Random) -> Figure {
        Figure::new(values.len(), |times| mean_of_resampled(times, values.iter().copied()), random)
    }

    // ANCHOR: centred
    /// As [`Figure::new`] from this number of `resamples`, with the interval moved so that the mean of the resamples'
    /// figures is the value. That is for a figure that depends on how many different rows there are, which is off in
    /// the same way in all resamples.
    pub(super) fn centred(
        rows: usize,
        resamples: usize,
        figure: impl Fn(&[u32]) -> f64 + Sync,
        random: &mut Random,
    ) -> Figure {
        let value = figure(&vec![1; rows]);
        let figures = figures(rows, resamples, figure, random);
        let moved = value - figures.iter().sum::<f64>() / resamples as f64;
        let Interval { low, high } = percentiles(figures);
        Figure { value, interval: Interval { low: low + moved, high: high + moved } }
    }
    // ANCHOR_END: centred
}

/// The figure of each resample.
fn figures(rows: usize, resamples: usize, figure: impl Fn(&[u32]) -> f64 + Sync, random: &mut Random) -> Vec<f64> {
    assert!(rows > 0, "bootstrap: there are no rows to draw from");
    let starts: Vec<Position> = (0..resamples).map(|_| random.reserve(rows)).collect();
    let of = |times: &mut Vec<u32>, start: &Position| {
        times.fill(0);
        resample(*start, times);
        figure(times)
    };
    starts.par_iter().map_init(|| vec![0; rows], of).collect()
}

/// Draws as many rows as there are, and counts how many times each is drawn.
fn resample(start: Position, times: &mut [u32]) {
    let rows = times.len();
    for first in (0..rows).step_by(WORDS_AT_ONCE) {
        let words = start.words_at_once(first as u64 / 4);
        for word in &words[..WORDS_AT_ONCE.min(rows - first)] {
            times[((u64::from(*word) * rows as u64) >> 32) as usize] += 1;
        }
    }
}

/// The 2.5th and the 97.5th percentile, interpolated linearly between figures.
fn percentiles(mut figures: Vec<f64>) -> Interval {
    figures.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = share * (figures.len() - 1) as f64;
        let below = figures[place as usize];
        let above = figures[(place as usize + 1).min(figures.len() - 1)];
        below + place.fract() * (above - below)
    };
    Interval { low: at(0.025), high: at(0.975) }
}

/// Σ times · value / Σ times: a figure that is a mean over rows.
pub(super) fn mean_of_resampled(times: &[u32], values: impl Iterator<Item = f64>) -> f64 {
    let sum: f64 = times.iter().zip(values).map(|(&times, value)| f64::from(times) * value).sum();
    sum / times.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::RESAMPLING;
    use crate::random::Purpose;

    /// A mean's interval is ±1.96 σ/√n.
    #[test]
    fn the_interval_of_a_mean_is_known() {
        let n = 4000;
        let values = Random::new(1, Purpose::CHECK).normal(n);
        let mean = values.iter().sum::<f64>() / n as f64;
        let of = |times: &[u32]| mean_of_resampled(times, values.iter().copied());
        let found = Figure::new(n, of, &mut Random::new(2, RESAMPLING));
        let moved = Figure::centred(n, RESAMPLES, of, &mut Random::new(2, RESAMPLING));
        let expected = 1.96 / (n as f64).sqrt();
        for Figure { value, interval: Interval { low, high } } in [found, moved] {
            assert!((value - mean).abs() < 1e-12);
            for half in [mean - low, high - mean] {
                assert!((half / expected - 1.0).abs() < 0.15, "[{low}, {high}] about {mean}, ±{expected}");
            }
        }
    }

    #[test]
    fn every_resample_has_as_many_rows_and_all_rows_are_drawn_alike() {
        let rows = 101;
        let totals = std::sync::Mutex::new(vec![0u32; rows]);
        let counted = |times: &[u32]| {
            totals.lock().unwrap().iter_mut().zip(times).for_each(|(total, times)| *total += times);
            f64::from(times.iter().sum::<u32>())
        };
        let found = Figure::new(rows, counted, &mut Random::new(3, RESAMPLING));
        assert_eq!(found, Figure { value: 101.0, interval: Interval { low: 101.0, high: 101.0 } });
        // 1,001 expected of each, give or take 32.
        assert!(totals.into_inner().unwrap().iter().all(|&total| (850..1150).contains(&total)));
    }

    #[test]
    fn percentiles_lie_between_figures() {
        let figures = (0..=1000).rev().map(|i| f64::from(i) / 1000.0).collect();
        let Interval { low, high } = percentiles(figures);
        assert!((low - 0.025).abs() < 1e-12 && (high - 0.975).abs() < 1e-12);
        assert_eq!(percentiles(vec![3.0]), Interval { low: 3.0, high: 3.0 });
    }
}
