//! A training run: how it begins, and how it goes on after a stop. `training.rs` is its loop over steps and epochs,
//! [`folder`] has the names of the files that it leaves, and `save.rs` writes them.

mod alarms;
pub mod change;
pub mod checkpoint;
pub mod curves;
pub mod epochs;
pub mod folder;
pub mod history;
mod init;
pub mod interpolation;
pub mod judging;
pub mod latents;
pub mod log;
mod map;
pub mod means;
pub mod memory;
pub mod ownership;
mod save;
pub mod scores;
mod source;
pub mod summary;
pub mod table;
pub mod tensorboard;
pub mod trace;
mod training;

use self::alarms::Alarms;
use self::checkpoint::{Best, Checkpoint, DataIdentity};
use self::epochs::{Epochs, Origin};
use self::folder::Lock;
use self::history::Record;
use self::init::init;
use self::judging::Judging;
use self::log::{EpochTime, Log};
use self::means::Means;
use self::save::Reporting;
use self::scores::Scores;
use self::source::Source;
use self::table::Columns;
use self::tensorboard::TensorBoard;
use self::training::Begun;
use crate::data::plane::Plane;
use crate::data::{DIGITS, Images, digits};
use crate::files::{is_file, write_whole};
use crate::gan::graph::Graphs;
use crate::gan::model::Gan;
use crate::gan::report::StepReport;
use crate::judge::{self, Judge};
use crate::recipe::{Difference, OptimizerSpec, Recipe};
use crate::storage::Device;
use crate::terminal::excerpt;
use crate::unwind::catch;
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A run that can be trained: see [`Run::create`], [`Run::resume`] and [`Run::train`].
pub struct Run {
    /// If given, a checkpoint is kept for good after every n-th epoch, besides the best and the last.
    pub keep_every: Option<u64>,
    /// If given, training ends once this many epochs in a row were compared with the best and weren't better.
    pub patience: Option<u64>,
    /// What a person should know about the data and about how the run begins or goes on, one line each.
    pub notes: Vec<String>,
    folder: PathBuf,
    recipe: Recipe,
    device: Device,
    gan: Gan,
    /// The captured steps, on a device that has graphs.
    graphs: Option<Graphs>,
    /// The latest step, if its report is not known yet.
    begun: Option<Begun>,
    /// When a step's report was last known.
    last_done: Option<Instant>,
    source: Source,
    epochs: Epochs,
    data: DataIdentity,
    log: Log,
    /// The means of the epoch to which the last step belongs.
    means: Means,
    board: TensorBoard,
    /// The score of the best epoch's samples.
    best: Option<Best>,
    /// The judge of the samples, if the data set has one.
    judging: Option<Judging>,
    alarms: Alarms,
    /// The sliced Wasserstein distance of real images, once it has been measured.
    sliced_floor: Option<Option<f64>>,
    /// The norm of G's gradient when it was last measured.
    g_gradient_norm: Option<f64>,
    reporting: Reporting,
    record: Record,
    /// Keeps a second process out of the folder.
    _lock: Lock,
}

/// The report of a step that has just been done.
pub struct Progress {
    /// The number of steps done since the run was first started.
    pub step: u64,
    /// The epoch that the step belongs to, counted from 1.
    pub epoch: u64,
    /// The numbers of the step.
    pub report: StepReport,
    /// Training images per second in this step.
    pub images_per_second: f64,
    /// The means over the epoch so far.
    pub means: Means,
    /// Whether the step was the last of its epoch.
    pub ends_epoch: bool,
    /// How long the epoch took, if the step was its last and it was not interrupted.
    pub epoch_time: Option<EpochTime>,
    /// The scores of the samples, if the step was the last of its epoch or of training, or is judged within an epoch.
    pub scores: Option<Scores>,
    /// What has gone wrong, one line each, if the step was the last of its epoch; each alarm is raised once.
    pub alarms: Vec<String>,
}

/// The state from which a run goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// The last.
    #[default]
    Last,
    /// The state whose samples scored best. What came after it is set aside (see `folder::set_aside`), including the
    /// rows of the tables and TensorBoard's records.
    Best,
}

