//! `minimax report`: the pictures of a run, made again from what is in its folder.

use super::{print, warn};
use crate::run::folder::{RECIPE, REPORT};
use crate::run::summary;
use crate::{Error, Result};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `minimax report`.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// A run's folder; the run may still be training
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
}

/// Runs `minimax report` and prints one line.
///
/// # Errors
/// [`Error::Place`] if the folder has no run, and those of [`summary::write`].
pub fn run(args: &ReportArgs) -> Result<()> {
    if !args.run.join(RECIPE).is_file() {
        let what = format!("holds no {RECIPE}; give the folder of a run");
        return Err(Error::place(&args.run, what));
    }
    for line in summary::write(&args.run)? {
        warn(&line);
    }
    let page = args.run.join(REPORT);
    print(&format!("written: {}\n", page.display()))
}
