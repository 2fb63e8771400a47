//! The tables of a run: `log.csv`, with a row per step, and `epochs.csv`, with a row per epoch and for each step within
//! an epoch that is judged. Losses, outputs, scores and seconds have seven significant digits; rows that an older
//! version has written to six decimals stay as they are. Where there is no number the field is empty.

use super::epochs::Epochs;
use super::folder;
use super::scores::Scores;
use super::table::{Columns, Table, field};
use crate::Result;
use crate::gan::report::StepReport;
use std::path::Path;
use std::time::Duration;

/// `g_loss` is empty in steps in which only the critic moved. `wasserstein_estimate`, minus the critic's loss without
/// its penalty, is empty with any other loss than Wasserstein, and `c_loss` with two players.
const STEPS: &str = "step,epoch,d_loss,g_loss,d_real,d_fake,images_per_second,wasserstein_estimate,c_loss";

/// `seconds` and `data_wait_seconds` are empty for an epoch that was interrupted or is not finished.
/// The next three are empty where samples were not judged, the next five where a set has no modes: `good_share` is of
/// points of the plane, the divergences of stacked sets; `asked_class` is of conditional games, `classifier_error` of
/// games of three, `augment_chance` of adaptive augmentation. Floors are the scores of real ones.
const EPOCHS: &str = "step,epoch,seconds,data_wait_seconds,sliced_wasserstein,classes_present,\
                      frechet_distance,frechet_floor,confidence,\
                      modes_found,modes_floor,modes_divergence,divergence_floor,good_share,\
                      sliced_floor,classes_floor,asked_class,asked_floor,classifier_error,augment_chance";

/// Both tables.
pub struct Log {
    steps: Table,
    epochs: Table,
}

/// How long an epoch took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochTime {
    /// The time from before its first step to after its last, without saving and making pictures.
    pub whole: Duration,
    /// The part of it that was spent waiting for data.
    pub waited: Duration,
}

impl Log {
    /// The tables in `folder`, from which rows after step `last` are removed.
    ///
    /// # Errors
    /// If they can't be read or written.
    pub fn open(folder: &Path, last: u64) -> Result<Log> {
        let known = |step: u64| step <= last;
        Ok(Log {
            steps: Table::open(&folder.join(folder::LOG), STEPS, known)?,
            epochs: Table::open(&folder.join(folder::EPOCHS), EPOCHS, known)?,
        })
    }

    /// Appends the row of `step`, counted from 1.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn step(&mut self, step: u64, epoch: u64, report: &StepReport, images_per_second: f64) -> Result<()> {
        let StepReport { d_loss, g_loss, c_loss, d_real, d_fake, wasserstein, .. } = *report;
        let [d_loss, g_loss, c_loss, d_real, d_fake, wasserstein] =
            [Some(d_loss), g_loss, c_loss, Some(d_real), Some(d_fake), wasserstein].map(field);
        self.steps.append(&format!(
            "{step},{epoch},{d_loss},{g_loss},{d_real},{d_fake},{images_per_second:.1},{wasserstein},{c_loss}"
        ))
    }

    /// Appends the row of `epoch`, after its last step, the last that is trained, or one that is judged.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn epoch(&mut self, step: u64, epoch: u64, time: Option<EpochTime>, scores: &Scores) -> Result<()> {
        let seconds = field(time.map(|time| time.whole.as_secs_f64()));
        let waited = field(time.map(|time| time.waited.as_secs_f64()));
        let distance = field(Some(scores.sliced_wasserstein));
        let sliced_floor = field(scores.sliced_floor);
        let classes = scores.classes.as_ref().map(|shares| [shares.present(), shares.classes()]);
        let [present, of] = classes.map_or([String::new(), String::new()], |classes| classes.map(|n| n.to_string()));
        let judged = scores.judged;
        let [frechet, floor, confidence, good, asked, asked_floor, error, chance] = [
            judged.map(|judged| judged.frechet_distance),
            judged.and_then(|judged| judged.frechet_floor),
            judged.map(|judged| judged.confidence),
            scores.found.map(|found| found.good),
            judged.and_then(|judged| judged.asked_class),
            judged.and_then(|judged| judged.asked_floor),
            scores.classifier_error,
            scores.augment_chance,
        ]
        .map(field);
        let [found, most] = [scores.modes_found(), scores.modes_floor()]
            .map(|modes| modes.map_or(String::new(), |modes| modes.to_string()));
        let modes = [judged.and_then(|judged| judged.modes), judged.and_then(|judged| judged.modes_floor)];
        let [divergence, least] = modes.map(|modes| field(modes.map(|modes| modes.divergence)));
        self.epochs.append(&format!(
            "{step},{epoch},{seconds},{waited},{distance},{present},{frechet},{floor},{confidence},\
             {found},{most},{divergence},{least},{good},{sliced_floor},{of},{asked},{asked_floor},{error},{chance}"
        ))
    }

    /// The last step in which the generator moved, by the `rows` of the table of steps; 0 if none.
    pub fn last_generator_step(rows: &Columns) -> u64 {
        let moved = rows.points("step", "g_loss");
        moved.last().map_or(0, |&(step, _)| step as u64)
    }

    /// Drops the row of an epoch in whose middle training was ended, now that it goes on, unless it is one of those
    /// that are written every so many steps.
    ///
    /// # Errors
    /// If the table can't be written.
    pub fn go_on(&mut self, folder: &Path, epochs: &Epochs, every_steps: usize) -> Result<()> {
        // Of the steps before the origin it has been done.
        let whole = |step: u64| step < epochs.origin.step || epochs.ends_at(step);
        let judged = |step: u64| every_steps > 0 && step.is_multiple_of(every_steps as u64);
        self.epochs.sync()?;
        self.epochs = Table::open(&folder.join(folder::EPOCHS), EPOCHS, |step| whole(step) || judged(step))?;
        Ok(())
    }

    /// Puts every row on the disk.
    ///
    /// # Errors
    /// If they can't be written.
    pub fn sync(&mut self) -> Result<()> {
        self.steps.sync()?;
        self.epochs.sync()
    }
}
