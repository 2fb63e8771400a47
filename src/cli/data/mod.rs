//! `minimax data`: getting a data set, and looking at it before training on it.

mod fetch;
mod list;
mod preview;
mod verify;

pub use fetch::FetchArgs;
pub use list::ListArgs;
pub use preview::PreviewArgs;
pub use verify::VerifyArgs;

use crate::Result;
use crate::data::manifest::Manifest;
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

/// Where downloads go, and where a data set's name is looked for.
const DATASETS: &str = "datasets";

/// Arguments of `minimax data`.
#[derive(Args, Debug)]
#[command(arg_required_else_help = true)]
pub struct DataArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: DataCommand,
}

/// What `minimax data` can do.
#[derive(Subcommand, Debug)]
pub enum DataCommand {
    /// List the data sets: their contents, their licences, and which are here
    List(ListArgs),
    /// Download a public data set
    Fetch(FetchArgs),
    /// Check the files of a public data set by their sizes and SHA-256 sums
    Verify(VerifyArgs),
    /// Write a picture of random images from a data set
    Preview(PreviewArgs),
}

/// The flag that names another list of data sets.
#[derive(Args, Debug)]
pub struct ManifestArgs {
    /// Use the data sets of this file, which has the form of datasets/manifest.toml
    #[arg(long = "manifest", value_name = "FILE")]
    pub path: Option<PathBuf>,
}

/// Runs `minimax data`.
///
/// # Errors
/// Those of the subcommand; see [`FetchArgs`], [`VerifyArgs`], [`ListArgs`] and [`PreviewArgs`].
pub fn run(args: &DataArgs) -> Result<()> {
    match &args.command {
        DataCommand::List(args) => list::run(args),
        DataCommand::Fetch(args) => fetch::run(args),
        DataCommand::Verify(args) => verify::run(args),
        DataCommand::Preview(args) => preview::run(args),
    }
}

impl ManifestArgs {
    fn load(&self) -> Result<Manifest> {
        match &self.path {
            Some(path) => Manifest::read(path),
            None => Ok(Manifest::built_in()),
        }
    }
}

/// The folder in which a set is looked for by its name.
fn folder_of(set: &str) -> PathBuf {
    Path::new(DATASETS).join(set)
}
