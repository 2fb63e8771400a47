//! `minimax train`: trains a GAN.

use super::device::{Choice, Precision, Processor};
use super::judge::cache;
use super::overrides::overrides;
use super::progress::Screen;
use super::sample::no_sum;
use super::{interrupt, print, warn, whole};
use crate::data::Images;
use crate::data::place::name_of;
use crate::data::plane::Plane;
use crate::files::write_whole;
use crate::judge::Score;
use crate::profile;
use crate::recipe::{MAX_BATCH_SIZE, MAX_EPOCHS, Recipe, built_in_names};
use crate::run::change::tuning;
use crate::run::checkpoint::Checkpoint;
use crate::run::folder::{CHECKPOINT, PROFILE, RECIPE, REPORT, latest_folder, new_folder};
use crate::run::trace::trace;
use crate::run::{self, Outcome, Run};
use crate::terminal::{excerpt, shell_word, thousands};
use crate::{Error, Result};
use clap::{Args, ValueEnum};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The recipe that is trained if none is named.
const DEFAULT: &str = "quickstart";

/// The folder of runs without `--out`.
const RUNS: &str = "runs";

/// Arguments of `minimax train`.
#[derive(Args, Debug)]
pub struct TrainArgs {
    /// A built-in recipe (see `minimax recipes`) or a .toml file [default: quickstart]
    #[arg(value_name = "RECIPE")]
    pub recipe: Option<OsString>,
    /// Data to train on: a data set's name, a folder (of pictures, say), a .zip of pictures, or a .npy or
    /// .npz of arrays [default: the recipe's]
    #[arg(long, value_name = "NAME|PATH")]
    pub data: Option<OsString>,
    /// Number of times to go through the data
    #[arg(long, value_name = "N", value_parser = whole::<u64>(1..=MAX_EPOCHS as u64))]
    pub epochs: Option<u64>,
    /// Train this many steps instead, counted from the start of the run
    #[arg(long, value_name = "N", value_parser = whole::<u64>(1..=u64::MAX))]
    pub steps: Option<u64>,
    /// Batch size
    #[arg(long, value_name = "N", value_parser = whole::<u64>(1..=MAX_BATCH_SIZE as u64))]
    pub batch_size: Option<u64>,
    /// Random seed for weights, latents, dropout and data order
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// Where to compute: auto (the first CUDA device, else the processor), cpu, cuda, cuda:1, or reference (f64, plain
    /// loops) [default: auto, or the resumed run's]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<Choice>,
    /// Precision of a CUDA device's products: tf32 uses its tensor cores, which read only 10 bits of fraction
    #[arg(long, value_enum, default_value_t)]
    pub precision: Precision,
    /// Launch each op on a CUDA device by itself, instead of a whole step as one graph
    #[arg(long)]
    pub no_graph: bool,
    /// How it is computed.
    #[command(flatten)]
    pub processor: Processor,
    /// The run's folder [default: a new one, runs/RECIPE-N]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Keep the checkpoint of every Nth epoch for good, besides the best and the last
    #[arg(long, value_name = "N", value_parser = whole::<u64>(1..=MAX_EPOCHS as u64))]
    pub keep_every: Option<u64>,
    /// Change any key of the recipe, such as generator.optimizer.learning_rate=1e-4
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
    /// Go on with the run in --out, or with the recipe's latest run
    #[arg(long)]
    pub resume: bool,
    /// With --resume: the state to go on from; going on from the best without any --set repeats what the run did
    #[arg(long, value_enum, value_name = "STATE", requires = "resume")]
    pub from: Option<State>,
    /// Begin with the weights of this run, or of one of its files, where names and shapes fit
    #[arg(long, value_name = "RUN", conflicts_with = "resume")]
    pub init: Option<PathBuf>,
    /// Judge of the samples, a file [default: the data set's judge, if there is one; see `minimax judge train`]
    #[arg(long, value_name = "FILE.safetensors", conflicts_with = "resume")]
    pub judge: Option<PathBuf>,
    /// Don't judge the samples, even if there is a judge
    #[arg(long, conflicts_with_all = ["judge", "resume"])]
    pub no_judge: bool,
    /// Stop after this many compared epochs in a row that weren't better than the best
    #[arg(long, value_name = "N", value_parser = whole::<u64>(1..=MAX_EPOCHS as u64))]
    pub patience: Option<u64>,
    /// Time every op: a table at the end (with the launches on a CUDA device), and profile.json in the run's folder,
    /// which Perfetto opens
    #[arg(long)]
    pub profile: bool,
    /// Stop, as with Ctrl-C, when the standard input ends; for programs that start this one
    #[arg(long, hide = true)]
    pub stop_with_input: bool,
}

