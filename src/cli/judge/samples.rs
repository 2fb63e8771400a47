//! `minimax judge RUN|FILE.npy|FOLDER`: finds the samples, the judge, and the images for comparison.

use super::subject::{self, Subject};
use super::{cache, plane, table, train};
use crate::cli::device::Compute;
use crate::cli::output::{self, Kind};
use crate::cli::sample::StateArgs;
use crate::cli::{bar, interrupt, note, print, warn, whole};
use crate::data::place::name_of;
use crate::data::{DIGITS, Images, Split, Wanted, is_same_set, open_split, stacked};
use crate::judge::{self, FEWEST, Judge, Verdict};
use crate::report::grid_png;
use crate::run::judging;
use crate::storage::Device;
use crate::terminal::{excerpt, thousands};
use crate::{Error, Result};
use clap::Args;
use indicatif::ProgressBar;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The most samples that are judged.
const MOST: u64 = 100_000;
/// The number of samples that a run's generator makes by default; for a stacked set it is that of the papers.
pub(super) const COUNT: usize = 10_000;

/// What may be done about a set on which no judge can be trained, besides giving another.
const OR_JUDGE: &str = ", or a judge by --judge";

/// Arguments of `minimax judge` for samples.
#[derive(Args, Debug)]
pub struct SamplesArgs {
    /// A run's folder or one of its .safetensors files, a .npy of images, or a folder or .zip of pictures
    #[arg(value_name = "RUN|FILE.npy|FOLDER", required = true)]
    pub samples: Option<PathBuf>,
    /// Data set to compare the samples with: its name, a folder or a file [default: the run's]
    #[arg(long, value_name = "NAME|PATH")]
    pub data: Option<OsString>,
    /// Number of samples to make with a run's generator [default: 10000, or 26000 for a stacked set], or to pick at
    /// random from a file or a folder [default: all]
    #[arg(long, value_name = "N", value_parser = whole::<usize>(FEWEST as u64..=MOST))]
    pub count: Option<usize>,
    /// Which state of the run, and which weights.
    #[command(flatten)]
    pub state: StateArgs,
    /// Random seed for a run's latents [default: the recipe's], or for the choice of images
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0..=u64::MAX))]
    pub seed: Option<u64>,
    /// File of the judge [default: the run's, or the data set's, which is trained once and kept]
    #[arg(long, value_name = "FILE.safetensors")]
    pub judge: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Picture to write of the ten samples closest to a training image, above those images
    #[arg(long, value_name = "FILE.png")]
    pub pairs: Option<PathBuf>,
    /// Overwrite any file that --pairs names; a run's own files are never overwritten
    #[arg(long)]
    pub force: bool,
    /// Where it is computed.
    #[command(flatten)]
    pub compute: Compute,
}

/// Runs `minimax judge` on samples.
///
/// # Errors
/// Whatever is wrong with the flags, the samples, the data or the judge, and if the picture can't be written.
pub fn run(args: &SamplesArgs) -> Result<()> {
    let Some(samples) = &args.samples else {
        unreachable!("clap asks for it");
    };
    args.compute.processor.set()?;
    interrupt::end_at_once()?;
    if let Some(path) = &args.pairs {
        output::check(path, "--pairs", Kind::Png, args.force, &[samples])?;
        output::check_folder(path, "--pairs")?;
    }
    if args.data.as_ref().is_some_and(|data| data.is_empty()) {
        return Err(Error::Usage("--data is empty; give a data set's name, a folder or a file".into()));
    }
    let device = args.compute.device.resolve()?;
    let subject = subject::open(samples, &args.state, device)?;
    let Some(subject) = plane::run(args, subject, device)? else {
        return Ok(());
    };
    let (name, mut wanted, kept) = held_against(args, samples, &subject)?;
    let planes = stacked::planes_of(&name);
    if planes.is_some() && args.pairs.is_some() {
        let what = format!("--pairs: no pairs are looked for among the images of {}; leave it out", excerpt(&name));
        return Err(Error::Usage(what));
    }
    let given = given_judge(args, kept, device)?;
    if let (None, Some((_, judge))) = (wanted.size, &given) {
        // Pictures are brought to what it takes; arrays stay as they are.
        wanted.size = <[usize; 3]>::try_from(&judge.classifier.spec().network.input[..]).ok();
        wanted.size = wanted.size.map(|[h, w, c]| [h, w, if planes.is_some() { stacked::PLANES } else { c }]);
    }
    let split = open_split(&name, &wanted)?;
    let of_planes = planes.filter(|planes| given.is_some() || *planes != DIGITS);
    let of_planes = of_planes.map(|planes| open_split(planes, &stacked::wanted_of_planes(&wanted))).transpose()?;
    let Split { training, test, notes, .. } = &split;
    let size = [training.height, training.width, training.channels];
    // Of what is the judge?
    let (set, of) = (planes.unwrap_or(&name), of_planes.as_ref().unwrap_or(&split));
    match &given {
        Some((path, judge)) => {
            judging::check(path, judge, &name, training)?;
            cache::tell_other(path, judge, set, &of.whole);
        }
        None => drop(cache::spec_for(set, &of.whole, OR_JUDGE)?),
    }
    if test.len().min(training.len()) < FEWEST {
        let what = format!("{} training and {} test images, of one fewer than {FEWEST}", training.len(), test.len());
        return Err(Error::data(&name, what, "give a larger data set"));
    }
    // Checked before a judge is trained for them.
    let samples = subject.prepare(size, args.count, args.seed)?;
    let mut judge = match given {
        Some((_, judge)) => judge,
        None => judge_for(set, of, device)?,
    };
    let usual = if planes.is_some() { stacked::TEST } else { COUNT };
    let samples = samples.samples(args.count.unwrap_or(usual), args.seed, device)?;
    notes.iter().chain(&samples.notes).for_each(|line| note(line));
    let bar = bar::waiting(&format!("holding samples against {} test images", thousands(test.len() as u64)));
    let mut verdict = match planes {
        Some(_) => judge.judge_stacked(&samples.pixels, training, test),
        None => judge.judge(&samples.pixels, &samples.asked, training, test),
    };
    bar.inspect(ProgressBar::finish_and_clear);
    // If the picture can't be written, the findings are still printed.
    let written = args.pairs.as_ref().map_or(Ok(()), |path| write_pairs(path, &verdict, &samples.pixels, training));
    for pair in &mut verdict.pairs {
        (pair.sample, pair.image) = (samples.place_of(pair.sample), split.place_of(pair.image));
    }
    print(&match args.json {
        true => format!("{}\n", table::to_json(&samples.what, &name, &judge, &verdict)),
        false => table::to_text(&samples.what, &name, &judge, &verdict),
    })?;
    written
}

