//! `minimax judge RUN|FILE.npy|FOLDER`: the figures of samples as a table, or as JSON.

use super::{cache, plane, subject, train};
use crate::cli::device::Compute;
use crate::cli::output::{self, Kind};
use crate::cli::sample::StateArgs;
use crate::cli::table::{Align, align, thousands};
use crate::cli::{bar, interrupt, note, print, warn, whole};
use crate::data::place::name_of;
use crate::data::{DIGITS, Images, Split, Wanted, is_same_set, open_split, stacked};
use crate::judge::{self, Better, FEWEST, Judge, MODES_FOUND, Row, Verdict};
use crate::metrics::Figure;
use crate::report::grid_png;
use crate::run::judging;
use crate::storage::Device;
use crate::terminal::excerpt;
use crate::{Error, Result};
use clap::Args;
use indicatif::ProgressBar;
use serde_json::{Value, json};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The most samples that are judged.
const MOST: u64 = 100_000;
/// How many samples a run's generator makes unless said; of a stacked set as many as its papers take.
pub(super) const COUNT: usize = 10_000;

/// What may be done about a set that no judge can be trained on, besides giving another.
const OR_JUDGE: &str = ", or a judge by --judge";

/// Arguments of `minimax judge` for samples.
#[derive(Args, Debug)]
pub struct TableArgs {
    /// A run's folder or one of its .safetensors files, a .npy of images, or a folder or .zip of pictures
    #[arg(value_name = "RUN|FILE.npy|FOLDER", required = true)]
    pub samples: Option<PathBuf>,
    /// The data set that samples are held against: its name, a folder or a file [default: the run's]
    #[arg(long, value_name = "NAME|PATH")]
    pub data: Option<OsString>,
    /// How many samples to make with a run's generator [default: 10000, of a stacked set 26000], or to take
    /// of a file or a folder, picked at random [default: all, whatever their number]
    #[arg(long, value_name = "N", value_parser = whole::<usize>(FEWEST as u64..=MOST))]
    pub count: Option<usize>,
    /// Which state of the run, and which weights.
    #[command(flatten)]
    pub state: StateArgs,
    /// Of a run's latents [default: the recipe's], or of which images are taken
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0..=u64::MAX))]
    pub seed: Option<u64>,
    /// The judge to ask [default: the run's, or the data set's, trained once and kept]
    #[arg(long, value_name = "FILE.safetensors")]
    pub judge: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Where to draw the ten samples that are closest to a training image, above those images
    #[arg(long, value_name = "FILE.png")]
    pub pairs: Option<PathBuf>,
    /// Write over whatever file --pairs names; a run's own files are never written over
    #[arg(long)]
    pub force: bool,
    /// What it is computed on.
    #[command(flatten)]
    pub compute: Compute,
}

