//! The command line: one module per subcommand, and the functions with which all of them write to the terminal.
//!
//! An error is one line, `error: ...`, on the standard error. The exit code is 2 for a mistake in the command itself
//! and 1 for most other errors (see [`Error::exit_code`]).

use std::io::{ErrorKind, IsTerminal, Write};
use std::ops::RangeInclusive;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use indicatif::ProgressBar;

use crate::cpu::needed;
use crate::terminal::{line, lines};
use crate::unwind::catch;
use crate::{Error, Result};

mod bar;
pub mod data;
pub mod device;
pub mod exercise;
pub mod export;
pub mod gradcheck;
pub mod import;
pub mod interpolate;
pub mod interrupt;
pub mod judge;
mod output;
mod overrides;
mod progress;
pub mod recipes;
pub mod report;
pub mod sample;
mod signals;
pub mod sweep;
mod table;
pub mod train;

/// Trains GANs on a tensor engine of its own.
#[derive(Debug, Parser)]
#[command(name = "minimax", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// A subcommand takes a row here and one in [`run`].
#[derive(Debug, Subcommand)]
enum Command {
    /// Train a GAN
    Train(train::TrainArgs),
    /// Make images with a trained generator
    Sample(sample::SampleArgs),
    /// Measure how good samples are, compared with real images, or train the judge for it
    Judge(judge::JudgeArgs),
    /// Train with a grid of settings and plot the results
    Sweep(sweep::SweepArgs),
    /// Make the pictures and the report of a run again
    Report(report::ReportArgs),
    /// Make the images between two latents, as a strip and as a GIF
    Interpolate(interpolate::InterpolateArgs),
    /// Write a trained network for Keras, PyTorch or an ONNX runtime
    Export(export::ExportArgs),
    /// Read weights that Keras or PyTorch has trained
    Import(import::ImportArgs),
    /// List the built-in recipes, or show the layers of one
    Recipes(recipes::RecipesArgs),
    /// List, download, verify or preview data sets
    Data(data::DataArgs),
    /// Check gradients against finite differences, or a device against the reference
    Gradcheck(gradcheck::GradcheckArgs),
    /// Write pieces of the engine yourself: exercises of the book in docs/book, and their grader
    Exercise(exercise::ExerciseArgs),
}

fn run() -> Result<()> {
    let command = parse()?;
    // Commands without --threads compute too, if only pictures.
    use Command::{Data, Exercise, Export, Gradcheck, Report, Sweep};
    if let Some(Data(_) | Exercise(_) | Export(_) | Gradcheck(_) | Report(_) | Sweep(_)) = &command {
        set_threads(None)?;
    }
    match command {
        None => Ok(()),
        Some(Command::Train(args)) => train::run(&args),
        Some(Command::Sample(args)) => sample::run(&args),
        Some(Command::Judge(args)) => judge::run(&args),
        Some(Command::Sweep(args)) => sweep::run(&args),
        Some(Command::Report(args)) => report::run(&args),
        Some(Command::Interpolate(args)) => interpolate::run(&args),
        Some(Command::Export(args)) => export::run(&args),
        Some(Command::Import(args)) => import::run(&args),
        Some(Command::Recipes(args)) => recipes::run(args),
        Some(Command::Data(args)) => data::run(&args),
        Some(Command::Gradcheck(args)) => gradcheck::run(&args),
        Some(Command::Exercise(args)) => exercise::run(&args),
    }
}

/// Runs the command that the process was started with; the whole of `main`.
pub fn main() -> ExitCode {
    // First of all, as any other code might have been compiled to instructions that the processor lacks.
    needed::check();
    signals::report_file_size_limit();
    let Err(error) = catch(run) else {
        return ExitCode::SUCCESS;
    };
    bar::clear();
    let label = match error {
        Error::Interrupted(_) => "",
        _ => "error: ",
    };
    // The engine knows nothing about recipes, in which the batch size has a key.
    let error_line = error.to_string().replace("lower the batch size", "lower training.batch_size");
    complain(&format!("{label}{error_line}"));
    ExitCode::from(error.exit_code())
}

/// Prints the error that ends the program. If this fails too, there is no other way to tell the user.
fn complain(text: &str) {
    #[expect(clippy::disallowed_methods, reason = "an error displays as one plain line")]
    let mut stderr = std::io::stderr();
    let _ = writeln!(stderr, "{text}");
}

/// The command that was asked for; `None` after `--help`, `--version` or no command, for which the text has been
/// printed.
fn parse() -> Result<Option<Command>> {
    let matches = with_negative_numbers(Cli::command()).try_get_matches();
    match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => Ok(Some(cli.command)),
        Err(error) if is_mistake(&error) => Err(Error::Usage(match (elsewhere(&error), second(&error)) {
            (Some((flag, fix)), _) => format!("unexpected argument '{flag}' found; {fix}"),
            (_, Some(word)) => format!("unexpected argument '{word}' found; {ONE}; see --help"),
            _ => fold(&error.to_string()),
        })),
        Err(help) => print(&help.to_string()).map(|()| None),
    }
}

fn is_mistake(error: &clap::Error) -> bool {
    let asked = clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    error.use_stderr() && error.kind() != asked
}

