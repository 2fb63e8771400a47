//! `minimax sweep`: a grid of training runs, and their comparison.

use super::device::Isa;
use super::overrides::overrides;
use super::{MOST_THREADS, bar, interrupt, print, say, whole};
use crate::data::place::name_of;
use crate::sweep::runner::{self, Event, Settings};
use crate::sweep::state::State;
use crate::sweep::{Plan, Sweep, built_in_names, report, results};
use crate::{Error, Result};
use clap::Args;
use indicatif::ProgressBar;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Arguments of `minimax sweep`.
///
/// The same command goes on where it was stopped, and makes all pictures again.
#[derive(Args, Debug)]
pub struct SweepArgs {
    /// A built-in sweep (see --list) or a .toml file
    #[arg(value_name = "SWEEP", required_unless_present = "list")]
    pub sweep: Option<OsString>,
    /// List the built-in sweeps
    #[arg(long, conflicts_with = "sweep")]
    pub list: bool,
    /// Run the sweep's short form, which takes a few minutes and shows that it works
    #[arg(long)]
    pub quick: bool,
    /// The sweep's folder [default: runs/sweep-NAME, or runs/sweep-NAME-quick with --quick]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Number of runs to train at once; seconds per epoch are only meaningful with 1
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<u16>(1..=64))]
    pub jobs: u16,
    /// Number of threads, divided among the runs that train at once [default: all cores]
    #[arg(long, value_name = "N", value_parser = whole::<u16>(1..=MOST_THREADS))]
    pub threads: Option<u16>,
    /// Instruction set of the processor's kernels; the results don't depend on it
    #[arg(long, value_enum, default_value_t, value_name = "SET")]
    pub isa: Isa,
    /// Data to train on: a data set's name, a folder or a file, as for `train` [default: the recipes']
    #[arg(long, value_name = "NAME|DIR")]
    pub data: Option<OsString>,
    /// Change any key of every recipe, such as training.epochs=5, on top of what the sweep sets
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
}

/// Runs `minimax sweep`.
///
/// # Errors
/// Whatever is wrong with the flags, the sweep, a recipe or the folder, before anything is trained;
/// [`Error::Text`] at the end if a run failed; [`Error::Interrupted`] if Ctrl-C ended it early.
pub fn run(args: &SweepArgs) -> Result<()> {
    let Some(name) = &args.sweep else {
        return list();
    };
    args.isa.set()?;
    let plan = Sweep::load(name)?.plan(args.quick, &recipe_overrides(args)?)?;
    let mut state = State::open(&folder(args, &plan))?;
    if let Some(warning) = &state.warning {
        print(&format!("{warning}\n"))?;
    }
    for run in &plan.runs {
        state.check(run)?;
    }
    let settings = settings(args, &plan, &state)?;
    let stop = interrupt::watch()?;
    print(&introduction(&plan, &state, &settings))?;
    let mut screen = Screen::new(&plan);
    let trained = runner::train(&plan, &mut state, &settings, &stop, &mut |event| {
        screen.show(event);
    });
    screen.finish();
    trained?;
    farewell(&plan, &state, stop())
}

/// The overrides that come after all settings of the sweep.
fn recipe_overrides(args: &SweepArgs) -> Result<Vec<String>> {
    let data = args.data.as_deref().map(name_of).map(toml::Value::String);
    let data = data.map(|name| name.to_string());
    overrides(&[("--data", "data.name", data)], &args.overrides)
}

/// The sweep's folder.
fn folder(args: &SweepArgs, plan: &Plan) -> PathBuf {
    let quick = if args.quick { "-quick" } else { "" };
    let default = || format!("runs/sweep-{}{quick}", plan.name).into();
    args.out.clone().unwrap_or_else(default)
}

fn settings(args: &SweepArgs, plan: &Plan, state: &State) -> Result<Settings> {
    let todo = plan.runs.iter();
    let todo = todo.filter(|run| !state.is_finished(run, plan.steps));
    let jobs = usize::from(args.jobs).min(todo.count().max(1));
    let cores = || std::thread::available_parallelism().map_or(1, |count| count.get());
    let threads = args.threads.map_or_else(cores, usize::from);
    Ok(Settings {
        program: std::env::current_exe().map_err(Error::io("the running program"))?,
        jobs,
        threads: (threads / jobs).max(1),
        isa: args.isa.to_string(),
    })
}

fn list() -> Result<()> {
    let widest = built_in_names().map(str::len).max().unwrap_or(0);
    for name in built_in_names() {
        let sweep = Sweep::load(name)?;
        let runs = sweep.plan(false, &[])?.runs.len();
        let what = &sweep.description;
        print(&format!("{name:<widest$}  {runs} runs  {what}\n"))?;
    }
    Ok(())
}

