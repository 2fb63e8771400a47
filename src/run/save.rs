//! What a run writes as it goes: grids, tables, checkpoints, and the report made from them.

use super::Run;
use super::alarms::{Epoch, extremes, is_constant};
use super::checkpoint::{self, Best};
use super::folder::{self, Moment};
use super::latents;
use super::log::EpochTime;
use super::map::real_map;
use super::scores::{self, Judged, Scores, score};
use super::summary;
use crate::cpu::pool;
use crate::data::Images;
use crate::data::pixels;
use crate::files::write_whole;
use crate::gan::augment::Augment;
use crate::gan::model::sample_each;
use crate::gan::report::not_finite;
use crate::metrics::COMPARISON;
use crate::random::Random;
use crate::recipe::LossSpec;
use crate::report::{Picture, columns_for, grid};
use crate::{Error, Result};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// After an epoch the report is written again only if this many times the time that it last took has passed.
const REPORT_SHARE: u32 = 50;

/// As [`REPORT_SHARE`], for grids of the first epoch and its end, which are few and which people wait for.
const FIRST_REPORT_SHARE: u32 = 4;

/// When the report was last written, and how long that took.
#[derive(Default)]
pub(super) struct Reporting {
    last: Option<(Instant, Duration)>,
    /// What could not be read for it, one line each.
    left_out: Vec<String>,
}

/// Samples of the end of an epoch, and what was found out about them.
pub(super) struct LookedAt {
    pub picture: Picture,
    pub scores: Scores,
    /// Whether all are the same.
    pub is_constant: bool,
    /// The shares of black and white values in them and in real images, unless they are points.
    pub extremes: Option<[f64; 2]>,
}

impl Run {
    /// The latest sample grid.
    pub fn latest_grid(&self) -> PathBuf {
        let step = self.gan.steps;
        let moment = match self.has_own_grid() {
            true => Moment::Step(step),
            false => Moment::Epoch(self.epoch_of(step)),
        };
        folder::grid(&self.folder, moment)
    }

    /// Whether the latest step gets a grid of its own, as `samples.first_step` says.
    pub(super) fn has_own_grid(&self) -> bool {
        let (step, first) = (self.gan.steps, self.recipe.samples.first_step as u64);
        let doubled = first > 0 && step.is_multiple_of(first) && (step / first).is_power_of_two();
        doubled && self.epoch_of(step) == 1 && !self.at_epoch_start()
    }

    /// What was left out of the report because it can't be read, one line each.
    pub fn left_out(&self) -> &[String] {
        &self.reporting.left_out
    }

    /// Writes the grid of the step or the epoch, the tables, the generator by itself, and last the checkpoint, so that
    /// every step that the checkpoint knows has left all its other files. Nothing is written if a number in them is not
    /// finite.
    pub(super) fn save(&mut self) -> Result<()> {
        // Grids and files need other memory than steps do.
        pool::release();
        self.gan.check_finite()?;
        if self.gan.steps > 0 {
            let picture = self.picture()?;
            self.save_grid(&picture)?;
        }
        self.save_checkpoint()
    }

    /// As [`Run::save`], after the last step of an epoch or of training, or after one that is judged: its samples are
    /// scored too. After an epoch, the best state so far is kept, and so is the epoch's if that was asked for. Besides
    /// the scores it returns what has gone wrong.
    pub(super) fn save_epoch(&mut self, time: Option<EpochTime>) -> Result<(Scores, Vec<String>)> {
        pool::release();
        self.gan.check_finite()?;
        let (step, epoch) = (self.gan.steps, self.epoch_of(self.gan.steps));
        let looked_at = match self.source.plane() {
            Some(plane) => self.look_at_points(plane)?,
            None => self.look_at_images(epoch)?,
        };
        self.save_grid(&looked_at.picture)?;
        let scores = &looked_at.scores;
        self.log.epoch(step, epoch, time, scores)?;
        let mut alarms = Vec::new();
        if self.at_epoch_start() {
            alarms = self.alarms(&looked_at);
            self.keep(epoch, time, scores)?;
        } else {
            if self.is_judged_within() {
                self.board.epoch(step, None, scores)?;
            }
            if self.best.is_none() {
                // Until an epoch has ended this is only a stand-in, with which nothing is compared: a run that is
                // stopped here and resumed is the same as one that was not stopped.
                self.write_checkpoint(folder::BEST)?;
            }
        }
        self.save_checkpoint()?;
        Ok((looked_at.scores, alarms))
    }

