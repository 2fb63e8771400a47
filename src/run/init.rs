//! Starts a run from another run's weights: every weight and statistic with the same name and shape is taken.

use super::checkpoint::{self, Wanted};
use super::folder::{CHECKPOINT, DISCRIMINATOR, GENERATOR};
use crate::gan::classifier;
use crate::gan::model::{AUGMENT, AVERAGE, Gan};
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// The largest number of tensors that a message names as not fitting.
const MOST_NAMED: usize = 4;

/// Gives both networks of `gan` the tensors that `run` has for them: a run's folder, one that `minimax import` has
/// made, or one of their files. The optimisers start anew, and so does an average of the weights. Returns a line that
/// says how many tensors were taken, and which were not.
///
/// # Errors
/// If there is no such file, it is damaged, or none of its tensors fits.
pub(super) fn init(gan: &mut Gan, run: &Path) -> Result<String> {
    let line = fill(gan, run)?;
    if let Some(average) = &mut gan.average {
        average.restart(&gan.generator);
    }
    if let Some(classifier) = &mut gan.classifier {
        classifier.average.restart(&classifier.network);
    }
    Ok(line)
}

/// Fills both networks, as [`init`].
fn fill(gan: &mut Gan, run: &Path) -> Result<String> {
    let prefixes = [AVERAGE, AUGMENT, classifier::AVERAGE];
    let is_network =
        |name: &str| !name.contains("_optimizer.") && !prefixes.iter().any(|prefix| name.starts_with(prefix));
    let all = gan.named_mut().into_iter();
    let all = all.filter(|(name, _)| is_network(name));
    let mut wanted: Vec<Wanted> = all.map(|(name, tensor)| Wanted { name, tensor, found: None }).collect();
    let count = wanted.len();
    for file in files(run)? {
        wanted = checkpoint::fill(&file, wanted)?;
    }
    let why = |one: &Wanted| {
        let (name, shape) = (&one.name, one.tensor.dims());
        match &one.found {
            Some(found) => format!("{name} ({shape:?} here, {found} there)"),
            None => format!("{name} (not there)"),
        }
    };
    let taken = count - wanted.len();
    if taken == 0 {
        let first = wanted.first().map_or(String::new(), why);
        let what = format!("has no tensor that fits the recipe's networks: {first}");
        let fix = "give a run whose recipe has such layers at the same places";
        return Err(Error::place(run, format!("{what}; {fix}")));
    }
    let mut line = format!("weights: {taken} of {count} tensors from {}", run.display());
    let named: Vec<String> = wanted.iter().take(MOST_NAMED).map(why).collect();
    if !named.is_empty() {
        line += &format!("; begun anew: {}", named.join(", "));
    }
    match wanted.len() - named.len() {
        0 => {}
        more => line += &format!(" and {more} more"),
    }
    Ok(line)
}

/// The files that hold the weights of `run`.
fn files(run: &Path) -> Result<Vec<PathBuf>> {
    if !run.is_dir() {
        return Ok(vec![run.to_path_buf()]);
    }
    let whole = run.join(CHECKPOINT);
    if whole.is_file() {
        return Ok(vec![whole]);
    }
    let parts = [GENERATOR, DISCRIMINATOR].map(|name| run.join(name));
    let parts: Vec<_> = parts.into_iter().filter(|path| path.is_file()).collect();
    if parts.is_empty() {
        let what = format!("holds neither {CHECKPOINT} nor {GENERATOR}; give the folder of a run");
        return Err(Error::place(run, what));
    }
    Ok(parts)
}
