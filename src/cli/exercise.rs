//! `minimax exercise`: the book's exercises, and who looks at what was written.

use super::table::{Align, align};
use super::{interrupt, print};
use crate::exercise::{EXERCISES, Exercise, check, folder};
use crate::{Error, Result};
use clap::{ArgAction, Args, Subcommand};
use std::path::PathBuf;

/// Arguments of `minimax exercise`.
#[derive(Args, Debug)]
#[command(arg_required_else_help = true)]
pub struct ExerciseArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: ExerciseCommand,
}

/// What `minimax exercise` can do.
#[derive(Subcommand, Debug)]
pub enum ExerciseCommand {
    /// List the exercises, in the order of the book
    List,
    /// Make a small crate with what is to be written, and why the formula is so
    Start(StartArgs),
    /// Build and run what was written, and say what is wrong
    Check(CheckArgs),
}

/// Arguments of `minimax exercise start`.
#[derive(Args, Debug)]
pub struct StartArgs {
    /// An exercise, as `minimax exercise list` names them
    #[arg(value_name = "NAME")]
    name: String,
    /// The folder that becomes its crate: an empty one, or one that isn't there yet
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Arguments of `minimax exercise check`.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// The folder of a crate that `minimax exercise start` has made
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Give a hint if something is wrong; one more for each time that the flag is given
    #[arg(long, action = ArgAction::Count)]
    hint: u8,
}

/// Runs `minimax exercise`.
///
/// # Errors
/// An unknown exercise, a folder that can't be used, and an answer that isn't right (exit code 1).
pub fn run(args: &ExerciseArgs) -> Result<()> {
    match &args.command {
        ExerciseCommand::List => print(&list()),
        ExerciseCommand::Start(args) => start(args),
        ExerciseCommand::Check(args) => check_folder(args),
    }
}

fn list() -> String {
    let head = ["exercise", "chapter", "what to write"].map(str::to_string);
    let rows = EXERCISES.map(|exercise| [exercise.name.into(), exercise.chapter.to_string(), exercise.task.into()]);
    let rows: Vec<_> = [head].into_iter().chain(rows).collect();
    align(&rows, [Align::Left, Align::Right, Align::Left])
}

fn start(args: &StartArgs) -> Result<()> {
    let Some(exercise) = Exercise::find(&args.name) else {
        let names = EXERCISES.map(|exercise| exercise.name).join(", ");
        return Err(Error::Usage(format!("{}: no such exercise; use one of {names}", args.name)));
    };
    folder::start(exercise, &args.folder)?;
    print(&format!(
        "{}: write {}; its comment has the formula. Then: {}\n",
        exercise.name,
        args.folder.join(exercise.files.target).display(),
        folder::check_command(&args.folder)
    ))
}

fn check_folder(args: &CheckArgs) -> Result<()> {
    let stop = interrupt::watch()?;
    let checked = check(&args.folder, args.hint.into(), &stop)?;
    if !checked.report.is_empty() {
        print(&checked.report)?;
    }
    let Some(wrong) = checked.wrong else {
        return Ok(());
    };
    let hint = checked.next_hint.map(|number| {
        let more = if number == 1 { "for a hint" } else { "for one hint more" };
        format!("; {more}: {}{}", folder::check_command(&args.folder), " --hint".repeat(number))
    });
    Err(Error::CheckFailed(wrong + &hint.unwrap_or_default()))
}