/// The set with which the samples are compared, how it is opened, and the judge that a run keeps for it.
fn held_against(args: &SamplesArgs, samples: &Path, subject: &Subject) -> Result<(String, Wanted, Option<PathBuf>)> {
    Ok(match (args.data.as_deref().map(name_of), subject.data()) {
        (Some(given), Some((own, wanted))) if !is_same_set(&given, own) => {
            (given, Wanted { size: wanted.size, background: wanted.background, ..cache::wanted() }, None)
        }
        (_, Some((own, wanted))) => (own.to_string(), wanted, subject.judge()),
        (Some(given), None) => (given, cache::wanted(), None),
        (None, None) => {
            subject.check()?;
            let what = format!("{}: say by --data which data set it is held against", samples.display());
            return Err(Error::Usage(what));
        }
    })
}

/// The judge of `--judge`, or the one that a run has `kept`, with its file.
fn given_judge(args: &SamplesArgs, kept: Option<PathBuf>, device: Device) -> Result<Option<(PathBuf, Judge)>> {
    Ok(match (&args.judge, kept) {
        (Some(path), _) => Some((path.clone(), judge::load(path, device)?)),
        (None, Some(path)) => {
            let judge = judge::load_or(&path, device, "put it back, or name another by --judge")?;
            Some((path, judge))
        }
        (None, None) => None,
    })
}

/// The judge of the data set, trained now if none is kept.
fn judge_for(name: &str, split: &Split, device: Device) -> Result<Judge> {
    if name == DIGITS {
        return Ok(judge::built_in(device));
    }
    let spec = cache::spec_for(name, &split.whole, OR_JUDGE)?;
    if let Some(judge) = cache::find(&spec, name, &split.whole, &cache::anew(name), device)? {
        return Ok(judge);
    }
    let place = cache::place(&spec, &split.whole);
    if place.is_none() {
        warn("the judge will not be kept: this system names no folder for caches; use judge train --out");
    }
    let not_kept = |error: Error| warn(&format!("the judge will not be kept: {error}"));
    let place = place.filter(|path| cache::make_ready(path).map_err(not_kept).is_ok());
    let judge = train::train(spec, name, split, device, &|| false, note)?;
    if let Some(path) = place {
        judge::save(&path, &judge).unwrap_or_else(not_kept);
    }
    Ok(judge)
}

/// Writes a picture of the closest pairs: samples above their training images.
fn write_pairs(path: &Path, verdict: &Verdict, samples: &[u8], training: &Images) -> Result<()> {
    let size = training.image_len();
    let above = verdict.pairs.iter().flat_map(|pair| &samples[pair.sample * size..][..size]);
    let below = verdict.pairs.iter().flat_map(|pair| training.image(pair.image));
    let pixels: Vec<u8> = above.chain(below).copied().collect();
    grid_png(path, &pixels, training.height, training.width, training.channels, verdict.pairs.len())
}
