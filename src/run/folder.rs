//! Run folders: the names of their files, which folder belongs to which run, and where a run may be begun.
//!
//! | file | what |
//! |---|---|
//! | `recipe.toml` | the recipe, with every default written out |
//! | `run.toml` | when it was trained, with what and for how long; see [`super::history`] |
//! | `log.csv`, `epochs.csv` | a row per step, a row per epoch; see [`super::log`] |
//! | `samples/step-000050.png` ... | grids of the first epoch, as `samples.first_step` says, all from the same latents |
//! | `samples/epoch-0001.png` ... | a grid per epoch, from the same latents too |
//! | `samples/real.png` | real images in such a grid |
//! | `samples.gif`, `comparison.png`, `montage.png`, `curves.svg`, `curves.png`, `report.html` | made from the above; see [`super::summary`] |
//! | `events.out.tfevents...` | for TensorBoard; see [`super::tensorboard`] |
//! | `checkpoint.safetensors`, `generator.safetensors` | the last state; see [`super::checkpoint`] |
//! | `best.safetensors` | the checkpoint with the lowest Frechet distance, without a judge the lowest sliced Wasserstein distance |
//! | `judge.safetensors` | what judges the samples, where the data set has a judge; see [`super::judging`] |
//! | `left-1/` ... | what a run had done after the state to which it went back; see `set_aside` |
//! | `kept/epoch-0010.safetensors` ... | checkpoints kept for good, if asked for |

use crate::files::{again, is_file, list, make_folder, no_locks, read, remove_temporary, try_lock, write_whole};
use crate::report::EventFile;
use crate::{Error, Result};
use std::fmt;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The recipe as resolved.
pub const RECIPE: &str = "recipe.toml";
/// When the run was trained, with what and for how long.
pub const HISTORY: &str = "run.toml";
/// A row per step.
pub const LOG: &str = "log.csv";
/// A row per epoch.
pub const EPOCHS: &str = "epochs.csv";
/// The folder of the sample grids.
pub const SAMPLES: &str = "samples";
/// The checkpoint from which a run goes on.
pub const CHECKPOINT: &str = "checkpoint.safetensors";
/// The generator, which makes samples.
pub const GENERATOR: &str = "generator.safetensors";
/// A discriminator by itself, as `minimax import` makes one.
pub const DISCRIMINATOR: &str = "discriminator.safetensors";
/// The checkpoint whose samples scored best.
pub const BEST: &str = "best.safetensors";
/// The judge of the samples, if there is one.
pub const JUDGE: &str = "judge.safetensors";
/// The folder of checkpoints that are kept for good.
pub const KEPT: &str = "kept";
/// The fixed latents' images, epoch by epoch.
pub const ANIMATION: &str = "samples.gif";
/// Real beside generated images.
pub const COMPARISON: &str = "comparison.png";
/// The grids of the epochs that the recipe names.
pub const MONTAGE: &str = "montage.png";
/// Losses and outputs by step, seconds by epoch.
pub const CURVES: [&str; 2] = ["curves.svg", "curves.png"];
/// All of it on one page.
pub const REPORT: &str = "report.html";
/// Where the time went, for Perfetto; it is written only with `--profile`.
pub const PROFILE: &str = "profile.json";

/// Which state of a run a sample grid shows. Grids of steps belong to the first epoch, and so come before all those of
/// epochs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Moment {
    /// After this many steps.
    Step(u64),
    /// At the end of this epoch, counted from 1, or within it if it hasn't ended.
    Epoch(u64),
}

impl Moment {
    /// The moment that a grid of this name shows.
    fn of(path: &Path) -> Option<Moment> {
        let name = path.file_name()?.to_str()?.strip_suffix(".png")?;
        match name.strip_prefix("step-") {
            Some(step) => Some(Moment::Step(step.parse().ok()?)),
            None => Some(Moment::Epoch(name.strip_prefix("epoch-")?.parse().ok()?)),
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Moment::Step(step) => write!(f, "step {step}"),
            Moment::Epoch(epoch) => write!(f, "epoch {epoch}"),
        }
    }
}

/// The sample grid of `moment`.
pub fn grid(folder: &Path, moment: Moment) -> PathBuf {
    folder.join(SAMPLES).join(match moment {
        Moment::Step(step) => format!("step-{step:06}.png"),
        Moment::Epoch(epoch) => format!("epoch-{epoch:04}.png"),
    })
}