fn introduction(plan: &Plan, state: &State, settings: &Settings) -> String {
    let each = match plan.steps {
        Some(steps) => format!("{steps} steps each"),
        None => "the epochs of their recipes".into(),
    };
    let (jobs, threads) = (settings.jobs, settings.threads);
    format!(
        "{}: {} runs, {each}; {jobs} at once with {threads} threads; files go to {}\n",
        plan.name,
        plan.runs.len(),
        state.folder().display()
    )
}

/// Writes the report of the runs so far, and prints how the sweep went.
fn farewell(plan: &Plan, state: &State, stopped: bool) -> Result<()> {
    let results = results::read(plan, state)?;
    let finished = results.iter().filter(|result| result.is_finished()).count();
    let all = plan.runs.len();
    let failed = results.iter().filter(|result| result.error.is_some()).count();
    if stopped && finished + failed < all {
        return Err(Error::Interrupted(format!(
            "stopped with {finished} of {all} runs finished, all saved; \
             go on by running the same command again"
        )));
    }
    let page = report::write(plan, state, &results)?;
    if finished < all {
        let unfinished = plan.runs.iter().zip(&results);
        let unfinished = unfinished.filter(|(_, result)| !result.is_finished());
        let why = unfinished.map(|(run, result)| {
            let error = result.error.as_deref().unwrap_or("was stopped");
            format!("{}: {error}", run.folder)
        });
        return Err(Error::Text {
            kind: "sweep",
            name: plan.name.clone(),
            what: format!(
                "{} of {all} runs did not finish ({}); fix the cause and run the same command again",
                all - finished,
                why.collect::<Vec<_>>().join("; ")
            ),
        });
    }
    let page = page.display();
    print(&format!("done: {all} runs; all in {page}\n"))
}

/// What the user sees: a bar over the runs on a terminal, plain lines elsewhere.
struct Screen<'p> {
    plan: &'p Plan,
    bar: Option<ProgressBar>,
    begun: Vec<Instant>,
    /// The runs that are being trained, with the latest to report at the end.
    running: Vec<usize>,
    line: Instant,
}

/// What a sweep's bar counts.
const RUNS: &str = " runs";

/// How often a plain line tells how far a run is.
const LINE_EVERY: Duration = Duration::from_secs(10);

impl Screen<'_> {
    fn new(plan: &Plan) -> Screen<'_> {
        Screen {
            plan,
            bar: bar::counting(plan.runs.len() as u64, RUNS),
            begun: vec![Instant::now(); plan.runs.len()],
            running: Vec::new(),
            line: Instant::now(),
        }
    }

    fn show(&mut self, event: Event) {
        match event {
            Event::Skipped(run) => self.ended(run, "was finished earlier"),
            Event::Waiting(run) => {
                self.say(run, "is still being trained by another process; waits for it");
            }
            Event::Begun(run) => {
                self.begun[run] = Instant::now();
                self.say(run, "begins");
                self.label(run, "begins");
            }
            Event::Finished(run) => {
                let seconds = self.begun[run].elapsed().as_secs_f64();
                self.ended(run, &format!("finished in {seconds:.0} s"));
            }
            Event::Failed(run, error) => self.ended(run, &format!("failed: {error}")),
            // Only a run's progress is shown, not its first and last lines.
            Event::Said(run, line) if line.starts_with("step ") || line.starts_with("epoch ") => {
                if self.bar.is_some() {
                    self.label(run, &line);
                } else if self.line.elapsed() > LINE_EVERY {
                    self.say(run, &line);
                }
            }
            Event::Said(..) => {}
            Event::Stopping => {
                let what = "stopping; what is being trained is saved first";
                say(self.bar.as_ref(), what);
            }
        }
    }

    /// Shows on the bar what `run` has said, and how many other runs are being trained.
    fn label(&mut self, run: usize, said: &str) {
        self.running.retain(|&other| other != run);
        let others = self.running.len();
        self.running.push(run);
        let Some(bar) = &self.bar else { return };
        let mut parts = vec![self.plan.runs[run].folder.clone()];
        parts.extend((others > 0).then(|| format!("and {others} more")));
        parts.extend(said.split("  ").map(str::to_string));
        bar::label(bar, RUNS, &parts);
    }

    fn ended(&mut self, run: usize, how: &str) {
        self.running.retain(|&other| other != run);
        match self.running.last() {
            Some(&other) => self.label(other, ""),
            None => self.bar.iter().for_each(|bar| bar::label(bar, RUNS, &[])),
        }
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
        self.say(run, how);
    }

    fn say(&mut self, run: usize, what: &str) {
        self.line = Instant::now();
        let (number, all) = (run + 1, self.plan.runs.len());
        let folder = &self.plan.runs[run].folder;
        say(self.bar.as_ref(), &format!("[{number}/{all}] {folder}  {what}"));
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