    /// The images of the fixed latents after `epoch`, scored, and judged if that is due.
    fn look_at_images(&mut self, epoch: u64) -> Result<LookedAt> {
        let real = self.real_images();
        let count = real.len().min(scores::SAMPLES);
        let (size, on_grid) = (real.image_len(), self.recipe.samples.count);
        let judged = if self.is_judged(epoch) { self.recipe.judge.samples } else { 0 };
        let samples = self.sample(count.max(on_grid).max(judged))?;
        let some = &samples[..count * size];
        let real = self.source.images().expect("points are looked at elsewhere");
        // The first images are enough to see whether there are greys or only black and white.
        let like = &real.pixels[..real.pixels.len().min(some.len())];
        let extremes = Some([some, like].map(extremes));
        let seed = self.recipe.training.seed;
        let mut scores = score(some, real, seed);
        scores.sliced_floor = *self.sliced_floor.get_or_insert_with(|| scores::sliced_floor(count, real, seed));
        if let (Some(judging), true) = (&mut self.judging, judged > 0) {
            let asked = latents::classes(&self.recipe, judged, on_grid);
            let images = self.source.images().expect("as above");
            let score = judging.score(&samples[..judged * size], &asked, images);
            scores.judged = Some(Judged {
                frechet_distance: score.frechet_distance,
                frechet_floor: judging.floor().map(|floor| floor.frechet_distance),
                confidence: score.confidence,
                asked_class: score.asked_class,
                asked_floor: score.asked_class.and(judging.floor()).and_then(|floor| floor.asked_class),
                modes: score.modes,
                modes_floor: judging.floor().and_then(|floor| floor.modes),
            });
            scores.classes = Some(score.classes);
        } else if self.judging.is_some() {
            // One table must not mix two measures.
            scores.classes = None;
        }
        scores.augment_chance = self.gan.augment.as_ref().and_then(Augment::chance);
        if let (Some(classifier), Some(test)) = (&mut self.gan.classifier, self.source.test()) {
            scores.classifier_error = Some(classifier.error(test, self.recipe.data.range, self.device));
        }
        let picture = self.grid(&samples[..on_grid * size])?;
        Ok(LookedAt { picture, scores, is_constant: is_constant(some, size), extremes })
    }

    /// What has gone wrong in the epoch that has just ended.
    fn alarms(&mut self, looked_at: &LookedAt) -> Vec<String> {
        let scores = &looked_at.scores;
        self.alarms.epoch(&Epoch {
            means: &self.means,
            gives_probabilities: matches!(self.recipe.training.loss, LossSpec::Bce | LossSpec::Minimax),
            g_gradient_norm: self.g_gradient_norm,
            classes: scores.classes.as_ref().map(|shares| [shares.present(), shares.classes()]),
            modes: scores.modes_found().zip(scores.modes_floor()).map(|(found, floor)| [found, floor]),
            is_constant: looked_at.is_constant,
            extremes: looked_at.extremes,
        })
    }

    /// Whether the samples at the end of `epoch`, or at the end of training within it, are judged.
    fn is_judged(&self, epoch: u64) -> bool {
        let (every, last) = (self.recipe.judge.every as u64, self.recipe.training.epochs as u64);
        let due = every > 0 && (epoch.is_multiple_of(every) || epoch >= last);
        self.judging.is_some() && due || self.is_judged_within()
    }

    /// Whether the samples of the latest step are judged although it doesn't end an epoch.
    pub(super) fn is_judged_within(&self) -> bool {
        let (step, every) = (self.gan.steps, self.recipe.judge.every_steps as u64);
        self.judging.is_some() && every > 0 && step.is_multiple_of(every) && !self.at_epoch_start()
    }

    /// Keeps the state at the end of `epoch`, if it is the best or is to be kept for good.
    fn keep(&mut self, epoch: u64, time: Option<EpochTime>, scores: &Scores) -> Result<()> {
        self.board.epoch(self.gan.steps, time, scores)?;
        if let Some(distance) = scores.distance(self.judging.is_some())
            && self.best.as_ref().is_none_or(|best| distance < best.distance)
        {
            let judge = self.judging.as_ref().map(|judging| judging.identity().to_string());
            self.best = Some(Best { distance, epoch: Some(epoch), judge });
            self.write_checkpoint(folder::BEST)?;
        }
        match self.keep_every {
            Some(every) if epoch.is_multiple_of(every) => self.write_checkpoint(&folder::kept(epoch)),
            _ => Ok(()),
        }
    }

    pub(super) fn save_checkpoint(&mut self) -> Result<()> {
        self.log.sync()?;
        self.board.sync()?;
        self.record.save(&self.folder)?;
        let generator = self.folder.join(folder::GENERATOR);
        checkpoint::save_generator(&generator, &self.gan, &self.recipe)?;
        self.write_checkpoint(folder::CHECKPOINT)
    }