/// Why training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All steps are done.
    Finished,
    /// It was asked to stop; the run can go on from here.
    Stopped,
    /// As many epochs as [`Run::patience`] says were not better than the best.
    Settled,
}

impl Run {
    /// A new run of `recipe` in the folder that `place` names, which must not have a run yet, with the judge that
    /// `judge` gives for its images. Both are called, and anything is written, only after the data has been read. If
    /// there is a run `from`, the weights are taken from it where they fit.
    ///
    /// # Errors
    /// If the data doesn't fit the recipe, no weight of `from` fits, or the folder can't be used; nothing is left in it
    /// then.
    pub fn create(
        recipe: Recipe,
        device: Device,
        from: Option<&Path>,
        judge: impl FnOnce(&Recipe, &Images) -> Result<Option<Judge>>,
        place: impl FnOnce(&Recipe) -> Result<PathBuf>,
    ) -> Result<Run> {
        memory::check(&recipe, None)?;
        let (source, data, notes) = Source::open(&recipe)?;
        memory::check(&recipe, source.images())?;
        let judge = source.images().map(|images| judge(&recipe, images)).transpose()?.flatten();
        let folder = place(&recipe)?;
        let lock = folder::claim(&folder)?;
        let run = catch(|| {
            let mut gan = Gan::new(&recipe, device);
            let weights = from.map(|run| init(&mut gan, run)).transpose()?;
            let checkpoint =
                Checkpoint { recipe, device, data, best: None, origin: Origin::default(), has_sum: true, gan };
            if let Some(judge) = judge {
                judge::save(&folder.join(folder::JUDGE), &judge)?;
            }
            let judging = Judging::open(&folder, &checkpoint.recipe, source.images(), device)?;
            let mut run = Run::assemble(&folder, lock, checkpoint, source, judging)?;
            run.notes.extend(notes);
            run.save()?;
            run.notes.extend(weights);
            Ok(run)
        });
        run.inspect_err(|_| folder::abandon(&folder))
    }

