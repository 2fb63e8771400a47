//! Training from Python: `train` begins a run, `resume` goes on with one.

mod epoch;
mod follow;
mod overrides;

use self::follow::follow;
use self::overrides::Overrides;
use crate::device;
use crate::errors::guarded;
use minimax::data::{DIGITS, Images};
use minimax::judge::{self, Judge};
use minimax::recipe::Recipe;
use minimax::run::folder::new_folder;
use minimax::run::judging;
use minimax::run::{self, Outcome, State};
use minimax::{Device, Result};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Where runs go that are given no folder.
const RUNS: &str = "runs";

/// How a training went, and the folder with all that it left. It may stand wherever a path may.
#[pyclass(module = "minimax", frozen, get_all)]
pub struct Run {
    /// The run's folder.
    folder: PathBuf,
    /// Steps done since the run was begun.
    step: u64,
    /// Whole epochs that are done.
    epochs: u64,
    /// "finished", "stopped" (by the callback) or "settled" (patience was at its end).
    outcome: &'static str,
    /// What a person should know of the data and of how the run began, a line each.
    notes: Vec<String>,
}

#[pymethods]
impl Run {
    fn __fspath__(&self) -> OsString {
        self.folder.clone().into()
    }

    fn __repr__(&self) -> String {
        let Run { folder, step, epochs, outcome, .. } = self;
        format!("Run({:?}, step={step}, epochs={epochs}, outcome=\"{outcome}\")", folder.display().to_string())
    }
}

/// Trains a GAN by a recipe, in a new folder, and leaves there what `minimax train` leaves.
///
/// recipe is a built-in one's name or a .toml file; out the folder, without which it is a new runs/<recipe>-<n>; data a
/// data set's name or a path; overrides changes any key of the recipe, such as {"generator.optimizer.learning_rate": 1e-4},
/// and None takes a key away. steps ends training earlier than the epochs do, patience when so many epochs have not
/// bettered the best. judge is a file of `minimax judge train`; the built-in digits have one by themselves.
///
/// callback is called at the end of each epoch and of training, with a dict: epoch, step, seconds, d_loss, g_loss, scores
/// and alarms; what isn't known is None. If it returns False, training stops. So it does at a KeyboardInterrupt and at an
/// exception in the callback, which are raised then. However it ends, all is saved, and minimax.resume goes on.
#[pyfunction]
#[pyo3(
    signature = (
        recipe="quickstart".into(), out=None, *, data=None, epochs=None, steps=None, seed=None, overrides=None,
        judge=None, patience=None, device="auto", callback=None
    ),
    text_signature = "(recipe='quickstart', out=None, *, data=None, epochs=None, steps=None, seed=None, overrides=None, \
                      judge=None, patience=None, device='auto', callback=None)"
)]
#[expect(clippy::too_many_arguments, reason = "all but two are named where it is called")]
pub fn train(
    py: Python,
    recipe: PathBuf,
    out: Option<PathBuf>,
    data: Option<PathBuf>,
    epochs: Option<u64>,
    steps: Option<u64>,
    seed: Option<u64>,
    overrides: Option<Bound<PyDict>>,
    judge: Option<PathBuf>,
    patience: Option<u64>,
    device: &str,
    callback: Option<Bound<PyAny>>,
) -> PyResult<Run> {
    let device = device::named_or_auto(device)?;
    let overrides = Overrides::new(overrides)?.data(data)?.number("training.epochs", epochs)?;
    let overrides = overrides.number("training.seed", seed)?;
    let run = py.detach(|| {
        guarded(|| {
            let recipe = match recipe.to_str() {
                Some(name) => Recipe::load(name, &overrides.entries)?,
                None => Recipe::read(&recipe, &overrides.entries)?,
            };
            let judge = |recipe: &Recipe, images: &Images| judge_of(judge.as_deref(), recipe, images, device);
            run::Run::create(recipe, device, None, judge, |recipe| match out {
                Some(folder) => Ok(folder),
                None => new_folder(Path::new(RUNS), &recipe.name),
            })
        })
    })?;
    go_on(py, run, steps, patience, callback)
}

/// Goes on with a run, its folder, bit for bit as if it had not stopped unless overrides says a change.
///
/// epochs and steps are counted from the run's start; the other arguments are those of minimax.train.
#[pyfunction]
#[pyo3(signature = (run, *, epochs=None, steps=None, overrides=None, patience=None, device=None, callback=None))]
#[expect(clippy::too_many_arguments, reason = "all but one are named where it is called")]
pub fn resume(
    py: Python,
    run: PathBuf,
    epochs: Option<u64>,
    steps: Option<u64>,
    overrides: Option<Bound<PyDict>>,
    patience: Option<u64>,
    device: Option<&str>,
    callback: Option<Bound<PyAny>>,
) -> PyResult<Run> {
    let device = device.map(device::named_or_auto).transpose()?;
    let overrides = Overrides::new(overrides)?.number("training.epochs", epochs)?;
    let run = py.detach(|| {
        guarded(|| {
            run::Run::resume(&run, device, State::Last, |saved| {
                Recipe::parse(&saved.recipe.name, &saved.recipe.to_toml(), &overrides.entries)
            })
        })
    })?;
    go_on(py, run, steps, patience, callback)
}

/// What judges the samples: the judge in the file `given`, or that of the built-in digits.
fn judge_of(given: Option<&Path>, recipe: &Recipe, images: &Images, device: Device) -> Result<Option<Judge>> {
    match given {
        _ if recipe.judge.every == 0 => Ok(None),
        Some(path) => {
            let judge = judge::load(path, device)?;
            judging::check(path, &judge, &recipe.data.name, images)?;
            Ok(Some(judge))
        }
        None if recipe.data.name == DIGITS => Ok(Some(judge::built_in(device))),
        None => Ok(None),
    }
}

/// Trains `run` until `steps` are done, or else the recipe's epochs.
fn go_on(
    py: Python,
    mut run: run::Run,
    steps: Option<u64>,
    patience: Option<u64>,
    callback: Option<Bound<PyAny>>,
) -> PyResult<Run> {
    run.patience = patience;
    let last = steps.unwrap_or(run.total_steps());
    let outcome = match follow(py, &mut run, last, callback)? {
        Outcome::Finished => "finished",
        Outcome::Stopped => "stopped",
        Outcome::Settled => "settled",
    };
    let (folder, step, epochs) = (run.folder().to_path_buf(), run.steps(), run.epochs_done());
    Ok(Run { folder, step, epochs, outcome, notes: run.notes })
}