/// A state of a run that can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum State {
    /// The last state
    Last,
    /// The state whose samples scored best; what came after it is moved into a folder of its own
    Best,
}

/// Runs `minimax train`.
///
/// # Errors
/// Whatever is wrong with the flags, the recipe, the data or the run folder; [`Error::NotFinite`] if a
/// loss is no longer finite; [`Error::Interrupted`] if Ctrl-C ended it early.
pub fn run(args: &TrainArgs) -> Result<()> {
    args.processor.set()?;
    // Before the data is read, which can take a while.
    let interrupted = interrupt::watch()?;
    let mut run = if args.resume { resume(args)? } else { start(args)? };
    run.keep_every = args.keep_every;
    run.patience = args.patience;
    // A profile times ops, and a graph is launched as a whole.
    if args.no_graph || args.profile {
        run.without_graphs();
    }
    let last = args.steps.unwrap_or(run.total_steps());
    if run.steps() >= last {
        // It may have been killed, or the disk may have been full, when only its report was left to write.
        run.write_report()?;
        let notes: String = run.notes.iter().map(|note| format!("{note}\n")).collect();
        let (folder, done) = (run.folder().display(), run.steps());
        return print(&format!(
            "{notes}{folder}: {done} steps are done, nothing is left to do but write the report again; \
             go on with a larger --epochs or --steps\n"
        ));
    }
    print(&introduction(args, &run, last)?)?;
    let left_alone = args.stop_with_input.then(interrupt::end_of_input).transpose()?;
    let stop = || interrupted() || left_alone.as_ref().is_some_and(|ended| ended());
    let mut screen = Screen::new(&run, last);
    if args.profile {
        profile::start();
    }
    // On a thread of the pool: from outside, every kernel would wake a worker and wait for it.
    let outcome = rayon::scope(|_| run.train(last, &stop, &mut |progress| screen.step(progress)));
    let profile = profile::finish();
    screen.finish();
    if let Some(profile) = profile {
        write_whole(&run.folder().join(PROFILE), trace(&profile).as_bytes())?;
        print(&profile.table())?;
    }
    farewell(args, &run, last, outcome?)
}

fn start(args: &TrainArgs) -> Result<Run> {
    let device = args.device.unwrap_or_default().resolve()?;
    args.precision.set(device)?;
    let recipe = load(args.recipe.as_deref().unwrap_or(DEFAULT.as_ref()), args)?;
    if args.judge.is_some() && recipe.judge.every == 0 {
        let what = "--judge: with judge.every = 0 nothing is judged; leave one of them out";
        return Err(Error::Usage(what.into()));
    }
    if let (Some(_), Some(plane)) = (&args.judge, Plane::named(&recipe.data.name)) {
        let what = format!("--judge: the recipe makes points of {}, not images; leave the flag out", plane.name());
        return Err(Error::Usage(what));
    }
    let judge = |recipe: &Recipe, images: &Images| match args.no_judge || recipe.judge.every == 0 {
        true => Ok(None),
        false => cache::of_run(args.judge.as_deref(), &recipe.data, images, device),
    };
    Run::create(recipe, device, args.init.as_deref(), judge, |recipe| match &args.out {
        Some(folder) => Ok(folder.clone()),
        None => new_folder(Path::new(RUNS), &recipe.name),
    })
}