    fn write_checkpoint(&self, name: &str) -> Result<()> {
        let path = self.folder.join(name);
        checkpoint::save(&path, &self.gan, &self.recipe, self.device, self.data, self.best.as_ref(), self.epochs.origin)
    }

    /// `count` images from the run's fixed latents, as bytes; the first are the same for any count.
    fn sample(&mut self, count: usize) -> Result<Vec<u8>> {
        let latents = latents::fixed(&self.recipe, self.recipe.training.seed, count, self.recipe.samples.count);
        let (batch, range) = (self.recipe.training.batch_size, self.recipe.data.range);
        let (step, device) = (self.gan.steps, self.device);
        let mut bytes = Vec::new();
        sample_each(self.gan.sampled_mut(), &latents, batch, device, |images| {
            // Huge weights are still finite, but their images may not be.
            if images.to_f32().iter().any(|v| !v.is_finite()) {
                return Err(not_finite(step, "the generator's images are not finite"));
            }
            bytes.extend(pixels::to_bytes(images, range));
            Ok(())
        })?;
        Ok(bytes)
    }

    fn save_grid(&mut self, picture: &Picture) -> Result<()> {
        write_whole(&self.latest_grid(), &picture.to_png())?;
        if self.has_own_grid() {
            // The epoch's grid, if there is one, is of an earlier step.
            folder::remove_grid(&self.folder, Moment::Epoch(1))?;
        }
        self.board.grid(self.gan.steps, picture)
    }

    /// Samples of the fixed latents: a grid of images, or a map of points.
    fn picture(&mut self) -> Result<Picture> {
        let count = self.recipe.samples.count;
        match self.source.plane() {
            Some(plane) => {
                let samples = self.sample_points(count)?;
                Ok(self.map(plane, &samples))
            }
            None => {
                let samples = self.sample(count)?;
                self.grid(&samples)
            }
        }
    }

    /// Makes the latest grid again if it can't be read. The others can't be made again, as their generators are gone.
    pub(super) fn mend_grid(&mut self) -> Result<()> {
        let path = self.latest_grid();
        if self.gan.steps == 0 || Picture::read(&path).is_ok() {
            return Ok(());
        }
        write_whole(&path, &self.picture()?.to_png())
    }

    /// Writes real images as a grid like those of the samples, or real points on a map, for comparison, unless the file
    /// exists.
    pub(super) fn save_real(&self) -> Result<()> {
        let path = folder::real_grid(&self.folder);
        if Picture::read(&path).is_ok() {
            return Ok(());
        }
        let (count, seed) = (self.recipe.samples.count, self.recipe.training.seed);
        let picture = match self.source.plane() {
            Some(plane) => real_map(plane, count, seed),
            None => {
                let real = self.real_images();
                let order = Random::new(seed, COMPARISON).permutation(real.len());
                let picked = order.iter().cycle().take(count);
                let pixels: Vec<u8> = picked.flat_map(|&index| real.image(index as usize)).copied().collect();
                self.grid(&pixels)?
            }
        };
        write_whole(&path, &picture.to_png())
    }

    /// The images of a run that has no points.
    fn real_images(&self) -> &Images {
        self.source.images().expect("points are looked at elsewhere")
    }

    fn grid(&self, pixels: &[u8]) -> Result<Picture> {
        let Images { height, width, channels, .. } = *self.real_images();
        let columns = columns_for(self.recipe.samples.count, self.recipe.classes());
        grid(pixels, height, width, channels, columns).map_err(|what| {
            let fix = "lower samples.count";
            Error::text("recipe", &self.recipe.name, format!("{what}; {fix}"))
        })
    }

    /// Writes the pictures of the whole run and its report, which depend only on the run's files, byte for byte.
    ///
    /// # Errors
    /// If the run's files can't be read, or a picture can't be written.
    pub fn write_report(&mut self) -> Result<()> {
        let start = Instant::now();
        self.reporting.left_out = summary::write(&self.folder)?;
        self.reporting.last = Some((Instant::now(), start.elapsed()));
        Ok(())
    }

    /// Writes the report if the last one was long enough ago, in proportion to the time that it takes. An error doesn't
    /// stop training: it occurs again, and is reported, when the report is written at the end.
    pub(super) fn write_report_now_and_then(&mut self) {
        let share = match self.epoch_of(self.gan.steps) {
            1 => FIRST_REPORT_SHARE,
            _ => REPORT_SHARE,
        };
        let due = |(last, took): (Instant, Duration)| last.elapsed() > share * took;
        if self.reporting.last.is_none_or(due) && self.write_report().is_err() {
            self.reporting.last = Some((Instant::now(), Duration::from_secs(1)));
        }
    }
}
