//! Means over the steps of an epoch.

use super::table::{Columns, rounded};
use crate::gan::report::StepReport;
use std::time::Duration;

/// The columns of `log.csv` whose means are taken.
const COLUMNS: [&str; 6] = ["d_loss", "g_loss", "d_real", "d_fake", "wasserstein_estimate", "c_loss"];

/// Means over the steps of an epoch that are done. They are those of the numbers in `log.csv`, as these are rounded
/// there, so that a run that was stopped within the epoch comes to the same; only the rate is of the steps of this
/// process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Means {
    /// Steps that were done when the epoch began.
    start: u64,
    sums: [f64; 6],
    counts: [u64; 6],
    images: usize,
    training: Duration,
}

impl Means {
    /// The means before the first step of the epoch that began after `start` steps.
    pub(super) fn new(start: u64) -> Means {
        Means { start, ..Means::default() }
    }

    /// The means of the rows of `log.csv` after step `start`, at which the epoch began.
    pub(super) fn of_rows(rows: &Columns, start: u64) -> Means {
        let mut means = Means::new(start);
        for (index, column) in COLUMNS.into_iter().enumerate() {
            for (step, value) in rows.points("step", column) {
                if step > start as f64 {
                    means.add(index, value);
                }
            }
        }
        means
    }

    /// Steps that were done when the epoch began.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// Adds a step with this many real images, which took this long.
    pub(super) fn step(&mut self, report: &StepReport, images: usize, took: Duration) {
        let StepReport { d_loss, g_loss, c_loss, d_real, d_fake, wasserstein, .. } = *report;
        let values = [Some(d_loss), g_loss, Some(d_real), Some(d_fake), wasserstein, c_loss];
        for (index, value) in values.into_iter().enumerate() {
            if let Some(value) = value {
                self.add(index, rounded(value));
            }
        }
        self.images += images;
        self.training += took;
    }

    fn add(&mut self, index: usize, value: f64) {
        self.sums[index] += value;
        self.counts[index] += 1;
    }

    fn mean(&self, index: usize) -> Option<f64> {
        (self.counts[index] > 0).then(|| self.sums[index] / self.counts[index] as f64)
    }

    /// The discriminator's loss.
    pub fn d_loss(&self) -> Option<f64> {
        self.mean(0)
    }

    /// The generator's loss, over the steps in which it moved.
    pub fn g_loss(&self) -> Option<f64> {
        self.mean(1)
    }

    /// D(x).
    pub fn d_real(&self) -> Option<f64> {
        self.mean(2)
    }

    /// D(G(z)).
    pub fn d_fake(&self) -> Option<f64> {
        self.mean(3)
    }

    /// The critic's estimate of the Wasserstein distance, if there is a critic.
    pub fn wasserstein(&self) -> Option<f64> {
        self.mean(4)
    }

    /// The classifier's loss, in a game of three.
    pub fn c_loss(&self) -> Option<f64> {
        self.mean(5)
    }

    /// Real images per second of training, without saving and making pictures, over the epoch's steps in this process.
    pub fn images_per_second(&self) -> Option<f64> {
        let seconds = self.training.as_secs_f64();
        (seconds > 0.0).then(|| self.images as f64 / seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(step: u64) -> StepReport {
        let value = 1.0 / (step as f64 + 0.7);
        StepReport {
            d_loss: value,
            g_loss: step.is_multiple_of(3).then_some(-2.0 * value),
            c_loss: None,
            d_real: 0.5 + value / 4.0,
            d_fake: 1e-9 * value,
            wasserstein: None,
            d_gradient_norm: None,
            g_gradient_norm: None,
        }
    }

    #[test]
    fn the_means_of_an_epoch_that_was_stopped_within_are_those_of_one_that_was_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = crate::run::log::Log::open(folder.path(), 0).unwrap();
        let mut whole = Means::new(10);
        for step in 1..=25 {
            log.step(step, step.div_ceil(10), &report(step), 100.0).unwrap();
            if step > 10 {
                whole.step(&report(step), 8, Duration::from_millis(20));
            }
        }
        log.sync().unwrap();
        let path = folder.path().join(crate::run::folder::LOG);
        let mut parts = Means::of_rows(&Columns::read(&path).unwrap(), 10);
        for step in 26..=30 {
            for means in [&mut whole, &mut parts] {
                means.step(&report(step), 8, Duration::from_millis(20));
            }
        }
        assert_eq!((parts.sums, parts.counts), (whole.sums, whole.counts));
        let values: Vec<f64> = (11..=30).map(|step| report(step).d_loss).collect();
        let mean = values.iter().sum::<f64>() / 20.0;
        assert!((whole.d_loss().unwrap() - mean).abs() < 1e-7 * mean);
        assert_eq!(whole.counts, [20, 7, 20, 20, 0, 0]);
        assert!(whole.d_fake().unwrap() > 1e-11 && whole.wasserstein().is_none());
        assert!((whole.images_per_second().unwrap() - 400.0).abs() < 1e-9);
        assert_eq!(Means::new(3).g_loss(), None);
    }
}
