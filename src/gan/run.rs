//! A training run and its folder: the loop over steps and epochs, what it leaves behind, and how it goes on after a stop.
//!
//! | file | what |
//! |---|---|
//! | `recipe.toml` | the recipe, every default said |
//! | `log.csv` | a row per step |
//! | `samples/epoch-0001.png` ... | a grid per epoch, all from the same latents |
//! | `checkpoint.safetensors`, `generator.safetensors` | see [`super::checkpoint`] |

use super::log::Log;
use super::model::{Gan, StepReport, sample};
use super::recipe::Recipe;
use super::{checkpoint, pixels};
use crate::data::{self, Batches, Images};
use crate::files::write_whole;
use crate::random::{Purpose, Random};
use crate::report::grid_png;
use crate::shape::Shape;
use crate::storage::Device;
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Images on a sample grid, ten by ten.
const GRID: usize = 100;

/// A checkpoint is written at the end of each epoch, and within long ones about this often.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(60);

/// A run that can be trained.
pub struct Run {
    folder: PathBuf,
    recipe: Recipe,
    device: Device,
    gan: Gan,
    batches: Batches,
    image: Shape,
    log: Log,
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
    /// How long the epoch took, if the step was its last and it was not interrupted.
    pub epoch_time: Option<Duration>,
}

/// Why training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All steps are done.
    Finished,
    /// It was asked to stop; the run can go on from here.
    Stopped,
}

impl Run {
    /// A new run of `recipe` in the folder that `place` names, which must be empty or not there yet. `place` is asked, and anything
    /// written, only after the data has been read.
    ///
    /// # Errors
    /// If the data doesn't fit the recipe, or the folder can't be used.
    pub fn create(
        recipe: Recipe,
        device: Device,
        place: impl FnOnce(&Recipe) -> Result<PathBuf>,
    ) -> Result<Run> {
        let batches = open_data(&recipe)?;
        let folder = &place(&recipe)?;
        let samples = folder.join("samples");
        if folder.is_dir()
            && std::fs::read_dir(folder)
                .map_err(Error::io(folder))?
                .next()
                .is_some()
        {
            let what = "is not empty; go on with its run by --resume, or choose another --out";
            return Err(Error::run(folder, what));
        }
        std::fs::create_dir_all(&samples).map_err(Error::io(&samples))?;
        write_whole(&folder.join("recipe.toml"), recipe.to_toml().as_bytes())?;
        let gan = Gan::new(&recipe, device);
        let mut run = Run::assemble(folder, recipe, device, gan, batches)?;
        run.save()?;
        Ok(run)
    }

    /// The run in `folder`, as its last checkpoint has it.
    ///
    /// `change` may alter the recipe's number of epochs, or leave it.
    ///
    /// # Errors
    /// If there is no whole checkpoint, or `change` altered anything else: then the rest of the run would not be what it would
    /// have been.
    pub fn resume(
        folder: &Path,
        device: Device,
        change: impl FnOnce(&Recipe) -> Result<Recipe>,
    ) -> Result<Run> {
        let path = folder.join("checkpoint.safetensors");
        if !path.is_file() {
            let what =
                "holds no checkpoint.safetensors to resume from; start a run without --resume";
            return Err(Error::run(folder, what));
        }
        let (saved, gan) = checkpoint::load(&path, device)?;
        let recipe = change(&saved)?;
        let mut comparable = recipe.clone();
        comparable.training.epochs = saved.training.epochs;
        if comparable != saved {
            let what = format!(
                "is the checkpoint of another recipe ({}, {}); of a run that goes on only training.epochs can change",
                saved.name,
                first_difference(&saved, &comparable)
            );
            return Err(Error::run(&path, what));
        }
        let batches = open_data(&recipe)?;
        Run::assemble(folder, recipe, device, gan, batches)
    }

    fn assemble(
        folder: &Path,
        recipe: Recipe,
        device: Device,
        gan: Gan,
        batches: Batches,
    ) -> Result<Run> {
        let images = batches.images();
        Ok(Run {
            log: Log::open(&folder.join("log.csv"), gan.step)?,
            image: [images.height, images.width, images.channels].into(),
            folder: folder.to_path_buf(),
            recipe,
            device,
            gan,
            batches,
        })
    }

    /// Where the run leaves its files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The data that it trains on.
    pub fn images(&self) -> &Images {
        self.batches.images()
    }

    /// The recipe as resolved.
    pub fn recipe(&self) -> &Recipe {
        &self.recipe
    }

    /// Steps done so far.
    pub fn step(&self) -> u64 {
        self.gan.step
    }

    /// Steps that the recipe's epochs make.
    pub fn total_steps(&self) -> u64 {
        self.batches.steps_per_epoch() * self.recipe.training.epochs as u64
    }