    /// The run in `folder`, from its last checkpoint or its best, on `device` if that is given, else on the
    /// checkpoint's.
    ///
    /// `change` gives the recipe to go on with, from the checkpoint's. It may change what [`self::change`] allows; the
    /// folder's recipe and checkpoint are then those of the changed run.
    ///
    /// # Errors
    /// If there is no intact checkpoint, or if the recipe or the data is another one, so that the checkpoint would mean
    /// nothing for it.
    pub fn resume(
        folder: &Path,
        device: Option<Device>,
        from: State,
        change: impl FnOnce(&Checkpoint) -> Result<Recipe>,
    ) -> Result<Run> {
        let name = match from {
            State::Last => folder::CHECKPOINT,
            State::Best => folder::BEST,
        };
        let path = folder.join(name);
        let is_there = match from {
            State::Last => folder::holds_run(folder)?,
            State::Best => crate::files::is_file(&path)?,
        };
        if !is_there {
            let what = format!("holds no {name} to go on from; start a new run");
            return Err(Error::place(folder, what));
        }
        let lock = folder::lock(folder)?;
        let mut checkpoint = checkpoint::load(&path, device)?;
        let asked = change(&checkpoint)?;
        let tuning = change::tuning(&checkpoint.recipe, &asked);
        let tuning = tuning.map_err(|what| Error::place(&path, what))?;
        let (source, data, mut notes) = Source::open(&asked)?;
        if data != checkpoint.data {
            if asked.data.name != DIGITS || checkpoint.data.hash != digits::EARLIER {
                let what = other_data(&checkpoint.data, &data, &asked);
                return Err(Error::place(&path, what));
            }
            notes.push(
                "an earlier version began the run and drew the digits a little differently; the run is no longer bit for \
                 bit the one that it was"
                    .into(),
            );
            checkpoint.data = data;
        }
        // Before anything is changed: the best is compared with only by the same judge.
        let judging = Judging::open(folder, &asked, source.images(), checkpoint.device)?;
        let best_judge = checkpoint.best.as_ref().map(|best| best.judge.as_deref());
        if best_judge.is_some_and(|judge| judge != judging.as_ref().map(Judging::identity)) {
            let what = "is gone, or another than what the run's best samples were judged by";
            return Err(Error::place(folder.join(folder::JUDGE), format!("{what}; {}", judging::FIX)));
        }
        folder::tidy(folder);
        folder::make(folder)?;
        let told = notes.len();
        let (step, before) = (checkpoint.gan.steps, epochs_of(&checkpoint));
        let last = folder.join(folder::CHECKPOINT);
        // A last checkpoint that can't be read is set aside like any other.
        if from == State::Best && checkpoint::steps(&last).ok() != Some(step) {
            let left = folder::set_aside(folder, before.done(step), &path)?;
            let left = left.display();
            notes.push(format!("back at the best state, that after step {step}; all that came after it is in {left}"));
        }
        folder::remove_grids_after(folder, step)?;
        if !tuning.is_empty() {
            let changes: Vec<String> = tuning.iter().map(Difference::change).collect();
            let changes = changes.join(", ");
            notes.push(format!(
                "from step {} on: {changes}; the run is no longer bit for bit the one that it was",
                step + 1
            ));
            checkpoint.gan.tune(&asked);
        }
        let cuts = |recipe: &Recipe| (recipe.training.batch_size, recipe.data.last_batch);
        if cuts(&checkpoint.recipe) != cuts(&asked) {
            checkpoint.origin = before.origin_after(step);
        }
        checkpoint.recipe = asked;
        let mut run = Run::assemble(folder, lock, checkpoint, source, judging)?;
        if notes.len() > told {
            // Of an epoch that begins anew no earlier row stays.
            run.log.go_on(folder, &before, run.recipe.judge.every_steps)?;
            run.save_checkpoint()?;
        }
        run.notes.extend(notes);
        Ok(run)
    }

    fn assemble(
        folder: &Path,
        lock: Lock,
        checkpoint: Checkpoint,
        source: Source,
        judging: Option<Judging>,
    ) -> Result<Run> {
        let Checkpoint { recipe, device, data, best, origin, gan, has_sum: _ } = checkpoint;
        write_whole(&folder.join(folder::RECIPE), recipe.to_toml().as_bytes())?;
        let (steps, per_epoch) = (gan.steps, source.steps_per_epoch());
        let record = Record::open(folder, steps, device)?;
        let log = Log::open(folder, steps)?;
        let rows = Columns::read(&folder.join(folder::LOG))?;
        let moved = Log::last_generator_step(&rows);
        let epochs = Epochs { origin, per_epoch };
        let has_best = is_file(&folder.join(folder::BEST))?;
        let mut run = Run {
            keep_every: None,
            patience: None,
            notes: lock.warning.iter().cloned().collect(),
            best: best.filter(|_| has_best),
            judging,
            alarms: Alarms::default(),
            sliced_floor: None,
            g_gradient_norm: None,
            log,
            means: Means::of_rows(&rows, epochs.start_of(steps + 1)),
            board: TensorBoard::open(folder, &recipe, per_epoch, steps, moved)?,
            _lock: lock,
            reporting: Reporting::default(),
            record,
            epochs,
            folder: folder.to_path_buf(),
            graphs: source.images().filter(|_| may_be_captured(&recipe)).and_then(|_| gan.graphs(recipe.data.range)),
            begun: None,
            last_done: None,
            recipe,
            device,
            gan,
            source,
            data,
        };
        run.save_real()?;
        run.mend_grid()?;
        Ok(run)
    }

    /// From now on, makes every step on a CUDA device launch by launch, not as a graph.
    pub fn without_graphs(&mut self) {
        self.graphs = None;
    }

    /// The set of points on which it trains, unless it trains on images.
    pub fn plane(&self) -> Option<Plane> {
        self.source.plane()
    }