fn resume(args: &TrainArgs) -> Result<Run> {
    let asked = args.recipe.as_ref().map(|name| load(name, args));
    let asked = asked.transpose()?;
    let folder = match &args.out {
        Some(folder) => folder.clone(),
        None => {
            let name = asked.as_ref().map_or(DEFAULT, |recipe| &recipe.name);
            latest_folder(Path::new(RUNS), name).ok_or_else(|| {
                let what = format!("holds no run {name}-<n> to resume; name its folder by --out");
                Error::place(RUNS, what)
            })?
        }
    };
    let device = args.device.map(Choice::resolve).transpose()?;
    let from = match args.from {
        Some(State::Best) => run::State::Best,
        Some(State::Last) | None => run::State::Last,
    };
    let run = Run::resume(&folder, device, from, |saved| {
        if !saved.has_sum {
            warn(&no_sum(&folder.join(CHECKPOINT)));
        }
        asked_recipe(args, asked, saved, &folder)
    })?;
    args.precision.set(run.device())?;
    Ok(run)
}

/// The recipe that is asked for, a built-in one or one from a file, whose name need not be valid text.
fn load(recipe: &OsStr, args: &TrainArgs) -> Result<Recipe> {
    match recipe.to_str() {
        Some(name) => Recipe::load(name, &recipe_overrides(args)?),
        None => Recipe::read(Path::new(recipe), &recipe_overrides(args)?),
    }
}

/// The recipe of a resumed run: the folder's recipe with the changes of the flags. A recipe file must agree with it in
/// every key; the name of a built-in recipe only says which run is meant, as that may have been started with other
/// flags.
fn asked_recipe(args: &TrainArgs, asked: Option<Recipe>, saved: &Checkpoint, folder: &Path) -> Result<Recipe> {
    let changed = || {
        let recipe = &saved.recipe;
        Recipe::parse(&recipe.name, &recipe.to_toml(), &recipe_overrides(args)?)
    };
    match asked {
        Some(asked) if asked.name != saved.recipe.name => {
            let (saved, asked) = (&saved.recipe.name, &asked.name);
            let what = format!("is the checkpoint of recipe {saved}, not of {asked}");
            let fix = "leave the recipe out, or choose another --out";
            Err(Error::place(folder.join(CHECKPOINT), format!("{what}; {fix}")))
        }
        Some(asked) if !built_in_names().any(|name| args.recipe.as_deref() == Some(name.as_ref())) => {
            let refuse = |what| Error::place(folder.join(CHECKPOINT), what);
            let unsaid = tuning(&changed()?, &asked).map_err(refuse)?;
            let Some(difference) = unsaid.first() else {
                return Ok(asked);
            };
            let fix = "leave the recipe out to go on as the folder has it, or give the change by --set";
            Err(refuse(format!("is the checkpoint of another recipe ({difference}); {fix}")))
        }
        _ => changed(),
    }
}

/// What the flags change in the recipe.
fn recipe_overrides(args: &TrainArgs) -> Result<Vec<String>> {
    let data = args.data.as_deref().map(name_of).map(toml::Value::String);
    let data = data.map(|name| name.to_string());
    let number = |n: Option<u64>| n.map(|n| n.to_string());
    let flags = [
        ("--data", "data.name", data),
        ("--epochs", "training.epochs", number(args.epochs)),
        ("--batch-size", "training.batch_size", number(args.batch_size)),
        ("--seed", "training.seed", number(args.seed)),
    ];
    overrides(&flags, &args.overrides)
}

fn introduction(args: &TrainArgs, run: &Run, last: u64) -> Result<String> {
    let recipe = run.recipe();
    let data = match run.images() {
        Some(images) => format!("{} images of {}x{}x{}", images.len(), images.height, images.width, images.channels),
        None => "points of the plane, sampled anew for each step".into(),
    };
    let from = match run.steps() {
        0 => String::new(),
        step => format!(", going on after step {step}"),
    };
    let text = format!(
        "device {}, {} threads; files go to {}\n\
         {} on {}: {data}, {last} steps of {}, {} an epoch{from}\n",
        run.device().described()?,
        rayon::current_num_threads(),
        run.folder().display(),
        recipe.name,
        excerpt(&recipe.data.name),
        recipe.training.batch_size,
        run.steps_per_epoch(),
    );
    let notes: String = run.notes.iter().map(|note| format!("{note}\n")).collect();
    let plane = run
        .plane()
        .map(|plane| format!("{} modes; of real points {:.1}% are good\n", plane.modes(), 100.0 * plane.good_of_own()));
    let notes = notes + &judge_note(args, run) + &plane.unwrap_or_default();
    let warnings = recipe.warnings().into_iter();
    let warnings: String = warnings.map(|line| format!("warning: {line}\n")).collect();
    Ok(text + &notes + &warnings + estimate_note(recipe))
}

