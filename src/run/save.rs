//! What a run writes as it goes: grids, tables, checkpoints, and the pictures drawn from them.

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

/// Pictures of the whole run are drawn again after an epoch only when this many times the time that
/// they last took has gone by.
const REPORT_SHARE: u32 = 50;

/// As [`REPORT_SHARE`], after a grid of the first epoch and at its end, which are few and waited for.
const FIRST_REPORT_SHARE: u32 = 4;

/// When the pictures of the whole run were last drawn, and how long that took.
#[derive(Default)]
pub(super) struct Reporting {
    last: Option<(Instant, Duration)>,
    /// What could not be read for it, a line each.
    left_out: Vec<String>,
}

/// Samples of the end of an epoch, and what was seen of them.
pub(super) struct LookedAt {
    pub picture: Picture,
    pub scores: Scores,
    /// Whether all are one.
    pub is_constant: bool,
    /// The shares of black and white values, of them and of real images, unless they are points.
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

    /// Whether there is to be a grid of the last step that was done, as `samples.first_step` says.
    pub(super) fn has_own_grid(&self) -> bool {
        let (step, first) = (self.gan.steps, self.recipe.samples.first_step as u64);
        let doubled = first > 0 && step.is_multiple_of(first) && (step / first).is_power_of_two();
        doubled && self.epoch_of(step) == 1 && !self.at_epoch_start()
    }

    /// What was left out of the pictures of the whole run because it can't be read, a line each.
    pub fn left_out(&self) -> &[String] {
        &self.reporting.left_out
    }

    /// The grid of the step or the epoch, the tables, the generator by itself, and last the checkpoint: what it
    /// knows of has left all its other files. None of it if a number in them is none.
    pub(super) fn save(&mut self) -> Result<()> {
        // What a step takes is not what grids and files need.
        pool::release();
        self.gan.check_finite()?;
        if self.gan.steps > 0 {
            let picture = self.picture()?;
            self.save_grid(&picture)?;
        }
        self.save_checkpoint()
    }

    /// As [`Run::save`] after the last step of an epoch or of training, or one that is to be judged, whose samples are
    /// scored; after that of an epoch the best state so far is kept, and the epoch's where it is to be. Beside the
    /// scores it gives what has gone wrong.
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
                // Something is there until an epoch has ended, but is not compared with: a run that was
                // ended here and goes on is the run that was not.
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
        // The first images are enough to tell grey ones from black and white ones.
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
            // Not by two measures in one table.
            scores.classes = None;
        }
        scores.augment_chance = self.gan.augment.as_ref().and_then(Augment::chance);
        if let (Some(classifier), Some(test)) = (&mut self.gan.classifier, self.source.test()) {
            scores.classifier_error = Some(classifier.error(test, self.recipe.data.range, self.device));
        }
        let picture = self.grid(&samples[..on_grid * size])?;
        Ok(LookedAt { picture, scores, is_constant: is_constant(some, size), extremes })
    }

    /// What has gone wrong in the epoch that has ended so.
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

    /// Whether the samples of the end of `epoch`, or of the end of training within it, are to be judged.
    fn is_judged(&self, epoch: u64) -> bool {
        let (every, last) = (self.recipe.judge.every as u64, self.recipe.training.epochs as u64);
        let due = every > 0 && (epoch.is_multiple_of(every) || epoch >= last);
        self.judging.is_some() && due || self.is_judged_within()
    }

    /// Whether the samples of the last step that was done are to be judged although it ends no epoch.
    pub(super) fn is_judged_within(&self) -> bool {
        let (step, every) = (self.gan.steps, self.recipe.judge.every_steps as u64);
        self.judging.is_some() && every > 0 && step.is_multiple_of(every) && !self.at_epoch_start()
    }

    /// What is kept of the state at the end of `epoch`.
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
            // Huge weights are numbers still, and make none.
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
            // The epoch's, if there is one, is of an earlier step.
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

    /// Draws the latest grid anew if there is none that can be read: of the others the generator is gone.
    pub(super) fn mend_grid(&mut self) -> Result<()> {
        let path = self.latest_grid();
        if self.gan.steps == 0 || Picture::read(&path).is_ok() {
            return Ok(());
        }
        write_whole(&path, &self.picture()?.to_png())
    }

    /// Real images in a grid like those of the samples, or real points on a map, to hold them against, unless they are
    /// there.
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

    /// Draws the pictures of the whole run, and its report; from the same files they are the same bytes.
    ///
    /// # Errors
    /// If the run's files can't be read, or a picture can't be written.
    pub fn write_report(&mut self) -> Result<()> {
        let start = Instant::now();
        self.reporting.left_out = summary::write(&self.folder)?;
        self.reporting.last = Some((Instant::now(), start.elapsed()));
        Ok(())
    }

    /// Draws if it was long ago, by how long drawing takes. What goes wrong is no reason to stop
    /// training: it is met again, and told, when all is drawn at the end.
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
