//! `minimax train`: the main job.

use super::{interrupt, print};
use crate::gan::recipe::Recipe;
use crate::gan::run::{Outcome, Progress, Run, latest_folder, new_folder};
use crate::storage::Device;
use crate::{Error, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The recipe that is trained where none is named.
const DEFAULT: &str = "quickstart";

/// Where runs go without `--out`.
const RUNS: &str = "runs";

/// Arguments of `minimax train`.
#[derive(Args, Debug)]
pub struct TrainArgs {
    /// A built-in recipe (see `minimax recipes`) or a .toml file [default: quickstart]
    #[arg(value_name = "RECIPE")]
    pub recipe: Option<String>,
    /// What to train on: a data set's name or a folder [default: the recipe's]
    #[arg(long, value_name = "NAME|DIR")]
    pub data: Option<String>,
    /// How often to go through the data
    #[arg(long, value_name = "N")]
    pub epochs: Option<u64>,
    /// Stop after this many steps, counted from the start of the run
    #[arg(long, value_name = "N")]
    pub steps: Option<u64>,
    /// Images in a step
    #[arg(long, value_name = "N")]
    pub batch_size: Option<u64>,
    /// Of weights, latents, dropout and the order of the data
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// cpu (f32, fast) or reference (f64, plain loops)
    #[arg(long, value_name = "D", default_value = "cpu")]
    pub device: String,
    /// Threads to use; the results don't depend on it [default: all cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// The run's folder [default: runs/<recipe>-<n>]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Change any key of the recipe, such as generator.optimizer.learning_rate=1e-4
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Go on with the run in --out, or with the recipe's latest
    #[arg(long)]
    pub resume: bool,
}

/// Runs `minimax train`.
///
/// # Errors
/// Whatever is wrong with the flags, the recipe, the data or the run folder; [`Error::Diverged`] if a loss stops being a number;
/// [`Error::Interrupted`] if Ctrl-C ended it early.
pub fn run(args: &TrainArgs) -> Result<()> {
    let device: Device = args.device.parse()?;
    set_threads(args.threads)?;
    let mut run = match args.resume {
        true => resume(args, device)?,
        false => start(args, device)?,
    };
    let total = run.total_steps();
    let last = args.steps.unwrap_or(total).min(total);
    if run.step() >= last {
        return print(&format!(
            "{}: {} of {last} steps are done, nothing is left to do; raise --epochs or --steps to go on\n",
            run.folder().display(),
            run.step()
        ));
    }
    print(&introduction(&run, device))?;
    let stop = interrupt::watch()?;
    let mut screen = Screen::new(&run, last);
    // On a thread of the pool: from outside of it every kernel would wake a worker and wait for it.
    let outcome = rayon::scope(|_| run.train(last, &stop, &mut |progress| screen.step(progress)));
    screen.finish();
    farewell(&run, last, outcome?)
}

fn start(args: &TrainArgs, device: Device) -> Result<Run> {
    let recipe = Recipe::load(args.recipe.as_deref().unwrap_or(DEFAULT), &overrides(args))?;
    Run::create(recipe, device, |recipe| match &args.out {
        Some(folder) => Ok(folder.clone()),
        None => new_folder(Path::new(RUNS), &recipe.name),
    })
}

fn resume(args: &TrainArgs, device: Device) -> Result<Run> {
    let asked = args
        .recipe
        .as_ref()
        .map(|name| Recipe::load(name, &[]))
        .transpose()?;
    let folder = match &args.out {
        Some(folder) => folder.clone(),
        None => {
            let name = asked.as_ref().map_or(DEFAULT, |recipe| &recipe.name);
            latest_folder(Path::new(RUNS), name).ok_or_else(|| {
                let what = format!("holds no run {name}-<n> to resume; name its folder by --out");
                Error::run(RUNS, what)
            })?
        }
    };
    Run::resume(&folder, device, |saved| {
        if let Some(asked) = asked.filter(|asked| asked.name != saved.name) {
            let what = format!(
                "is the checkpoint of recipe {}, not of {}; leave the recipe out, or choose another --out",
                saved.name, asked.name
            );
            return Err(Error::run(folder.join("checkpoint.safetensors"), what));
        }
        Recipe::parse(&saved.name, &saved.to_toml(), &overrides(args))
    })
}

/// The flags that are keys of the recipe, as overrides; `--set` comes last and wins.
fn overrides(args: &TrainArgs) -> Vec<String> {
    let data = args
        .data
        .clone()
        .map(|name| toml::Value::String(name).to_string());
    let keys = [
        ("data.name", data),
        ("training.epochs", args.epochs.map(|n| n.to_string())),
        (
            "training.batch_size",
            args.batch_size.map(|n| n.to_string()),
        ),
        ("training.seed", args.seed.map(|n| n.to_string())),
    ];
    let flags = keys
        .into_iter()
        .filter_map(|(key, value)| Some(format!("{key}={}", value?)));
    flags.chain(args.overrides.iter().cloned()).collect()
}

/// Makes the global thread pool.
pub(super) fn set_threads(threads: Option<usize>) -> Result<()> {
    const MOST: usize = 1024;
    let Some(count) = threads else {
        return Ok(());
    };
    if !(1..=MOST).contains(&count) {
        return Err(Error::Usage(format!(
            "--threads {count}: choose from 1 to {MOST}"
        )));
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(count)
        .build_global();
    pool.map_err(|error| Error::Usage(format!("--threads {count}: {error}; choose fewer")))
}

fn introduction(run: &Run, device: Device) -> String {
    let (recipe, images) = (run.recipe(), run.images());
    let from = match run.step() {
        0 => String::new(),
        step => format!(", going on after step {step}"),
    };
    format!(
        "{} on {}: {} images of {}x{}x{}, {} epochs of {} steps of {}{from}\ndevice {device}, {} threads; files go to {}\n",
        recipe.name,
        recipe.data.name,
        images.len(),
        images.height,
        images.width,
        images.channels,
        recipe.training.epochs,
        run.steps_per_epoch(),
        recipe.training.batch_size,
        rayon::current_num_threads(),
        run.folder().display()
    )
}

fn farewell(run: &Run, last: u64, outcome: Outcome) -> Result<()> {
    let folder = run.folder().display();
    if outcome == Outcome::Stopped {
        let step = run.step();
        return Err(Error::Interrupted(format!(
            "stopped after step {step} of {last}, all saved; go on with: minimax train --resume --out {folder}"
        )));
    }
    print(&format!(
        "done: {} steps; samples in {}; more with: minimax sample {folder}\n",
        run.step(),
        run.latest_grid().display()
    ))
}

/// What the user sees of the training: a bar on a terminal, plain lines elsewhere.
struct Screen {
    bar: Option<ProgressBar>,
    epochs: usize,
    first: u64,
    last: u64,
    start: Instant,
    line: Instant,
}

/// How often a plain line is printed within an epoch.
const LINE_EVERY: Duration = Duration::from_secs(10);

impl Screen {
    fn new(run: &Run, last: u64) -> Screen {
        let terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        let bar = terminal.then(|| {
            let style = "{bar:30.cyan/blue} {pos}/{len} {msg}";
            let style = ProgressStyle::with_template(style).expect("a template of known keys");
            let bar = ProgressBar::with_draw_target(Some(last), ProgressDrawTarget::stderr());
            bar.with_style(style).with_position(run.step())
        });
        Screen {
            bar,
            epochs: run.recipe().training.epochs,
            first: run.step(),
            last,
            start: Instant::now(),
            line: Instant::now(),
        }
    }

    fn step(&mut self, progress: &Progress) {
        let Progress {
            step,
            epoch,
            report,
            images_per_second,
            ..
        } = progress;
        let left = self.time_left(*step);
        let state = format!(
            "epoch {epoch}/{}  D loss {:.3}  G loss {:.3}  D(x) {:.2}  D(G(z)) {:.2}  {images_per_second:.0} images/s",
            self.epochs, report.d_loss, report.g_loss, report.d_real, report.d_fake
        );
        if let Some(bar) = &self.bar {
            bar.set_message(format!("{state}  {left} left"));
            bar.set_position(*step);
        }
        if let Some(time) = progress.epoch_time {
            self.say(format!(
                "{state}  {:.1} s an epoch  {left} left",
                time.as_secs_f64()
            ));
        } else if self.bar.is_none() && self.line.elapsed() > LINE_EVERY {
            self.say(format!("step {step}/{}  {state}  {left} left", self.last));
        }
    }

    /// Prints a line, above the bar if there is one. That nobody reads it is no reason to stop training.
    fn say(&mut self, line: String) {
        self.line = Instant::now();
        match &self.bar {
            Some(bar) => bar.println(line),
            None => drop(print(&format!("{line}\n"))),
        }
    }

    fn time_left(&self, step: u64) -> String {
        let (done, rest) = ((step - self.first).max(1), self.last - step);
        let seconds = self.start.elapsed().as_secs_f64() / done as f64 * rest as f64;
        match seconds.round() as u64 {
            s @ 0..60 => format!("{s} s"),
            s @ 60..3600 => format!("{} min {:02} s", s / 60, s % 60),
            s => format!("{} h {:02} min", s / 3600, s / 60 % 60),
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