/// A note on what judges the samples, or what could.
fn judge_note(args: &TrainArgs, run: &Run) -> String {
    let data = excerpt(&run.recipe().data.name);
    match run.judging() {
        Some(judging) => {
            let of = thousands(judging.floor_images() as u64);
            let floor = |floor: &Score| format!("; Frechet distance of {of}: {:.3}", floor.frechet_distance);
            let floor = judging.floor().map(floor);
            format!(
                "judge: {}, {:.2}% of test images right{}\n",
                judging.name(),
                100.0 * judging.about().accuracy(),
                floor.unwrap_or_default()
            )
        }
        // A run that goes on can't get a judge any more.
        None if run.steps() > 0 || args.no_judge || run.recipe().judge.every == 0 => String::new(),
        None if run.images().is_none_or(|images| !cache::can_be_judged(&run.recipe().data.name, images)) => {
            String::new()
        }
        None => format!(
            "no judge: samples are scored by pixels alone; get one with: minimax judge train {data} --recipe {}\n",
            shell_word(run.folder().join(RECIPE).as_os_str())
        ),
    }
}

/// A note on what the critic's estimate is, for a recipe that has one.
fn estimate_note(recipe: &Recipe) -> &'static str {
    match recipe.training.loss.has_critic() {
        true => {
            "W estimate: the critic's estimate of the Wasserstein distance, minus its loss (without \
             the gradient penalty, if there is one)\n"
        }
        false => "",
    }
}

fn farewell(args: &TrainArgs, run: &Run, last: u64, outcome: Outcome) -> Result<()> {
    let (folder, steps) = (shell_word(run.folder().as_os_str()), run.steps());
    if outcome == Outcome::Stopped {
        return Err(Error::Interrupted(format!(
            "stopped after step {steps} of {last}, all saved; \
             go on with: minimax train --resume --out {folder}{}",
            flags_again(args)
        )));
    }
    run.left_out().iter().for_each(|line| warn(line));
    let (grid, report) = (run.latest_grid(), run.folder().join(REPORT));
    let stopped = match outcome {
        Outcome::Settled => ", the best is long past (--patience)",
        _ => "",
    };
    print(&format!(
        "done: {steps} steps{stopped}; samples in {}, all in {}; more with: minimax sample {folder}\n{}",
        grid.display(),
        report.display(),
        best_note(run, &folder)
    ))
}

/// The number of epochs without improvement after which that is mentioned.
const IDLE: u64 = 3;

/// A note if the last epochs brought no improvement.
fn best_note(run: &Run, folder: &str) -> String {
    let best = run.best().and_then(|best| best.epoch);
    match best.filter(|_| run.idle() >= Some(IDLE)) {
        Some(best) => format!(
            "the best samples were those of epoch {best} of {}: what came after gained nothing; have them by: minimax \
             sample {folder} --best\n",
            run.epochs_done()
        ),
        None => String::new(),
    }
}

/// The flags that a run doesn't keep, and that must be given again when it is resumed.
fn flags_again(args: &TrainArgs) -> String {
    let flags = [("--steps", args.steps), ("--keep-every", args.keep_every), ("--patience", args.patience)];
    let given = flags.into_iter().filter_map(|(flag, n)| Some(format!(" {flag} {}", n?)));
    let mut again: String = given.collect();
    if args.precision == Precision::Tf32 {
        again += " --precision tf32";
    }
    if args.no_graph {
        again += " --no-graph";
    }
    again
}
