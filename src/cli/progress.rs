//! What the user sees of training: on a terminal a progress bar, elsewhere plain lines, and a line for each epoch with
//! means over its steps.

use super::bar;
use crate::run::means::Means;
use crate::run::scores::Scores;
use crate::run::{Progress, Run};
use crate::terminal;
use indicatif::ProgressBar;
use std::time::{Duration, Instant};

/// How often a plain line is printed within an epoch.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The terminal, or the log to which the output goes.
pub(super) struct Screen {
    bar: Option<ProgressBar>,
    epochs: u64,
    first: u64,
    last: u64,
    images_per_second: f64,
    /// The generator's latest loss: with a critic loop most steps have none.
    g_loss: Option<f64>,
    start: Instant,
    line: Instant,
}

impl Screen {
    /// The screen for training `run` until step `last`.
    pub(super) fn new(run: &Run, last: u64) -> Screen {
        Screen {
            bar: bar::counting(last, "").map(|bar| bar.with_position(run.steps())),
            epochs: run.epoch_of(last),
            first: run.steps(),
            last,
            images_per_second: 0.0,
            g_loss: None,
            start: Instant::now(),
            line: Instant::now(),
        }
    }

    /// Shows a step.
    pub(super) fn step(&mut self, progress: &Progress) {
        let Progress { step, report, images_per_second, .. } = progress;
        // A running mean over about twenty steps, which a person can read.
        let weight = 1.0 / (step - self.first).min(20) as f64;
        self.images_per_second += weight * (images_per_second - self.images_per_second);
        self.g_loss = report.g_loss.or(self.g_loss);
        if let Some(bar) = &self.bar {
            bar.set_position(*step);
            bar::label(bar, "", &self.now(progress));
        }
        if let Some(scores) = &progress.scores {
            self.say(&self.epoch(progress, scores));
            progress.alarms.iter().for_each(|alarm| bar::say_parts(self.bar.as_ref(), &[format!("alarm: {alarm}")]));
        } else if self.bar.is_none() && self.line.elapsed() > LINE_EVERY {
            let mut parts = vec![format!("step {step}/{}", self.last)];
            parts.extend(self.now(progress));
            self.say(&parts);
        }
    }

    /// The state of training, the most important numbers first.
    fn now(&self, progress: &Progress) -> Vec<String> {
        let Progress { step, epoch, report, .. } = progress;
        let mut parts = vec![
            format!("{} left", self.time_left(*step)),
            format!("D {}", short(report.d_loss)),
            format!("G {}", self.g_loss.map_or("-".into(), short)),
            format!("{:.0} images/s", self.images_per_second),
            format!("epoch {epoch}/{}", self.epochs),
            format!("D(x) {:.2}", report.d_real),
            format!("D(G(z)) {:.2}", report.d_fake),
        ];
        parts.extend(report.wasserstein.map(estimate));
        parts.extend(report.c_loss.map(|loss| format!("C {}", short(loss))));
        parts
    }

    /// The epoch so far, its means, and the scores of its samples.
    fn epoch(&self, progress: &Progress, scores: &Scores) -> Vec<String> {
        let Progress { step, epoch, means, .. } = progress;
        let mut parts = match progress.ends_epoch {
            true => vec![format!("epoch {epoch}/{}", self.epochs)],
            false => vec![format!("step {step}/{}, epoch {epoch}", self.last)],
        };
        // A bar shows it better.
        if self.bar.is_none() {
            parts.push(format!("{} left", self.time_left(*step)));
        }
        parts.extend(means_words(means));
        if let Some(time) = progress.epoch_time {
            parts.push(format!("{:.1} s an epoch", time.whole.as_secs_f64()));
        }
        parts.extend(score_words(scores));
        parts
    }

    fn say(&mut self, parts: &[String]) {
        self.line = Instant::now();
        bar::say_parts(self.bar.as_ref(), parts);
    }

    fn time_left(&self, step: u64) -> String {
        let (done, rest) = ((step - self.first).max(1), self.last - step);
        terminal::time(self.start.elapsed().as_secs_f64() / done as f64 * rest as f64)
    }

    /// Removes the bar.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The means of an epoch.
fn means_words(means: &Means) -> Vec<String> {
    let two = |value: f64| format!("{value:.2}");
    let parts = [
        means.d_loss().map(|loss| format!("D loss {}", short(loss))),
        means.g_loss().map(|loss| format!("G loss {}", short(loss))),
        means.c_loss().map(|loss| format!("C loss {}", short(loss))),
        means.d_real().map(|output| format!("D(x) {}", two(output))),
        means.d_fake().map(|output| format!("D(G(z)) {}", two(output))),
        means.wasserstein().map(estimate),
        means.images_per_second().map(|rate| format!("{rate:.0} images/s")),
    ];
    parts.into_iter().flatten().collect()
}

fn estimate(wasserstein: f64) -> String {
    format!("W estimate {}", short(wasserstein))
}

/// A loss in few columns: four significant digits, three decimals at most.
fn short(loss: f64) -> String {
    let decimals = match loss.abs() {
        size if size < 9.9995 => 3,
        size if size < 99.995 => 2,
        size if size < 999.95 => 1,
        _ => 0,
    };
    match loss.abs() < 1e6 {
        true => format!("{loss:.decimals$}"),
        false => format!("{loss:.1e}"),
    }
}

/// The scores of the samples, in a few words.
fn score_words(scores: &Scores) -> Vec<String> {
    let mut parts = vec![match scores.judged {
        Some(judged) => format!("Frechet {}", short(judged.frechet_distance)),
        None => format!("sliced Wasserstein {:.4}", scores.sliced_wasserstein),
    }];
    parts.extend(scores.classifier_error.map(|error| format!("test error {:.2}%", 100.0 * error)));
    if let Some(modes) = scores.judged.and_then(|judged| judged.modes) {
        parts.push(format!("{} of {} modes", modes.found, modes.all));
        parts.push(format!("KL {}", short(modes.divergence)));
    } else if let Some(shares) = &scores.classes {
        parts.push(format!("{} of {} classes", shares.present(), shares.classes()));
    }
    if let Some(found) = &scores.found {
        parts.push(format!("{} of {} modes", found.modes, found.of));
        parts.push(format!("{:.0}% good", 100.0 * found.good));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_takes_seven_columns_at_most() {
        for (loss, text) in [
            (0.7134, "0.713"),
            (-0.00001, "-0.000"),
            (9.9996, "10.00"),
            (-12.345, "-12.35"),
            (123.45, "123.5"),
            (-54321.0, "-54321"),
            (1.25e30, "1.2e30"),
        ] {
            assert_eq!(short(loss), text);
            assert!(text.len() <= 7);
        }
    }
}