/// `command` with `-1` accepted as a value wherever a flag takes one, so that the message says which values are allowed
/// and not that there is no flag `-1`.
fn with_negative_numbers(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| {
        let takes_values = arg.get_action().takes_values();
        arg.allow_negative_numbers(takes_values)
    });
    command.mut_subcommands(with_negative_numbers)
}

/// Flags of other programs, and their equivalents here.
const ELSEWHERE: [(&[&str], &str); 6] = [
    (
        &["--lr", "--learning-rate", "--learning_rate", "--lr-g", "--lr-d", "--lrG", "--lrD"],
        "learning rates are keys of the recipe: --set generator.optimizer.learning_rate=1e-4 and \
         --set discriminator.optimizer.learning_rate=1e-4",
    ),
    (
        &["--beta1", "--beta2", "--betas", "--b1", "--b2"],
        "betas are keys of the recipe: --set generator.optimizer.betas=[0.5, 0.999]",
    ),
    (&["--loss", "--gan-mode"], "the loss is a key of the recipe: --set training.loss=bce"),
    (
        &["--nz", "--latent-dim", "--latent_dim", "--z-dim"],
        "the latent's width is a key of the recipe: --set generator.input=[100]",
    ),
    (&["--gpu", "--cuda"], "a GPU is chosen by --device cuda"),
    (&["--batch", "--batch_size", "--batchSize", "--bs"], "images in a step are said by --batch-size"),
];

/// The unknown flag, and its equivalent here.
fn elsewhere(error: &clap::Error) -> Option<(&str, &'static str)> {
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let known = ELSEWHERE.iter().find(|(names, _)| names.contains(&&flag[..]))?;
    let unknown = error.kind() == clap::error::ErrorKind::UnknownArgument;
    unknown.then_some((flag, known.1))
}

/// What may follow the command `judge`, which has a subcommand besides its own arguments.
const ONE: &str = "one run, array or folder is judged at a time, and a judge is trained by: minimax judge train DATA";

/// The second word after such a command, which clap takes for a subcommand.
fn second(error: &clap::Error) -> Option<&str> {
    match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(word)) if error.kind() == clap::error::ErrorKind::ArgumentConflict => Some(word),
        _ => None,
    }
}

/// The parser of a flag that takes a whole number within `range`; its message for any other value gives the range.
fn whole<T: TryFrom<u64>>(range: RangeInclusive<u64>) -> impl Fn(&str) -> std::result::Result<T, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            format!("choose a whole number from {least} to {most}")
        })
    }
}

/// Writes `text`, whose line breaks are our own, to the standard output; whatever else in it would steer a
/// terminal is written out (see [`crate::terminal`]). Lints keep every other way to a terminal shut. A reader that has
/// gone away (`minimax recipes | head -1`) is no error; `println!` would panic there, so nothing in this program uses
/// it.
pub fn print(text: &str) -> Result<()> {
    #[expect(clippy::disallowed_methods, reason = "the text is made plain first")]
    let mut out = std::io::stdout().lock();
    match out.write_all(lines(text).as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Error::io("standard output")(error)),
        _ => Ok(()),
    }
}

/// Prints one line, above the bar if there is one. If nobody reads it, that is no reason to stop.
#[expect(clippy::disallowed_methods, reason = "the line is made plain first")]
fn say(bar: Option<&ProgressBar>, text: &str) {
    let text = line(text);
    let say = || drop(print(&format!("{text}\n")));
    match bar {
        Some(bar) => bar.suspend(say),
        None => say(),
    }
}

/// Whether a person is watching, as both outputs are a terminal.
#[expect(clippy::disallowed_methods, reason = "nothing is written")]
fn is_terminal() -> bool {
    std::io::stdout().is_terminal() && std::io::stderr().is_terminal()
}

/// Prints `text` in one line on the standard error, so that it isn't mixed with results. If it can't be printed, that
/// is no reason to stop.
fn note(text: &str) {
    #[expect(clippy::disallowed_methods, reason = "the line is made plain first")]
    let mut stderr = std::io::stderr();
    let _ = writeln!(stderr, "{}", bar::wrapped_note(&line(text)));
}

/// As [`note`], for a warning.
fn warn(text: &str) {
    note(&format!("warning: {text}"));
}

/// The most threads that can be asked for.
const MOST_THREADS: u64 = 1024;

/// Makes the pool of threads that kernels run on; all cores without a `count`.
///
/// # Errors
/// [`Error::Usage`] if the count is out of range, or if the system gives no threads.
fn set_threads(count: Option<usize>) -> Result<()> {
    let mut pool = rayon::ThreadPoolBuilder::new();
    if let Some(count) = count {
        pool = pool.num_threads(count);
    }
    pool.build_global().map_err(|error| {
        let fix = "end other programs, or raise the limit on processes (ulimit -u)";
        Error::Usage(match count {
            Some(count) => format!("--threads {count}: {error}; choose fewer, {fix}"),
            None => format!("no threads to compute on: {error}; {fix}"),
        })
    })
}

/// Clap's paragraphs on a wrong flag (message, tip, usage) as one line without the usage.
fn fold(message: &str) -> String {
    let usage = ["\n\nUsage:", "\n\nFor more information"];
    let end = usage.iter().filter_map(|start| message.find(start)).min();
    let said = &message[..end.unwrap_or(message.len())];
    let said = said.strip_prefix("error: ").unwrap_or(said);
    let lines: Vec<_> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    format!("{}; see --help", lines.join("; ").replace(":; ", ": "))
}
