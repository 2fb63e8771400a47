//! A training run: how it begins and goes on after a stop. `training.rs` is its loop over steps and epochs,
//! [`folder`] names the files that it leaves, `save.rs` writes them.

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

/// A run that can be trained.
pub struct Run {
    /// Every how many epochs a checkpoint is kept for good, besides the best and the last.
    pub keep_every: Option<u64>,
    /// After how many epochs that were compared with the best and no better training ends.
    pub patience: Option<u64>,
    /// What a person should know of the data and of how the run begins or goes on, a line each.
    pub notes: Vec<String>,
    folder: PathBuf,
    recipe: Recipe,
    device: Device,
    gan: Gan,
    /// The steps as graphs, on a device that has them.
    graphs: Option<Graphs>,
    /// The step that was begun last, whose report is not known yet.
    begun: Option<Begun>,
    /// When a step's report was last known.
    last_done: Option<Instant>,
    source: Source,
    epochs: Epochs,
    data: DataIdentity,
    log: Log,
    /// Of the epoch that the last step belongs to.
    means: Means,
    board: TensorBoard,
    /// What the best epoch's samples have scored.
    best: Option<Best>,
    /// Judges the samples, where the data set has a judge.
    judging: Option<Judging>,
    alarms: Alarms,
    /// The sliced Wasserstein distance of real ones, once it has been measured.
    sliced_floor: Option<Option<f64>>,
    /// The norm of G's gradient when it was last measured.
    g_gradient_norm: Option<f64>,
    reporting: Reporting,
    record: Record,
    /// Keeps a second process out of the folder.
    _lock: Lock,
}

/// A step that has just been done.
pub struct Progress {
    /// Steps done since the run was first started.
    pub step: u64,
    /// The epoch that the step belongs to, counted from 1.
    pub epoch: u64,
    /// What the step has seen.
    pub report: StepReport,
    /// Training images per second, of this step.
    pub images_per_second: f64,
    /// Over the epoch as far as it has come.
    pub means: Means,
    /// Whether the step was the last of its epoch.
    pub ends_epoch: bool,
    /// How long the epoch took, if the step was its last and it was not interrupted.
    pub epoch_time: Option<EpochTime>,
    /// What the samples score, if the step was the last of its epoch or of training, or is to be judged within an
    /// epoch.
    pub scores: Option<Scores>,
    /// What has gone wrong, a line each, if the step was the last of its epoch; each is said once.
    pub alarms: Vec<String>,
}

/// Which of its states a run goes on from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// The last.
    #[default]
    Last,
    /// The one whose samples scored best. What came after it is set aside (see `folder::set_aside`), and so are the
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
    /// So many epochs as [`Run::patience`] says have not bettered the best.
    Settled,
}

impl Run {
    /// A new run of `recipe` in the folder that `place` names, which must hold no run yet, with the judge that `judge`
    /// gives for its images. Both are asked, and anything written, only after the data has been read. Its weights are
    /// those of the run `from` where they fit, if there is one.
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

    /// The run in `folder`, as its last checkpoint or its best has it, on `device` or else the checkpoint's.
    ///
    /// `change` gives the recipe that is asked for from the checkpoint's. It may alter what [`self::change`] says; the
    /// folder's recipe and checkpoint are those of the changed run then.
    ///
    /// # Errors
    /// If there is no whole checkpoint, or the recipe or the data is another: then what the checkpoint holds would mean
    /// nothing.
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
        // Before anything is changed: what was best is compared with by the same judge, or not at all.
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
            // An epoch that begins anew leaves no row of its beginning.
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

    /// Makes every step launch by launch on a CUDA device, not as a graph.
    pub fn without_graphs(&mut self) {
        self.graphs = None;
    }

    /// The set of the points that it trains on, unless it trains on images.
    pub fn plane(&self) -> Option<Plane> {
        self.source.plane()
    }

    /// Where the run leaves its files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The images that it trains on, unless it trains on points of the plane.
    pub fn images(&self) -> Option<&Images> {
        self.source.images()
    }

    /// The recipe as resolved.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// What it computes on.
    pub fn device(&self) -> Device {
        self.device
    }

    /// Steps done so far.
    pub fn steps(&self) -> u64 {
        self.gan.steps
    }

    /// What judges the samples, if the data set has a judge.
    pub fn judging(&self) -> Option<&Judging> {
        self.judging.as_ref()
    }

    /// Epochs that are done.
    pub fn epochs_done(&self) -> u64 {
        self.epochs.done(self.gan.steps)
    }

    /// How many epochs since the best have been compared with it, none of which was better; none where it isn't known.
    pub fn idle(&self) -> Option<u64> {
        let best = self.best.as_ref()?.epoch?;
        let every = if self.judging.is_some() { self.recipe.judge.every.max(1) as u64 } else { 1 };
        Some(self.epochs_done() / every - best / every)
    }

    /// Whether [`Run::patience`] is at its end.
    fn is_settled(&self) -> bool {
        let idle = self.patience.zip(self.idle());
        self.at_epoch_start() && idle.is_some_and(|(patience, idle)| idle >= patience)
    }

    /// What the best epoch's samples have scored, once one has ended.
    pub fn best(&self) -> Option<&Best> {
        self.best.as_ref()
    }

    /// Steps of an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.source.steps_per_epoch()
    }

    /// Steps that the recipe's epochs make.
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

/// Whether its steps can be made as a CUDA graph: of what a schedule changes only the learning rate of Adam and AdamW,
/// the latter's decay and the average are read where they can be uploaded to.
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

/// Why a run that saw `before` can't go on with `now`, the data of `asked`.
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
