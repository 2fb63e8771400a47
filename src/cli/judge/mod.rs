//! `minimax judge`: measures how good samples are, compared with real images, by a classifier of its own.

pub(super) mod cache;
mod plane;
mod samples;
mod subject;
mod table;
mod train;

pub use samples::SamplesArgs;
pub use train::TrainArgs;

use crate::Result;
use clap::{Args, Subcommand};

/// Arguments of `minimax judge`.
#[derive(Args, Debug)]
#[command(arg_required_else_help = true, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct JudgeArgs {
    /// The subcommand, if there is one.
    #[command(subcommand)]
    pub command: Option<JudgeCommand>,
    /// The samples to judge.
    #[command(flatten)]
    pub samples: SamplesArgs,
}

/// The subcommand of `minimax judge`.
#[derive(Subcommand, Debug)]
pub enum JudgeCommand {
    /// Train the classifier that judges samples of a data set; each data set needs this only once
    Train(TrainArgs),
}

/// Runs `minimax judge`.
///
/// # Errors
/// Those of the commands of [`TrainArgs`] and [`SamplesArgs`].
pub fn run(args: &JudgeArgs) -> Result<()> {
    match &args.command {
        Some(JudgeCommand::Train(args)) => train::run(args),
        None => samples::run(&args.samples),
    }
}
