//! Run folders: what their files are called, which folder is whose, and who may begin a run where.

use crate::files::remove_temporary;
use crate::{Error, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The recipe as resolved.
pub const RECIPE: &str = "recipe.toml";
/// A row per step.
pub const LOG: &str = "log.csv";
/// The folder of the sample grids.
pub const SAMPLES: &str = "samples";
/// What a run goes on from.
pub const CHECKPOINT: &str = "checkpoint.safetensors";
/// What samples are made with.
pub const GENERATOR: &str = "generator.safetensors";

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

/// Makes `folder` ready for a new run. It may be there already, but not hold anything other than what
/// a run leaves that was killed before its first checkpoint.
///
/// # Errors
/// If something else is there, or the folder can't be made.
pub(super) fn claim(folder: &Path) -> Result<()> {
    tidy(folder);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        entries => entries.map_err(Error::io(folder))?.flatten().collect(),
    };
    let ours = [RECIPE, LOG, SAMPLES, GENERATOR].map(std::ffi::OsStr::new);
    if entries
        .iter()
        .any(|entry| !ours.contains(&&*entry.file_name()))
    {
        let mend = "go on with its run by --resume, or choose another --out";
        return Err(Error::run(folder, format!("is not empty; {mend}")));
    }
    let samples = folder.join(SAMPLES);
    fs::create_dir_all(&samples).map_err(Error::io(&samples))
}

/// Takes away what an attempt to begin a run has written, and the folder if nothing else is in it.
pub(super) fn abandon(folder: &Path) {
    tidy(folder);
    for file in [RECIPE, LOG, GENERATOR] {
        let _ = fs::remove_file(folder.join(file));
    }
    // These refuse a folder that is not empty, as they should.
    let _ = fs::remove_dir(folder.join(SAMPLES));
    let _ = fs::remove_dir(folder);
}

/// Takes away what a killed process was in the middle of writing.
pub(super) fn tidy(folder: &Path) {
    remove_temporary(folder);
    remove_temporary(&folder.join(SAMPLES));
}
