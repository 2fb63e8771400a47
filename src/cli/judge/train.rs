//! `minimax judge train`: the classifier that samples of a data set are judged by.

use super::cache;
use crate::cli::device::Compute;
use crate::cli::output::{self, Kind};
use crate::cli::{bar, interrupt, print, say};
use crate::data::place::name_of;
use crate::data::{Split, Wanted, open_split, stacked};
use crate::files::make_folder;
use crate::judge::{self, Judge, JudgeSpec, Progress};
use crate::recipe::Recipe;
use crate::storage::Device;
use crate::terminal::{self, excerpt};
use crate::{Error, Result};
use clap::Args;
use indicatif::ProgressBar;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Arguments of `minimax judge train`.
#[derive(Args, Debug)]
pub struct TrainArgs {
    /// A data set with labels: its name, a folder or a file
    #[arg(value_name = "DATA")]
    pub data: OsString,
    /// The file to write, to be shared and named by --judge [default: one in the user's cache folder, which every
    /// command finds]
    #[arg(long, value_name = "FILE.safetensors")]
    pub out: Option<PathBuf>,
    /// Write over whatever file --out names; a run's own files are never written over
    #[arg(long)]
    pub force: bool,
    /// Bring pictures to the size that this recipe takes, as training it does: a built-in recipe or a .toml file
    #[arg(long, value_name = "RECIPE")]
    pub recipe: Option<String>,
    /// What it is computed on.
    #[command(flatten)]
    pub compute: Compute,
}

/// Runs `minimax judge train`: trains, tests and keeps a judge, with a bar or a line every ten seconds.
///
/// # Errors
/// Whatever is wrong with the flags or the data, or if the file can't be written.
pub fn run(args: &TrainArgs) -> Result<()> {
    args.compute.processor.set()?;
    let stop = interrupt::watch()?;
    let device = args.compute.device.resolve()?;
    let name = name_of(&args.data);
    if let Some(out) = &args.out {
        output::check(out, Kind::Safetensors, args.force, &[Path::new(&args.data)])?;
        let folder = out.parent().filter(|folder| *folder != Path::new(""));
        if folder.is_some_and(|folder| !folder.is_dir()) {
            return Err(Error::Usage(format!("--out {}: there is no such folder; make it first", out.display())));
        }
    }
    let wanted = match &args.recipe {
        Some(recipe) => {
            let recipe = Recipe::load(recipe, &[])?;
            let size = <[usize; 3]>::try_from(&recipe.discriminator.input[..]).ok();
            Wanted { size, background: recipe.data.background, extra: recipe.data.extra, ..cache::wanted() }
        }
        None => cache::wanted(),
    };
    // What judges stacked images is the judge of their planes.
    let (name, wanted) = match stacked::planes_of(&name) {
        Some(planes) => (planes.to_string(), stacked::wanted_of_planes(&wanted)),
        None => (name, wanted),
    };
    let split = open_split(&name, &wanted)?;
    split.notes.iter().for_each(|note| say(None, note));
    let spec = cache::spec_for(&name, &split.whole)?;
    let Some(path) = args.out.clone().or_else(|| cache::place(&spec, &split.whole)) else {
        return Err(Error::Usage("this system names no folder for caches; say where to write it by --out".into()));
    };
    let judge = train(spec, &name, &split, device, &stop, |line| say(None, line))?;
    match args.out {
        Some(_) => judge::save(&path, &judge)?,
        None => keep(&path, &judge)?,
    }
    print(&format!("kept in {}\n", path.display()))
}

/// Writes `judge` into the cache.
///
/// # Errors
/// If it, or its folder, can't be written.
pub(super) fn keep(path: &Path, judge: &Judge) -> Result<()> {
    path.parent().map_or(Ok(()), make_folder)?;
    judge::save(path, judge)
}

/// Trains the judge of `spec` on `split` of the set `data`, and says so by `tell`.
///
/// # Errors
/// As [`judge::train`], and [`Error::Interrupted`] if `stop` ended it.
pub(super) fn train(
    spec: JudgeSpec,
    data: &str,
    split: &Split,
    device: Device,
    stop: &(dyn Fn() -> bool + Sync),
    tell: fn(&str),
) -> Result<Judge> {
    let (images, on, shown) = (split.training.len(), device.described()?, excerpt(data).to_string());
    let start = Instant::now();
    let (epochs, steps) = (spec.training.epochs, spec.training.steps(split.training.len()));
    judge::check(&spec, data, split)?;
    tell(&format!("training the {} judge of {shown}: {epochs} epochs of {images} images, on {on}", spec.name));
    let mut screen = Screen::new(steps, tell);
    let trained = rayon::scope(|_| judge::train(spec, data, split, device, stop, &mut |p| screen.step(p)));
    screen.finish();
    let Some(judge) = trained? else {
        return Err(Error::Interrupted("stopped; a judge that is half trained is not kept".into()));
    };
    let (test, seconds) = (judge.about.test, start.elapsed().as_secs_f64());
    let percent = 100.0 * judge.about.accuracy();
    tell(&format!("{percent:.2}% of {test} test images are told right, after {seconds:.1} s"));
    Ok(judge)
}

/// What the user sees of the training.
struct Screen {
    bar: Option<ProgressBar>,
    tell: fn(&str),
    start: Instant,
    line: Instant,
}

/// How often a plain line is printed.
const LINE_EVERY: Duration = Duration::from_secs(10);

impl Screen {
    fn new(steps: u64, tell: fn(&str)) -> Screen {
        Screen { bar: bar::counting(steps, ""), tell, start: Instant::now(), line: Instant::now() }
    }

    fn step(&mut self, Progress { step, steps, loss }: Progress) {
        let left = self.start.elapsed().as_secs_f64() / step as f64 * (steps - step) as f64;
        let state = [format!("{} left", terminal::time(left)), format!("cross-entropy {loss:.3}")];
        if let Some(bar) = &self.bar {
            bar.set_position(step);
            bar::label(bar, "", &state);
        } else if self.line.elapsed() > LINE_EVERY {
            self.line = Instant::now();
            (self.tell)(&format!("step {step}/{steps}  {}", state.join("  ")));
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