    /// The folder of the run's files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The images on which it trains, unless it trains on points of the plane.
    pub fn images(&self) -> Option<&Images> {
        self.source.images()
    }

    /// The recipe as resolved.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// The device on which it computes.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The number of steps done so far.
    pub fn steps(&self) -> u64 {
        self.gan.steps
    }

    /// The judge of the samples, if the data set has one.
    pub fn judging(&self) -> Option<&Judging> {
        self.judging.as_ref()
    }

    /// The number of epochs done.
    pub fn epochs_done(&self) -> u64 {
        self.epochs.done(self.gan.steps)
    }

    /// The number of epochs since the best that were compared with it and weren't better, if it is known.
    pub fn idle(&self) -> Option<u64> {
        let best = self.best.as_ref()?.epoch?;
        let every = if self.judging.is_some() { self.recipe.judge.every.max(1) as u64 } else { 1 };
        Some(self.epochs_done() / every - best / every)
    }

    /// Whether [`Run::patience`] has run out.
    fn is_settled(&self) -> bool {
        let idle = self.patience.zip(self.idle());
        self.at_epoch_start() && idle.is_some_and(|(patience, idle)| idle >= patience)
    }

    /// The score of the best epoch's samples, once an epoch has ended.
    pub fn best(&self) -> Option<&Best> {
        self.best.as_ref()
    }

    /// The number of steps of an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.source.steps_per_epoch()
    }

    /// The number of steps of all the recipe's epochs.
    pub fn total_steps(&self) -> u64 {
        self.epochs.steps_of(self.recipe.training.epochs as u64)
    }

    fn at_epoch_start(&self) -> bool {
        self.epochs.ends_at(self.gan.steps)
    }

    /// The epoch, counted from 1, of step `step`, counted from 1.
    pub fn epoch_of(&self, step: u64) -> u64 {
        self.epochs.of(step)
    }
}

/// Whether steps of `recipe` can be captured as a CUDA graph. Of the numbers that a schedule can change, only the
/// learning rates of Adam and AdamW, AdamW's decay and the average are read from memory to which they can be uploaded.
fn may_be_captured(recipe: &Recipe) -> bool {
    let keys = recipe.schedule.iter().flat_map(|schedule| &schedule.keys);
    let is_uploaded = |network: &str, key: &str| {
        let network = match network {
            "generator" => Some(&recipe.generator),
            "discriminator" => Some(&recipe.discriminator),
            _ => recipe.classifier.as_ref(),
        };
        network.is_some_and(|network| match network.optimizer {
            OptimizerSpec::Adam { .. } => key == "learning_rate",
            OptimizerSpec::AdamW { .. } => matches!(key, "learning_rate" | "weight_decay"),
            OptimizerSpec::RmsProp { .. } | OptimizerSpec::Sgd { .. } => false,
        })
    };
    let mut fixed = keys.filter(|key| match key.split_once(".optimizer.") {
        Some((network, rest)) => !is_uploaded(network, rest),
        None => !key.starts_with("training.average."),
    });
    fixed.next().is_none()
}

/// How the run of `checkpoint` has counted its epochs.
fn epochs_of(checkpoint: &Checkpoint) -> Epochs {
    let recipe = &checkpoint.recipe;
    let (count, taken) = (checkpoint.data.count, recipe.training.real_images());
    Epochs { origin: checkpoint.origin, per_epoch: recipe.data.last_batch.batches(count, taken).max(1) as u64 }
}

/// Says why a run that was trained on `before` can't go on with `now`, the data of `asked`.
fn other_data(before: &DataIdentity, now: &DataIdentity, asked: &Recipe) -> String {
    let (name, count, found) = (excerpt(&asked.data.name), before.count, now.count);
    let differs = match count == found {
        true if Plane::named(&asked.data.name).is_some() => format!("not the points of {name}"),
        true => {
            format!("{name} has {count} images too, but their pixels or their order (that of the files' names) differ")
        }
        false => format!("{count} images, {name} has {found}"),
    };
    let fix = "go on with the data that the run began with";
    format!("was made on other data ({differs}); {fix}")
}