    /// Steps of an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        self.batches.steps_per_epoch()
    }

    /// The latest sample grid.
    pub fn latest_grid(&self) -> PathBuf {
        self.grid_path(self.epoch_of(self.gan.step))
    }

    /// Trains until `last` steps are done (counted from the run's start) or `stop` says so, and saves. `watch` is told of every
    /// step.
    ///
    /// # Errors
    /// If a loss diverges, or a file can't be written; the last good checkpoint is kept.
    pub fn train(
        &mut self,
        last: u64,
        stop: &(dyn Fn() -> bool + Sync),
        watch: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<Outcome> {
        let per_epoch = self.batches.steps_per_epoch();
        let mut saved = Instant::now();
        let mut epoch_start = (self.gan.step.is_multiple_of(per_epoch)).then(Instant::now);
        let mut outcome = Outcome::Finished;
        let mut all_saved = self.gan.step;
        while self.gan.step < last {
            if stop() {
                outcome = Outcome::Stopped;
                break;
            }
            let mut progress = self.train_step()?;
            if self.gan.step.is_multiple_of(per_epoch) {
                progress.epoch_time = epoch_start.map(|start| start.elapsed());
                self.save_all()?;
                all_saved = self.gan.step;
                epoch_start = Some(Instant::now());
                saved = Instant::now();
            } else if saved.elapsed() > CHECKPOINT_EVERY {
                self.save()?;
                saved = Instant::now();
            }
            watch(&progress);
        }
        if all_saved != self.gan.step {
            self.save_all()?;
        }
        Ok(outcome)
    }

    fn train_step(&mut self) -> Result<Progress> {
        let start = Instant::now();
        let count = self.recipe.training.batch_size;
        let range = self.recipe.data.range;
        let image = self.image.dims();
        let shape: Shape = [count, image[0], image[1], image[2]].into();
        let real = pixels::to_tensor(self.batches.batch(self.gan.step), shape, range, self.device);
        let report = self.gan.step(&real)?;
        let images_per_second = count as f64 / start.elapsed().as_secs_f64();
        let (step, epoch) = (self.gan.step, self.epoch_of(self.gan.step));
        self.log.row(step, epoch, &report, images_per_second)?;
        Ok(Progress {
            step,
            epoch,
            report,
            images_per_second,
            epoch_time: None,
        })
    }

    /// The epoch, counted from 1, of step `step`, counted from 1.
    fn epoch_of(&self, step: u64) -> u64 {
        step.div_ceil(self.batches.steps_per_epoch()).max(1)
    }

    /// The log, then the checkpoint and the generator by itself: the log knows at least the steps that the checkpoint does.
    fn save(&mut self) -> Result<()> {
        self.log.flush()?;
        let path = self.folder.join("checkpoint.safetensors");
        checkpoint::save(&path, &self.gan, &self.recipe, self.device)?;
        let path = self.folder.join("generator.safetensors");
        checkpoint::save_generator(&path, &self.gan, &self.recipe)
    }

    /// All that an epoch leaves: what [`Run::save`] writes, and a grid.
    fn save_all(&mut self) -> Result<()> {
        self.save()?;
        self.save_grid()
    }

    fn save_grid(&mut self) -> Result<()> {
        let width = self.recipe.generator.input[0];
        let mut random = Random::new(self.recipe.training.seed, Purpose::FixedLatent);
        let latents: Vec<f32> = random
            .normal(GRID * width)
            .into_iter()
            .map(|v| v as f32)
            .collect();
        let images = sample(&mut self.gan.generator, &latents, width, self.device);
        let bytes = pixels::to_bytes(&images, self.recipe.data.range);
        let &[height, width, channels] = self.image.dims() else {
            unreachable!("an image has three axes");
        };
        grid_png(&self.latest_grid(), &bytes, height, width, channels, 10)
    }

    fn grid_path(&self, epoch: u64) -> PathBuf {
        self.folder
            .join("samples")
            .join(format!("epoch-{epoch:04}.png"))
    }
}

/// The recipe's data, in its batches.
fn open_data(recipe: &Recipe) -> Result<Batches> {
    let images = data::open(&recipe.data.name, recipe.training.seed)?;
    let found = [images.height, images.width, images.channels];
    if found[..] != recipe.discriminator.input[..] {
        let what = format!(
            "data {} has images of {found:?} but discriminator.input is {:?}; choose data that fits with --data",
            recipe.data.name, recipe.discriminator.input
        );
        return Err(Error::recipe(&recipe.name, what));
    }
    Batches::new(
        Arc::new(images),
        recipe.training.batch_size,
        recipe.training.seed,
    )
}

/// The first line in which two recipes, written out, differ.
fn first_difference(saved: &Recipe, asked: &Recipe) -> String {
    let (saved, asked) = (saved.to_toml(), asked.to_toml());
    let mut lines = saved.lines().zip(asked.lines());
    match lines.find(|(saved, asked)| saved != asked) {
        Some((saved, asked)) => format!("with {saved} where {asked} is asked for"),
        None => "with other layers".into(),
    }
}

/// A new folder `<parent>/<name>-<n>`, with the smallest n from 1 on that is free.
///
/// # Errors
/// If it can't be made.
pub fn new_folder(parent: &Path, name: &str) -> Result<PathBuf> {
    std::fs::create_dir_all(parent).map_err(Error::io(parent))?;
    for n in 1u32.. {
        let folder = parent.join(format!("{name}-{n}"));
        match std::fs::create_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            done => return done.map(|()| folder.clone()).map_err(Error::io(&folder)),
        }
    }
    unreachable!("four thousand million runs of {name}")
}

/// The folder `<parent>/<name>-<n>` with the largest n.
pub fn latest_folder(parent: &Path, name: &str) -> Option<PathBuf> {
    let number = |path: &PathBuf| {
        let file = path.file_name()?.to_str()?;
        file.strip_prefix(name)?
            .strip_prefix('-')?
            .parse::<u32>()
            .ok()
    };
    let entries = std::fs::read_dir(parent).ok()?;
    let folders = entries.filter_map(|entry| Some(entry.ok()?.path()));
    folders
        .filter(|path| number(path).is_some())
        .max_by_key(number)
}
