//! Trains the runs of a sweep, each in a process of its own, so that a run that diverges, is killed or takes all memory
//! doesn't affect the others.
//!
//! A run is `minimax train <folder>/recipe.toml --out=<folder>`, with `--resume` where the folder has a
//! checkpoint. It is asked to stop by closing its standard input. That also happens, on every
//! system, when the sweep itself is killed, so that no training is left behind. If the runs of a killed sweep are still
//! saving, the next sweep waits for them.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::grid::{Plan, PlannedRun};
use super::state::{Outcome, RunState, State};
use crate::error::{BUSY, INTERRUPTED};
use crate::files::{make_folder, write_whole};
use crate::run::folder;
use crate::{Error, Result};

/// How runs are trained.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The program that trains.
    pub program: PathBuf,
    /// The number of runs that are trained at once, at least 1.
    pub jobs: usize,
    /// The number of threads of each run.
    pub threads: usize,
    /// The value of their `--isa`.
    pub isa: String,
}

/// What happens while a sweep runs; a run is given by its index in the plan, from 0.
#[derive(Debug)]
pub enum Event {
    /// A run was finished earlier.
    Skipped(usize),
    /// Another process still trains in the run's folder; the sweep waits for it.
    Waiting(usize),
    /// A run begins.
    Begun(usize),
    /// A run reports its progress.
    Said(usize, String),
    /// A run has finished.
    Finished(usize),
    /// A run has ended with an error.
    Failed(usize, String),
    /// The runs that are being trained have been asked to save and stop.
    Stopping,
}

/// How often `stop` is called.
const POLL: Duration = Duration::from_millis(100);

/// What a run's thread hears from its process.
enum Heard {
    Line(usize, String),
    End(usize, std::io::Result<Output>),
}

/// A process that trains.
struct Training {
    run: usize,
    /// Closed to ask it to stop.
    input: Option<ChildStdin>,
}

/// Trains the unfinished runs of `plan` in `state`'s folder until `stop` says so, and notes in `state` how each run
/// ended. `watch` is told of everything.
///
/// # Errors
/// If a file in the folder can't be written. A run that fails is not an error.
pub fn train(
    plan: &Plan,
    state: &mut State,
    settings: &Settings,
    stop: &dyn Fn() -> bool,
    watch: &mut dyn FnMut(Event),
) -> Result<()> {
    let mut waiting = VecDeque::new();
    for (index, run) in plan.runs.iter().enumerate() {
        if state.is_finished(run, plan.steps) {
            watch(Event::Skipped(index));
        } else {
            waiting.push_back(index);
        }
    }
    let mut held = Vec::new();
    let mut running: Vec<Training> = Vec::new();
    let (sender, receiver) = channel();
    let mut result = Ok(());
    loop {
        let stopping = stop() || result.is_err();
        // If the sweep can no longer write its own files, it lets the running processes save, as if it had been
        // stopped.
        if stopping {
            let inputs = running.iter_mut().filter_map(|training| training.input.take());
            if inputs.count() > 0 {
                watch(Event::Stopping);
            }
        } else if running.len() < settings.jobs
            && let Some(run) = next(&mut waiting, &mut held, plan, state, watch)
        {
            watch(Event::Begun(run));
            match begin(run, plan, state, settings, &sender) {
                Ok(training) => running.push(training),
                Err(error) => result = Err(error),
            }
            continue;
        }
        if running.is_empty() && (stopping || waiting.is_empty()) {
            return result;
        }
        if let Some(Heard::End(run, output)) = hear(&receiver, watch) {
            running.retain(|training| training.run != run);
            match output {
                // The process of a killed sweep did not yet hold the folder when it was looked at.
                Ok(output) if output.status.code() == Some(i32::from(BUSY)) => {
                    waiting.push_back(run);
                }
                output => {
                    let ended = end(run, output, plan, state, watch);
                    result = result.and(ended);
                }
            }
        }
    }
}