/// Runs `minimax judge` on samples.
///
/// # Errors
/// Whatever is wrong with the flags, the samples, the data or the judge, and if the picture can't be written.
pub fn run(args: &TableArgs) -> Result<()> {
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
    let (name, mut wanted, kept) = match (args.data.as_deref().map(name_of), subject.data()) {
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
    };
    let planes = stacked::planes_of(&name);
    if planes.is_some() && args.pairs.is_some() {
        let what = format!("--pairs: no pairs are looked for among the images of {}; leave it out", excerpt(&name));
        return Err(Error::Usage(what));
    }
    let given = match (&args.judge, kept) {
        (Some(path), _) => Some((path.clone(), judge::load(path, device)?)),
        (None, Some(path)) => {
            let judge = judge::load_or(&path, device, "put it back, or name another by --judge")?;
            Some((path, judge))
        }
        (None, None) => None,
    };
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
    // Before a judge is trained for them.
    let samples = subject.prepare(size, args.count, args.seed)?;
    let mut judge = match given {
        Some((_, judge)) => judge,
        None => judge_for(set, of, device)?,
    };
    let usual = if planes.is_some() { stacked::TEST } else { COUNT };
    let samples = samples.samples(args.count.unwrap_or(usual), args.seed, device)?;
    notes.iter().chain(&samples.notes).for_each(|line| note(line));
    let bar = bar::waiting(&format!("holding samples against {} test images", thousands(test.len() as u64)));
    let verdict = match planes {
        Some(_) => judge.judge_stacked(&samples.pixels, training, test),
        None => judge.judge(&samples.pixels, training, test),
    };
    bar.inspect(ProgressBar::finish_and_clear);
    // What was found is not lost with the picture.
    let drawn = args.pairs.as_ref().map_or(Ok(()), |path| draw(path, &verdict, &samples.pixels, training));
    print(&match args.json {
        true => format!("{}\n", to_json(&samples.what, &name, &judge, &verdict)),
        false => table(&samples.what, &name, &judge, &verdict),
    })?;
    drawn
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

/// Draws the closest pairs: samples above their training images.
fn draw(path: &Path, verdict: &Verdict, samples: &[u8], training: &Images) -> Result<()> {
    let size = training.image_len();
    let above = verdict.pairs.iter().flat_map(|pair| &samples[pair.sample * size..][..size]);
    let below = verdict.pairs.iter().flat_map(|pair| training.image(pair.image));
    let pixels: Vec<u8> = above.chain(below).copied().collect();
    grid_png(path, &pixels, training.height, training.width, training.channels, verdict.pairs.len())
}

/// A number with about four digits.
pub(super) fn number(value: f64) -> String {
    // Not -0.
    let value = value + 0.0;
    match value.abs() {
        size if size >= 1e6 => format!("{value:.2e}"),
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 10.0 => format!("{value:.2}"),
        size if size >= 0.001 || size == 0.0 => format!("{value:.4}"),
        _ => format!("{value:.1e}"),
    }
}

/// A figure with its interval.
pub(super) fn figure(Figure { value, interval }: Figure) -> String {
    format!("{} [{}, {}]", number(value), number(interval.low), number(interval.high))
}

/// As [`figure`], of what is counted.
pub(super) fn counted(Figure { value, interval }: Figure) -> String {
    format!("{value:.0} [{:.0}, {:.0}]", interval.low, interval.high)
}

/// The figures as a person reads them.
fn table(what: &str, name: &str, judge: &Judge, verdict: &Verdict) -> String {
    let about = &judge.about;
    let samples = thousands(verdict.samples as u64);
    let accuracy = 100.0 * about.accuracy();
    let head = format!(
        "{samples} {what}\nbeside {} test images of {}\njudge: {}, right about {accuracy:.2}% of test images\n\n",
        thousands(verdict.floor as u64),
        excerpt(name),
        judge.classifier.spec().name
    );
    let better = |better| match better {
        Better::Lower => "lower",
        Better::Higher => "higher",
        Better::Near => "near",
    };
    let cells = |name: String, row: &Row| {
        let shown = if row.key == MODES_FOUND { counted } else { figure };
        [name, shown(row.samples), shown(row.floor), better(row.better).into()]
    };
    let mut rows = vec![["figure", "samples [95%]", "test images [95%]", "better"].map(String::from)];
    for (index, row) in verdict.rows.iter().enumerate() {
        rows.push(cells(row.name.into(), row));
        if index == 0 {
            let [samples, floor] = verdict.extrapolated.map(number);
            rows.push(["  extrapolated".into(), samples, floor, "lower".into()]);
        }
    }
    rows.push(["class".into(), "share".into(), "share".into(), String::new()]);
    for (class, row) in verdict.classes.iter().zip(&verdict.shares) {
        let share = |f: Figure| {
            let [value, low, high] = [f.value, f.interval.low, f.interval.high].map(|share| 100.0 * share);
            format!("{value:.1}% [{low:.1}, {high:.1}]")
        };
        rows.push([format!("  {class}"), share(row.samples), share(row.floor), better(row.better).into()]);
    }
    let [present, classes] = verdict.present;
    let head = head + &align(&rows, [Align::Left; 4]) + "\n";
    let mut text = String::new();
    if let Some(modes) = verdict.modes {
        text += &format!("{} of {} modes are found\n", modes.found, modes.all);
    }
    text += &format!("{present} of {classes} classes appear; ");
    text += &match present == classes {
        true => format!("the rarest is {}\n", verdict.rarest),
        false => {
            let shares = verdict.classes.iter().zip(&verdict.shares);
            let missing = shares.filter(|(_, row)| 10.0 * classes as f64 * row.samples.value < 1.0);
            format!("missing: {}\n", missing.map(|(class, _)| class.to_string()).collect::<Vec<_>>().join(", "))
        }
    };
    if verdict.is_biased() {
        text += &format!(
            "the Frechet distance of {samples} samples is too large by their number alone: look at the extrapolated one, \
             of infinitely many, or give a larger --count\n"
        );
    }
    if let Some(left_out) = verdict.left_out {
        text += &format!("{left_out}\n");
    }
    text.lines().fold(head, |text, line| text + &bar::wrapped(line) + "\n")
}

/// The figures as other programs read them.
fn to_json(what: &str, name: &str, judge: &Judge, verdict: &Verdict) -> Value {
    let figure =
        |Figure { value, interval }: Figure| json!({ "value": value, "low": interval.low, "high": interval.high });
    let both = |row: &Row| json!({ "samples": figure(row.samples), "test": figure(row.floor) });
    let mut figures = serde_json::Map::new();
    for row in &verdict.rows {
        figures.insert(row.key.into(), both(row));
    }
    let [samples, test] = verdict.extrapolated;
    figures.insert("frechet_distance_extrapolated".into(), json!({ "samples": samples, "test": test }));
    let shares = verdict.classes.iter().zip(&verdict.shares);
    let shares: serde_json::Map<String, Value> = shares.map(|(class, row)| (class.to_string(), both(row))).collect();
    let pairs = verdict.pairs.iter();
    let pairs = pairs.map(|p| json!({ "sample": p.sample, "training_image": p.image, "distance": p.distance }));
    json!({
        "what": what,
        "samples": verdict.samples,
        "data": name,
        "test_images": verdict.floor,
        "judge": {
            "name": judge.classifier.spec().name,
            "data": judge.about.data,
            "data_sha256": judge.about.sum,
            "seed": judge.classifier.spec().training.seed,
            "accuracy": judge.about.accuracy(),
        },
        "figures": figures,
        "class_shares": shares,
        "classes_present": verdict.present[0],
        "classes": verdict.present[1],
        "rarest_class": verdict.rarest,
        "modes": verdict.modes.map(|modes| modes.all),
        "closest_pairs": pairs.collect::<Vec<Value>>(),
    })
}
