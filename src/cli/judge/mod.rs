//! `minimax judge`: how good samples are, beside real images, by a classifier of its own.

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
    /// What to do besides judging.
    #[command(subcommand)]
    pub command: Option<JudgeCommand>,
    /// What to judge.
    #[command(flatten)]
    pub samples: SamplesArgs,
}

/// What `minimax judge` can do besides judging.
#[derive(Subcommand, Debug)]
pub enum JudgeCommand {
    /// Train the classifier that samples of a data set are judged by, once and for all
    Train(TrainArgs),
}

/// Runs `minimax judge`.
///
/// # Errors
/// Whatever [`TrainArgs`]' and [`SamplesArgs`]' commands say.
pub fn run(args: &JudgeArgs) -> Result<()> {
    match &args.command {
        Some(JudgeCommand::Train(args)) => train::run(args),
        None => samples::run(&args.samples),
    }
}
