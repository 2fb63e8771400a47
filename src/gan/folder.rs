//! Run folders: what their files are called, which folder is whose, and who may begin a run where.
//!
//! | file | what |
//! |---|---|
//! | `recipe.toml` | the recipe, every default said |
//! | `log.csv`, `epochs.csv` | a row per step, a row per epoch; see [`super::log`] |
//! | `samples/epoch-0001.png` ... | a grid per epoch, all from the same latents |
//! | `samples/real.png` | real images in such a grid |
//! | `samples.gif`, `comparison.png`, `montage.png`, `curves.svg`, `curves.png`, `report.html` | drawn from the above; see [`super::summary`] |
//! | `events.out.tfevents...` | for TensorBoard; see [`super::tensorboard`] |
//! | `checkpoint.safetensors`, `generator.safetensors` | the last state; see [`super::checkpoint`] |
//! | `best.safetensors` | the checkpoint with the lowest sliced Wasserstein distance |
//! | `kept/epoch-0010.safetensors` ... | checkpoints kept for good, where asked for |

use crate::files::remove_temporary;
use crate::report::EventFile;
use crate::{Error, Result};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// The recipe as resolved.
pub const RECIPE: &str = "recipe.toml";
/// A row per step.
pub const LOG: &str = "log.csv";
/// A row per epoch.
pub const EPOCHS: &str = "epochs.csv";
/// The folder of the sample grids.
pub const SAMPLES: &str = "samples";
/// What a run goes on from.
pub const CHECKPOINT: &str = "checkpoint.safetensors";
/// What samples are made with.
pub const GENERATOR: &str = "generator.safetensors";
/// The checkpoint whose samples scored best.
pub const BEST: &str = "best.safetensors";
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
/// Where the time went, for Perfetto; only with `--profile`.
pub const PROFILE: &str = "profile.json";

/// The sample grid of `epoch`, counted from 1.
pub fn grid(folder: &Path, epoch: u64) -> PathBuf {
    folder.join(SAMPLES).join(format!("epoch-{epoch:04}.png"))
}

/// The grids there are, by epoch.
pub fn grids(folder: &Path) -> Vec<(u64, PathBuf)> {
    let epoch = |path: PathBuf| {
        let name = path.file_name()?.to_str()?;
        let number = name.strip_prefix("epoch-")?.strip_suffix(".png")?;
        Some((number.parse().ok()?, path))
    };
    let entries = fs::read_dir(folder.join(SAMPLES)).into_iter().flatten();
    let mut all: Vec<_> = entries
        .flatten()
        .filter_map(|entry| epoch(entry.path()))
        .collect();
    all.sort();
    all
}

/// The grid of real images.
pub fn real_grid(folder: &Path) -> PathBuf {
    folder.join(SAMPLES).join("real.png")
}

/// The checkpoint, within a run's folder, that is kept of `epoch`.
pub fn kept(epoch: u64) -> String {
    format!("{KEPT}/epoch-{epoch:04}.safetensors")
}

/// A folder `<parent>/<name>-<n>`, with n one larger than the largest there is.
///
/// # Errors
/// If it can't be made.
pub fn new_folder(parent: &Path, name: &str) -> Result<PathBuf> {
    fs::create_dir_all(parent).map_err(Error::io(parent))?;
    loop {
        let last = numbered(parent, name).into_iter().map(|(n, _)| n).max();
        let folder = parent.join(format!("{name}-{}", last.unwrap_or(0) + 1));
        match fs::create_dir(&folder) {
            // Another run has been quicker.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
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
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    entries.filter_map(|entry| number(entry.path())).collect()
}

/// A folder that is held for this process alone, as long as this is there.
pub(super) struct Lock {
    _file: Option<File>,
}

/// Makes `folder` ready for a new run and holds it. It may be there already, but not hold anything
/// other than what a run leaves that was killed before its first checkpoint.
///
/// # Errors
/// If something else is there, another process trains in it, or it can't be made.
pub(super) fn claim(folder: &Path) -> Result<Lock> {
    fs::create_dir_all(folder).map_err(Error::io(folder))?;
    let lock = lock(folder)?;
    tidy(folder);
    let entries = fs::read_dir(folder).map_err(Error::io(folder))?;
    let entries: Vec<fs::DirEntry> = entries.flatten().collect();
    let ours = |name: &str| BEGUN.contains(&name) || EventFile::is_name(name);
    let foreign = |entry: &&fs::DirEntry| {
        let name = entry.file_name();
        !name
            .to_str()
            .is_some_and(|name| ours(name) || LITTER.contains(&name))
    };
    if let Some(entry) = entries.iter().find(foreign) {
        let what = match folder.join(CHECKPOINT).is_file() {
            true => "holds a run; go on with it by --resume, or choose another --out".into(),
            false => {
                let name = entry.file_name();
                let name = name.display();
                format!(
                    "holds {name}, which is of no run; choose another --out, or an empty folder"
                )
            }
        };
        return Err(Error::run(folder, what));
    }
    make(folder)?;
    Ok(lock)
}

/// Makes the folders within that of a run.
pub(super) fn make(folder: &Path) -> Result<()> {
    for path in [folder.join(SAMPLES), folder.join(KEPT)] {
        fs::create_dir_all(&path).map_err(Error::io(&path))?;
    }
    Ok(())
}

/// Holds `folder` for this process alone, where the system has locks on folders.
///
/// # Errors
/// If another process trains in it.
pub(super) fn lock(folder: &Path) -> Result<Lock> {
    if !cfg!(unix) {
        return Ok(Lock { _file: None });
    }
    let file = File::open(folder).map_err(Error::io(folder))?;
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            let what =
                "is being trained in by another process; wait for it, or choose another --out";
            Err(Error::run(folder, what))
        }
        Ok(()) | Err(TryLockError::Error(_)) => Ok(Lock { _file: Some(file) }),
    }
}

/// What file managers leave in any folder that they have shown: nothing of anybody's.
pub const LITTER: [&str; 4] = [".DS_Store", ".directory", "Thumbs.db", "desktop.ini"];

/// What is there, besides TensorBoard's file, before the first checkpoint is.
const BEGUN: [&str; 6] = [RECIPE, LOG, EPOCHS, SAMPLES, KEPT, GENERATOR];

/// Takes away what an attempt to begin a run has written, and the folder if nothing else is in it.
pub(super) fn abandon(folder: &Path) {
    tidy(folder);
    let _ = fs::remove_file(real_grid(folder));
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let ours = |name: &str| BEGUN.contains(&name) || EventFile::is_name(name);
        if name.to_str().is_some_and(ours) {
            // Each refuses what it is not for, as it should: a folder, or one that is not empty.
            let _ = fs::remove_file(entry.path());
            let _ = fs::remove_dir(entry.path());
        }
    }
    let _ = fs::remove_dir(folder);
}

/// Takes away what a killed process was in the middle of writing.
pub(super) fn tidy(folder: &Path) {
    remove_temporary(folder);
    remove_temporary(&folder.join(SAMPLES));
    remove_temporary(&folder.join(KEPT));
}