/// The next run that no process trains. `held` are those for which the sweep has said that it waits.
fn next(
    waiting: &mut VecDeque<usize>,
    held: &mut Vec<usize>,
    plan: &Plan,
    state: &State,
    watch: &mut dyn FnMut(Event),
) -> Option<usize> {
    let is_free = |&run: &usize| {
        let is_held = folder::is_held(&state.run_folder(&plan.runs[run]));
        if is_held && !held.contains(&run) {
            held.push(run);
            watch(Event::Waiting(run));
        }
        !is_held
    };
    let free = waiting.iter().position(is_free)?;
    waiting.remove(free)
}

fn begin(
    index: usize,
    plan: &Plan,
    state: &mut State,
    settings: &Settings,
    sender: &Sender<Heard>,
) -> Result<Training> {
    let run = &plan.runs[index];
    let earlier = state.of(run).map_or(0, |earlier| earlier.jobs);
    let begun = RunState { jobs: settings.jobs.max(earlier), steps: plan.steps, outcome: Outcome::Begun, error: None };
    state.note(run, begun)?;
    let mut child = start(run, plan.steps, state, settings)?;
    let input = child.stdin.take();
    let sender = sender.clone();
    let thread = std::thread::Builder::new().spawn(move || listen(index, child, &sender));
    thread.map_err(Error::no_thread("to listen to a run"))?;
    Ok(Training { run: index, input })
}

/// Starts the process of a run.
fn start(run: &PlannedRun, steps: Option<u64>, state: &State, settings: &Settings) -> Result<Child> {
    let folder = state.run_folder(run);
    make_folder(&folder)?;
    let recipe = folder.join(folder::RECIPE);
    write_whole(&recipe, run.recipe.to_toml().as_bytes())?;
    let mut out = std::ffi::OsString::from("--out=");
    out.push(&folder);
    let mut command = Command::new(&settings.program);
    command.args(["train", "--stop-with-input"]).arg(out);
    command.arg(format!("--threads={}", settings.threads));
    command.arg(format!("--isa={}", settings.isa));
    if let Some(steps) = steps {
        command.arg(format!("--steps={steps}"));
    }
    if state.can_go_on(run) {
        command.arg("--resume");
    }
    command.arg("--").arg(recipe);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Error::io(&settings.program))
}

/// Passes on what the process of a run prints, and then how it has ended.
fn listen(run: usize, mut child: Child, sender: &Sender<Heard>) {
    // If nobody receives it the sweep has failed, and reports its own error.
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines().map_while(|line| line.ok()) {
            let _ = sender.send(Heard::Line(run, line));
        }
    }
    let _ = sender.send(Heard::End(run, child.wait_with_output()));
}

/// What arrives within [`POLL`]; lines are passed on at once.
fn hear(receiver: &Receiver<Heard>, watch: &mut dyn FnMut(Event)) -> Option<Heard> {
    match receiver.recv_timeout(POLL) {
        Ok(Heard::Line(run, line)) => {
            watch(Event::Said(run, line));
            None
        }
        Ok(end) => Some(end),
        Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
    }
}

/// Notes how a run has ended; one that was stopped stays as it was, begun.
fn end(
    index: usize,
    output: std::io::Result<Output>,
    plan: &Plan,
    state: &mut State,
    watch: &mut dyn FnMut(Event),
) -> Result<()> {
    let run = &plan.runs[index];
    let error = match output {
        Ok(output) if output.status.success() => None,
        Ok(output) if output.status.code() == Some(i32::from(INTERRUPTED)) => return Ok(()),
        Ok(output) => Some(last_words(&output)),
        Err(error) => Some(error.to_string()),
    };
    let begun = state.of(run).cloned().unwrap_or_default();
    let outcome = match &error {
        None => Outcome::Finished,
        Some(_) => Outcome::Failed,
    };
    let ended = RunState { outcome, error: error.clone(), steps: plan.steps, ..begun };
    state.note(run, ended)?;
    watch(match error {
        None => Event::Finished(index),
        Some(error) => Event::Failed(index, error),
    });
    Ok(())
}

/// Why a process has failed: the error that it printed, or anything else that it printed, or how it was killed.
fn last_words(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let error = said.lines().find_map(|line| line.strip_prefix("error: "));
    match error.unwrap_or(said.trim()) {
        "" => format!("ended by {}; it may have run out of memory", output.status),
        words => words.split_whitespace().collect::<Vec<_>>().join(" "),
    }
}
