//! The loop over a run's steps and epochs: what the device is asked to do, when its reports are read, and when files
//! are saved.

use super::log::EpochTime;
use super::means::Means;
use super::source::{Source, Taken};
use super::{Outcome, Progress, Run};
use crate::data::Batch;
use crate::data::pixels;
use crate::gan::real::Real;
use crate::gan::report::{Pending, kept};
use crate::recipe::OptimizerSpec;
use crate::shape::Shape;
use crate::storage::Device;
use crate::tensor::Tensor;
use crate::{Error, Result};
use std::time::{Duration, Instant};

/// A checkpoint is written at the end of each epoch, and within long ones about this often.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(60);

/// A step that the device has been asked to do.
pub(super) struct Begun {
    step: u64,
    start: Instant,
    report: Pending,
    images: usize,
    /// The learning rates of the discriminator and the generator.
    rates: [f64; 2],
}

impl Run {
    /// Trains until `last` steps are done, counted from the run's start, or until `stop` says so, and saves. `watch` is
    /// told of every step.
    ///
    /// # Errors
    /// If a loss or a weight is no longer finite, or a file can't be written. The last good checkpoint is kept.
    pub fn train(
        &mut self,
        last: u64,
        stop: &(dyn Fn() -> bool + Sync),
        watch: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<Outcome> {
        let outcome = self.steps_until(last, stop, watch);
        outcome.map_err(|error| match error {
            Error::NotFinite { what, .. } => Error::NotFinite { what, fix: kept(&self.recipe.calmer()) },
            other => other,
        })
    }

    fn steps_until(
        &mut self,
        last: u64,
        stop: &(dyn Fn() -> bool + Sync),
        watch: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<Outcome> {
        if self.gan.steps < last {
            self.log.go_on(&self.folder, &self.epochs, self.recipe.judge.every_steps)?;
        }
        let mut saved = Instant::now();
        let mut unsaved = false;
        let mut clock = self.at_epoch_start().then(|| Clock::start(&self.source));
        let mut outcome = Outcome::Finished;
        while self.gan.steps < last {
            if stop() {
                outcome = Outcome::Stopped;
                break;
            }
            if self.is_settled() {
                outcome = Outcome::Settled;
                break;
            }
            let before = self.begun.take();
            self.begin_step()?;
            unsaved = true;
            if let Some(before) = before {
                watch(&self.finish_step(before)?);
            }
            let epoch_done = self.at_epoch_start();
            let shows = epoch_done || self.has_own_grid();
            let scores = epoch_done || self.gan.steps == last || self.is_judged_within();
            let saves = shows || scores || saved.elapsed() > CHECKPOINT_EVERY;
            if !saves && matches!(self.device, Device::Cuda(_)) {
                // The device has work to do. Its report is read once the next step has been queued as well.
                continue;
            }
            let Some(begun) = self.begun.take() else { unreachable!("a step has just been begun") };
            let mut progress = self.finish_step(begun)?;
            let pause = Instant::now();
            if scores {
                let time = if epoch_done { clock.take() } else { None };
                progress.epoch_time = time.map(|clock| clock.read(&self.source));
                let (scores, alarms) = self.save_epoch(progress.epoch_time)?;
                (progress.scores, progress.alarms) = (Some(scores), alarms);
            } else if saves {
                self.save()?;
            } else {
                watch(&progress);
                continue;
            }
            (saved, unsaved) = (Instant::now(), false);
            if shows && self.gan.steps < last {
                self.write_report_now_and_then();
            }
            match &mut clock {
                _ if epoch_done => clock = Some(Clock::start(&self.source)),
                Some(clock) => clock.paused += pause.elapsed(),
                None => {}
            }
            watch(&progress);
        }
        if let Some(begun) = self.begun.take() {
            watch(&self.finish_step(begun)?);
        }
        if unsaved {
            self.save()?;
        }
        self.write_report()?;
        Ok(outcome)
    }

    /// Asks the device for the next step.
    fn begin_step(&mut self) -> Result<()> {
        let start = Instant::now();
        let step = self.epochs.batch_after(self.gan.steps);
        let measures = self.board.measures(self.gan.steps + 1);
        let numbers = self.recipe.numbers_at(self.epochs.progress(self.gan.steps));
        let rates = [&numbers.discriminator, &numbers.generator].map(OptimizerSpec::learning_rate);
        if !self.recipe.schedule.is_empty() {
            self.gan.set_numbers(&numbers);
        }
        if let Some((classifier, triple)) = self.gan.classifier.as_mut().zip(self.recipe.training.triple) {
            classifier.alone = self.epochs.progress(self.gan.steps) < triple.alone as f64;
        }
        let size = self.source.images().map(|images| [images.height, images.width, images.channels]);
        let (report, images) = match self.source.batch(step)? {
            Taken::Images(Batch { pixels: bytes, labels, .. }) => {
                let [height, width, channels] = size.expect("batches of images are of some size");
                let images = bytes.len() / (height * width * channels);
                let shape: Shape = [images, height, width, channels].into();
                let report = match &mut self.graphs {
                    Some(graphs) => graphs.begin_step(&mut self.gan, bytes, labels, shape, measures),
                    None => {
                        let images = pixels::to_tensor(bytes, shape, self.recipe.data.range, self.device);
                        let real = match self.recipe.classes() {
                            Some(classes) => Real::labelled(images, labels, classes),
                            None => Real::from(&images),
                        };
                        self.gan.begin_step(real, measures)
                    }
                };
                (report?, images)
            }
            Taken::Points(points) => {
                let real = Tensor::from_f32(&points, [points.len() / 2, 2], self.device);
                (self.gan.begin_step(&real, measures)?, points.len() / 2)
            }
        };
        self.begun = Some(Begun { step: self.gan.steps, start, report, images, rates });
        Ok(())
    }

    /// Waits for a step, and logs its report.
    fn finish_step(&mut self, begun: Begun) -> Result<Progress> {
        let report = begun.report.read()?;
        // On a device with queued steps, a step takes the time since the last one was done.
        let start = self.last_done.map_or(begun.start, |done| done.max(begun.start));
        self.last_done = Some(Instant::now());
        let took = start.elapsed();
        let images_per_second = begun.images as f64 / took.as_secs_f64();
        let (step, epoch) = (begun.step, self.epoch_of(begun.step));
        let epoch_start = self.epochs.start_of(step);
        if self.means.start() != epoch_start {
            self.means = Means::new(epoch_start);
        }
        self.g_gradient_norm = report.g_gradient_norm.or(self.g_gradient_norm);
        self.means.step(&report, begun.images, took);
        self.log.step(step, epoch, &report, images_per_second)?;
        self.board.step(step, &report, begun.rates, images_per_second)?;
        let means = self.means;
        Ok(Progress {
            step,
            epoch,
            report,
            images_per_second,
            means,
            ends_epoch: self.epochs.ends_at(step),
            epoch_time: None,
            scores: None,
            alarms: Vec::new(),
        })
    }
}

/// Measures an epoch.
struct Clock {
    start: Instant,
    waited: Duration,
    /// The time within the epoch that was not training: saving files and making pictures.
    paused: Duration,
}

impl Clock {
    fn start(source: &Source) -> Clock {
        Clock { start: Instant::now(), waited: source.waited(), paused: Duration::ZERO }
    }

    fn read(&self, source: &Source) -> EpochTime {
        EpochTime { whole: self.start.elapsed() - self.paused, waited: source.waited() - self.waited }
    }
}
