//! `minimax judge train`: trains the classifier that judges samples of a data set.

use super::cache;
use crate::cli::device::Compute;
use crate::cli::output::{self, Kind};
use crate::cli::{bar, interrupt, print, say, warn};
use crate::data::place::name_of;
use crate::data::{DIGITS, Images, Split, Wanted, open_split, stacked};
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
    /// The file to write, which can be shared and given to --judge [default: a file in the user's cache folder, where
    /// every command finds it]
    #[arg(long, value_name = "FILE.safetensors")]
    pub out: Option<PathBuf>,
    /// Train again even if a judge is kept, or overwrite any file that --out names; a run's own files are never
    /// overwritten
    #[arg(long)]
    pub force: bool,
    /// Bring pictures to the size that this recipe uses, as training does: a built-in recipe or a .toml file
    #[arg(long, value_name = "RECIPE")]
    pub recipe: Option<String>,
    /// Where it is computed.
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
        output::check(out, "--out", Kind::Safetensors, args.force, &[Path::new(&args.data)])?;
        output::check_folder(out, "--out")?;
    }
    let wanted = args.recipe.as_deref().map_or(Ok(cache::wanted()), wanted_by)?;
    // Stacked images are judged by the judge of their planes.
    let (name, wanted) = match stacked::planes_of(&name) {
        Some(planes) => (planes.to_string(), stacked::wanted_of_planes(&wanted)),
        None => (name, wanted),
    };
    let split = open_split(&name, &wanted)?;
    let Images { height, width, channels, .. } = *split.whole;
    if let (Some(recipe), Some(size)) = (&args.recipe, wanted.size)
        && size != [height, width, channels]
    {
        let what = format!("has images of {:?}, recipe {} takes {size:?}", [height, width, channels], excerpt(recipe));
        return Err(Error::data(&name, what, "leave --recipe out, or choose one for such images"));
    }
    if name == DIGITS && args.out.is_none() {
        let about = judge::built_in(device).about;
        let percent = 100.0 * about.accuracy();
        return print(&format!(
            "the judge of {DIGITS} is part of this program ({percent:.2}% of {} test images right): nothing is to be \
             trained; --out FILE makes it anew\n",
            about.test
        ));
    }
    let spec = cache::spec_for(&name, &split.whole, "")?;
    let Some(path) = args.out.clone().or_else(|| cache::place(&spec, &split.whole)) else {
        return Err(Error::Usage("this system names no folder for caches; say where to write it by --out".into()));
    };
    if args.out.is_none() {
        let kept = match args.force {
            true => None,
            // A damaged judge is replaced.
            false => cache::find(&spec, &name, &split.whole, "it is trained anew", device).unwrap_or_else(|error| {
                warn(&error.to_string());
                None
            }),
        };
        if let Some(Judge { about, .. }) = kept {
            let (percent, path) = (100.0 * about.accuracy(), path.display());
            return print(&format!(
                "kept already in {path}: it is right about {percent:.2}% of {} test images; --force trains it again\n",
                about.test
            ));
        }
        cache::make_ready(&path)?;
    }
    split.notes.iter().for_each(|note| say(None, note));
    let judge = train(spec, &name, &split, device, &stop, |line| say(None, line))?;
    judge::save(&path, &judge)?;
    print(&format!("kept in {}\n", path.display()))
}

/// How a set is opened if its pictures are brought to the size of `recipe`.
///
/// # Errors
/// If there is no such recipe, or it is not for images.
fn wanted_by(recipe: &str) -> Result<Wanted> {
    let Recipe { data, discriminator, .. } = Recipe::load(recipe, &[])?;
    match <[usize; 3]>::try_from(&discriminator.input[..]) {
        Ok(size) => Ok(Wanted { size: Some(size), background: data.background, extra: data.extra, ..cache::wanted() }),
        Err(_) => {
            let what = format!("--recipe {}: makes no images; choose a recipe for images", excerpt(recipe));
            Err(Error::Usage(what))
        }
    }
}

/// Trains the judge of `spec` on `split` of the set `data`, and reports it by `tell`.
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
    tell(&format!("it is right about {percent:.2}% of {test} test images, after {seconds:.1} s"));
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