/// The grids of a run, in the order of training.
///
/// # Errors
/// If their folder exists and can't be read.
pub fn grids(folder: &Path) -> Result<Vec<(Moment, PathBuf)>> {
    let samples = folder.join(SAMPLES);
    let files = match list(&samples) {
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Vec::new(),
        files => files?,
    };
    let moment = |path: PathBuf| Some((Moment::of(&path)?, path));
    let mut all: Vec<_> = files.into_iter().filter_map(moment).collect();
    all.sort();
    Ok(all)
}

/// Removes the grid of `moment` if it exists.
///
/// # Errors
/// If it can't be removed.
pub(super) fn remove_grid(folder: &Path, moment: Moment) -> Result<()> {
    let path = grid(folder, moment);
    match again(|| fs::remove_file(&path)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io(&path)(error)),
        _ => Ok(()),
    }
}

/// Removes the grids of steps after `step`, which a run that goes on from there makes again.
///
/// # Errors
/// If one can't be removed, or their folder can't be read.
pub(super) fn remove_grids_after(folder: &Path, step: u64) -> Result<()> {
    let later = grids(folder)?.into_iter().map(|(moment, _)| moment);
    let mut later = later.filter(|moment| matches!(moment, Moment::Step(of) if *of > step));
    later.try_for_each(|moment| remove_grid(folder, moment))
}

/// The grid of real images.
pub fn real_grid(folder: &Path) -> PathBuf {
    folder.join(SAMPLES).join("real.png")
}

/// The path, within a run's folder, of the checkpoint that is kept of `epoch`.
pub fn kept(epoch: u64) -> String {
    format!("{KEPT}/epoch-{epoch:04}.safetensors")
}

/// Makes a folder `<parent>/<name>-<n>`, with n one larger than the largest that exists.
///
/// # Errors
/// If it can't be made.
pub fn new_folder(parent: &Path, name: &str) -> Result<PathBuf> {
    make_folder(parent)?;
    loop {
        let last = numbered(parent, name).into_iter().map(|(n, _)| n).max();
        let folder = parent.join(format!("{name}-{}", last.unwrap_or(0) + 1));
        match again(|| fs::create_dir(&folder)) {
            // Another run has been quicker.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io(&folder)(error)),
            Ok(()) => return Ok(folder),
        }
    }
}

/// The folder `<parent>/<name>-<n>` with the largest n of those that hold a checkpoint.
pub fn latest_folder(parent: &Path, name: &str) -> Option<PathBuf> {
    let folders = numbered(parent, name).into_iter();
    let runs = folders.filter(|(_, path)| path.join(CHECKPOINT).is_file());
    runs.max_by_key(|(n, _)| *n).map(|(_, path)| path)
}

fn numbered(parent: &Path, name: &str) -> Vec<(u64, PathBuf)> {
    let number = |path: PathBuf| {
        let file = path.file_name()?.to_str()?;
        let number: u32 = file.strip_prefix(name)?.strip_prefix('-')?.parse().ok()?;
        Some((u64::from(number), path))
    };
    let paths = list(parent).unwrap_or_default().into_iter();
    paths.filter_map(number).collect()
}

/// Holds a folder for this process alone, until it is dropped.
pub(super) struct Lock {
    /// A warning, if the system has no locks.
    pub(super) warning: Option<String>,
    _file: Option<File>,
}

/// Makes `folder` ready for a new run and holds it. It may exist already, if it has only what a run leaves that was
/// killed before its first checkpoint.
///
/// # Errors
/// If there is something else in it, another process trains in it, or it can't be made.
pub(super) fn claim(folder: &Path) -> Result<Lock> {
    make_folder(folder)?;
    let lock = lock(folder)?;
    tidy(folder);
    let foreign = |path: &&PathBuf| !is_begun(path) && !is_litter(path);
    if let Some(path) = list(folder)?.iter().find(foreign) {
        let what = match holds_run(folder)? {
            true => "holds a run; go on with it by --resume, or choose another --out".into(),
            false => {
                let name = path.file_name().unwrap_or_default().display();
                format!("holds {name}, which belongs to no run; choose another --out, or an empty folder")
            }
        };
        return Err(Error::place(folder, what));
    }
    make(folder)?;
    Ok(lock)
}

