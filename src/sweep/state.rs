//! `runs.toml` in a sweep's folder: how each run ended, so that the same command goes on where it was stopped.
//!
//! ```toml
//! [runs.vanilla-mnist-16]
//! jobs = 1
//! outcome = "finished"
//! ```

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::grid::PlannedRun;
use crate::files::{is_file, is_temporary, list, make_folder, no_locks, read, remove_temporary, try_lock, write_whole};
use crate::recipe::Recipe;
use crate::run::folder;
use crate::terminal::brief;
use crate::{Error, Result};

/// The name of the file.
const FILE: &str = "runs.toml";

/// A file that is locked by the sweep that works in the folder.
const LOCK: &str = ".lock";

/// The folder of a sweep, and the state of its runs.
#[derive(Debug)]
pub struct State {
    /// A warning, if nothing keeps a second sweep out of the folder.
    pub warning: Option<String>,
    folder: PathBuf,
    saved: Saved,
    /// Keeps a second sweep out of the folder.
    _lock: File,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    #[serde(default)]
    runs: BTreeMap<String, RunState>,
}

/// The state of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunState {
    /// The largest number of runs that ever ran at the same time, including this one. If there were several, its times
    /// say little.
    pub jobs: usize,
    /// The steps that were asked for, if not the recipe's epochs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// How it ended when it was last trained.
    pub outcome: Outcome,
    /// Its error message, if it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It hasn't ended.
    #[default]
    Begun,
    /// All its steps are done.
    Finished,
    /// It stopped with an error, or was killed.
    Failed,
}

impl State {
    /// The state of the sweep in `folder`, which is empty if there is none yet. The folder is held for this sweep
    /// alone.
    ///
    /// # Errors
    /// If another sweep works in the folder, there is something in it but no state, or the state can't be read.
    pub fn open(folder: &Path) -> Result<State> {
        refuse_foreign(folder)?;
        let (lock, warning) = lock(folder)?;
        remove_temporary(folder);
        let path = folder.join(FILE);
        let saved = match path.try_exists() {
            Ok(false) => Saved::default(),
            _ => parse(&path, &read(&path)?)?,
        };
        Ok(State { folder: folder.to_path_buf(), saved, warning, _lock: lock })
    }

    /// The folder of the sweep.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of a run.
    pub fn run_folder(&self, run: &PlannedRun) -> PathBuf {
        self.folder.join(&run.folder)
    }

    /// The state of `run`; `None` if it has never begun or its folder is gone.
    pub fn of(&self, run: &PlannedRun) -> Option<&RunState> {
        let state = self.saved.runs.get(&run.folder)?;
        (state.outcome == Outcome::Failed || self.can_go_on(run)).then_some(state)
    }

    /// Whether the run has a checkpoint.
    pub fn can_go_on(&self, run: &PlannedRun) -> bool {
        self.run_folder(run).join(folder::CHECKPOINT).is_file()
    }

    /// Whether all steps of `run` are done.
    pub fn is_finished(&self, run: &PlannedRun, steps: Option<u64>) -> bool {
        let finished = |state: &RunState| state.outcome == Outcome::Finished;
        self.of(run).is_some_and(|state| finished(state) && state.steps == steps)
    }

    /// Notes the state of a run and writes it to the disk.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn note(&mut self, run: &PlannedRun, state: RunState) -> Result<()> {
        self.saved.runs.insert(run.folder.clone(), state);
        let text = toml::to_string(&self.saved).expect("names, words and numbers");
        write_whole(&self.folder.join(FILE), text.as_bytes())
    }

    /// Refuses a run whose folder was made by another recipe, as the rest of its training would not be what the sweep's
    /// file says.
    ///
    /// # Errors
    /// If so, with the first line that differs, or if the recipe there can't be read.
    pub fn check(&self, run: &PlannedRun) -> Result<()> {
        let path = self.run_folder(run).join(folder::RECIPE);
        if !path.is_file() {
            return Ok(());
        }
        let saved = Recipe::read(&path, &[])?;
        let Some(difference) = saved.difference(&run.recipe) else {
            return Ok(());
        };
        let fix = "choose another --out, or remove this run's folder to train it again";
        Err(Error::place(&path, format!("{difference}; {fix}")))
    }
}

/// Reads the bytes of a sweep's `runs.toml`; `path` only names it in errors.
///
/// # Errors
/// If they are not what a sweep has written.
pub fn check(path: &Path, bytes: &[u8]) -> Result<()> {
    parse(path, bytes).map(drop)
}