/// Sets aside what the run in `folder` has done after `epochs` whole epochs, for a run that goes on from there. Its
/// last checkpoint and generator, its tables, grids and kept checkpoints are then in a new folder `left-<n>`, which is
/// a run that can be sampled, reported on and resumed. The last checkpoint is replaced by `checkpoint`; the grids and
/// kept checkpoints of later epochs are in `left-<n>` alone.
///
/// # Errors
/// If the files can't be written. Whenever it ends, no state is lost.
pub(super) fn set_aside(folder: &Path, epochs: u64, checkpoint: &Path) -> Result<PathBuf> {
    let left = new_folder(folder, "left")?;
    make(&left)?;
    for file in [RECIPE, HISTORY, LOG, EPOCHS, JUDGE, GENERATOR, CHECKPOINT] {
        share(&folder.join(file), &left.join(file))?;
    }
    let mut later = Vec::new();
    for inside in [SAMPLES, KEPT] {
        for path in list(&folder.join(inside))? {
            let Some(name) = path.file_name() else {
                continue;
            };
            share(&path, &left.join(inside).join(name))?;
            if epoch_of(&path).is_some_and(|of| of > epochs) {
                later.push(path);
            }
        }
    }
    let bytes = read(checkpoint)?;
    write_whole(&folder.join(CHECKPOINT), &bytes)?;
    for path in later {
        again(|| fs::remove_file(&path)).map_err(Error::io(&path))?;
    }
    Ok(left)
}

/// The epoch that a grid or a kept checkpoint is of, by its name.
fn epoch_of(path: &Path) -> Option<u64> {
    let name = path.file_stem()?.to_str()?;
    name.strip_prefix("epoch-")?.parse().ok()
}

/// Makes the file at `from`, if it exists, available at `to` too. Files of a run are replaced and never written into,
/// so that a second name is as good as a copy.
fn share(from: &Path, to: &Path) -> Result<()> {
    if !is_file(from)? || again(|| fs::hard_link(from, to)).is_ok() {
        return Ok(());
    }
    again(|| fs::copy(from, to)).map(drop).map_err(Error::io(to))
}

/// Makes the folders within that of a run.
pub(super) fn make(folder: &Path) -> Result<()> {
    for path in [folder.join(SAMPLES), folder.join(KEPT)] {
        make_folder(&path)?;
    }
    Ok(())
}

/// Holds `folder` for this process alone, if the system has locks on folders.
///
/// # Errors
/// If another process trains in it.
pub(super) fn lock(folder: &Path) -> Result<Lock> {
    if !cfg!(unix) {
        return Ok(Lock { _file: None, warning: None });
    }
    let file = File::open(folder).map_err(Error::io(folder))?;
    match try_lock(&file) {
        Ok(true) => Ok(Lock { _file: Some(file), warning: None }),
        Err(error) => Ok(Lock { _file: None, warning: Some(no_locks(folder, &error)) }),
        Ok(false) => {
            let what = "is being trained in by another process; wait for it, or choose another --out";
            Err(Error::busy(folder, what))
        }
    }
}

/// Whether `path` is a file that file managers leave in any folder that they have shown, and that nobody needs.
pub fn is_litter(path: &Path) -> bool {
    const NAMES: [&str; 4] = [".DS_Store", ".directory", "Thumbs.db", "desktop.ini"];
    let name = path.file_name();
    name.is_some_and(|name| NAMES.iter().any(|litter| name == *litter))
}

/// Whether another process trains in `folder`.
pub fn is_held(folder: &Path) -> bool {
    folder.is_dir() && matches!(lock(folder), Err(Error::Busy { .. }))
}

/// Whether there is a run in `folder` that can go on.
///
/// # Errors
/// If the system can't tell.
pub fn holds_run(folder: &Path) -> Result<bool> {
    is_file(&folder.join(CHECKPOINT))
}

/// The files, besides TensorBoard's, that exist before the first checkpoint.
const BEGUN: [&str; 8] = [RECIPE, HISTORY, LOG, EPOCHS, JUDGE, SAMPLES, KEPT, GENERATOR];

/// Whether `path` is one of the files that exist before the first checkpoint.
fn is_begun(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| BEGUN.contains(&name) || EventFile::is_name(name))
}

/// Removes what an attempt to begin a run has written, and the folder if nothing else is in it.
pub(super) fn abandon(folder: &Path) {
    tidy(folder);
    let _ = again(|| fs::remove_file(real_grid(folder)));
    for path in list(folder).unwrap_or_default() {
        if is_begun(&path) {
            // Each call refuses what it is not for, as it should: a folder, or a folder that is not empty.
            let _ = again(|| fs::remove_file(&path));
            let _ = again(|| fs::remove_dir(&path));
        }
    }
    let _ = again(|| fs::remove_dir(folder));
}

/// Removes what a killed process was in the middle of writing.
pub(super) fn tidy(folder: &Path) {
    remove_temporary(folder);
    remove_temporary(&folder.join(SAMPLES));
    remove_temporary(&folder.join(KEPT));
}