/// The states of runs in the bytes of the file `path`.
fn parse(path: &Path, bytes: &[u8]) -> Result<Saved> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not text".to_string());
    let saved = text.and_then(|text| toml::from_str(text).map_err(|error| brief(error.message())));
    saved.map_err(|why| {
        let what = format!("is not what a sweep has written ({why})");
        let fix = "remove the folder to begin anew, or choose another --out";
        Error::place(path, format!("{what}; {fix}"))
    })
}

/// Refuses a folder that has something in it but no sweep, before anything is written to it.
fn refuse_foreign(folder: &Path) -> Result<()> {
    if !folder.is_dir() || is_file(&folder.join(FILE))? {
        return Ok(());
    }
    let is_lock = |path: &Path| path.file_name().is_some_and(|name| name == LOCK);
    // Files of a sweep that was killed before it noted anything, and files that nobody needs, don't count.
    let is_nothing = |path: &PathBuf| is_lock(path) || is_temporary(path) || folder::is_litter(path);
    match list(folder)?.iter().all(is_nothing) {
        true => Ok(()),
        false => {
            let what = "is not empty and holds no sweep; choose another --out";
            Err(Error::place(folder, what))
        }
    }
}

/// Holds the folder for one sweep alone as long as the file is open; a warning where there are no locks.
fn lock(folder: &Path) -> Result<(File, Option<String>)> {
    make_folder(folder)?;
    let path = folder.join(LOCK);
    let file = File::create(&path).map_err(Error::io(&path))?;
    match try_lock(&file) {
        Ok(true) => Ok((file, None)),
        Err(error) => Ok((file, Some(no_locks(folder, &error)))),
        Ok(false) => {
            let what = "another sweep works in this folder; wait for it, or choose another --out";
            Err(Error::busy(folder, what))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::Sweep;
    use std::fs;

    #[test]
    fn what_is_noted_is_found_again_and_what_is_gone_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let sweep = Sweep::load("scaling").unwrap();
        let runs = sweep.plan(true, &[]).unwrap().runs;
        let mut state = State::open(&out).unwrap();
        fs::create_dir_all(out.join(&runs[0].folder)).unwrap();
        let finished = RunState { jobs: 2, steps: Some(3), outcome: Outcome::Finished, error: None };
        let failed = RunState { outcome: Outcome::Failed, error: Some("it's \"gone\"".into()), ..finished.clone() };
        state.note(&runs[0], finished.clone()).unwrap();
        state.note(&runs[1], failed.clone()).unwrap();
        drop(state);
        let state = State::open(&out).unwrap();
        assert_eq!(state.of(&runs[0]), None, "it has no checkpoint");
        fs::write(out.join(&runs[0].folder).join(folder::CHECKPOINT), "").unwrap();
        assert_eq!(state.of(&runs[0]), Some(&finished));
        assert_eq!(state.of(&runs[1]), Some(&failed));
        assert!(state.is_finished(&runs[0], Some(3)));
        assert!(!state.is_finished(&runs[0], Some(4)));
        assert!(!state.is_finished(&runs[1], Some(3)));
    }

    #[test]
    fn folders_of_something_else_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path();
        let sweep = Sweep::load("scaling").unwrap();
        let run = &sweep.plan(false, &[]).unwrap().runs[0];
        let state = State::open(out).unwrap();
        state.check(run).unwrap();
        fs::create_dir(state.run_folder(run)).unwrap();
        let path = state.run_folder(run).join(folder::RECIPE);
        fs::write(&path, run.recipe.to_toml()).unwrap();
        state.check(run).unwrap();
        let quick = &sweep.plan(true, &[]).unwrap().runs[0];
        let error = state.check(quick).unwrap_err().to_string();
        let what = "recipe.toml: data.name is \"mnist\" where \"digits\" is asked for; choose";
        assert!(error.contains(what), "{error}");
        let error = State::open(out).unwrap_err().to_string();
        assert!(error.contains("not empty and holds no sweep"), "{error}");
        fs::write(out.join(FILE), "[runs.a]\njobs = 'x'").unwrap();
        let error = State::open(out).unwrap_err().to_string();
        assert!(error.contains("another sweep works in this folder"), "{error}");
        drop(state);
        let error = State::open(out).unwrap_err().to_string();
        assert!(error.contains("is not what a sweep has written ("), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
}
