//! Where samples come from: a run's generator, an array, or pictures.

use crate::cli::sample::StateArgs;
use crate::cli::{bar, note};
use crate::data::floats::{self, Floats, holds_floats};
use crate::data::numpy::MOVE_CHANNELS;
use crate::data::pixels;
use crate::data::{self, Opened, Wanted};
use crate::files;
use crate::gan::model;
use crate::judge::FEWEST;
use crate::metrics::COMPARISON;
use crate::random::Random;
use crate::run::checkpoint::Trained;
use crate::run::folder::JUDGE;
use crate::run::latents;
use crate::storage::Device;
use crate::tensor::Tensor;
use crate::terminal::{self, excerpt};
use crate::{Error, Result};
use indicatif::ProgressBar;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The largest distance of a value from its range at which it still counts as inside.
const ROUNDING: f32 = 0.01;

/// Where samples come from.
pub(super) enum Subject {
    /// A run's generator, and the file that it was read from.
    Generator(PathBuf, Box<Trained>),
    /// Anything else.
    Images(PathBuf),
}

/// What can be judged.
const JUDGED: &str = "a run's folder, a .npy of images, or a folder or .zip of pictures";

/// Samples that are there, or what they are made with.
pub(super) enum Prepared {
    /// A run's generator.
    Generator(Box<Trained>),
    /// Those of a file or a folder.
    Read(Samples),
}

/// Samples as bytes.
pub(super) struct Samples {
    /// `[n, h, w, c]`.
    pub pixels: Vec<u8>,
    /// The class that each was to be of; empty if none was asked for.
    pub asked: Vec<u16>,
    /// What they are, in a few words.
    pub what: String,
    /// What a person should know about them, one line each.
    pub notes: Vec<String>,
    /// The index of each in its file, if only some were taken.
    places: Option<Vec<u32>>,
}

impl Samples {
    /// The index of sample `index` in the file, or among the latents, both from 0.
    pub(super) fn place_of(&self, index: usize) -> usize {
        self.places.as_ref().map_or(index, |places| places[index] as usize)
    }
}

/// The source of the samples at `path`; for a run, of which `state`.
///
/// # Errors
/// If there is nothing, or it is a run's and can't be read.
pub(super) fn open(path: &Path, state: &StateArgs, device: Device) -> Result<Subject> {
    if matches!(path.try_exists(), Ok(false)) {
        return Err(Error::place(path, format!("there is no such file or folder; name {JUDGED}")));
    }
    let file = state.file(path)?;
    let is_run = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("safetensors"));
    match is_run && (file.is_file() || !path.is_dir()) {
        true => Ok(Subject::Generator(file.clone(), Box::new(state.load(&file, device)?))),
        false => Ok(Subject::Images(path.to_path_buf())),
    }
}

impl Subject {
    /// Checks that there are samples to judge, in a folder for which no data set was given.
    ///
    /// # Errors
    /// If there aren't, or they can't be read.
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Subject::Images(path) if path.is_dir() => {
                data::open_path(path, &Wanted::default())?.map(drop).ok_or_else(|| no_samples(path))
            }
            _ => Ok(()),
        }
    }

    /// The data set that a run was trained on, and how it was opened.
    pub(super) fn data(&self) -> Option<(&str, Wanted)> {
        match self {
            Subject::Generator(_, trained) => {
                let (data, seed) = (&trained.recipe.data, trained.recipe.training.seed);
                let size = <[usize; 3]>::try_from(&trained.recipe.discriminator.input[..]).ok();
                Some((&data.name, Wanted { seed, size, background: data.background, extra: data.extra }))
            }
            Subject::Images(_) => None,
        }
    }

    /// The judge of a run.
    pub(super) fn judge(&self) -> Option<PathBuf> {
        match self {
            // A kept checkpoint lies one folder deeper.
            Subject::Generator(file, _) => {
                file.ancestors().skip(1).take(2).map(|folder| folder.join(JUDGE)).find(|path| path.is_file())
            }
            Subject::Images(_) => None,
        }
    }

    /// Samples of `size` `[height, width, channels]`: those of a file, or `count` of them if that is given, or the
    /// generator that makes them. Everything that can be wrong with them is found here.
    ///
    /// # Errors
    /// If there are fewer, or they have another size.
    pub(super) fn prepare(self, size: [usize; 3], count: Option<usize>, seed: Option<u64>) -> Result<Prepared> {
        match self {
            Subject::Generator(file, trained) => {
                let made = &trained.recipe.discriminator.input;
                if made[..] != size {
                    let what = format!("makes images of {made:?}, the data set's are {size:?}");
                    return Err(Error::data(file, what, "give a set of such images by --data, or leave it out"));
                }
                Ok(Prepared::Generator(trained))
            }
            Subject::Images(path) => {
                let mut samples = read(&path, size)?;
                let one: usize = size.iter().product();
                let there = samples.pixels.len() / one;
                let fewest = count.unwrap_or(FEWEST);
                if there < fewest {
                    let images = if there == 1 { "image" } else { "images" };
                    let what = format!("holds {there} {images}, fewer than {fewest}");
                    let fix = match there >= FEWEST {
                        true => format!("give more, or a --count of at most {there}"),
                        false => format!("give {FEWEST} at least"),
                    };
                    return Err(Error::data(path, what, fix));
                }
                if let Some(count) = count.filter(|&count| count < there) {
                    // The first ones may be all of one class.
                    let mut order = Random::new(seed.unwrap_or(0), COMPARISON).permutation(there);
                    order.truncate(count);
                    let images = order.iter().map(|&index| &samples.pixels[index as usize * one..][..one]);
                    samples.pixels = images.flatten().copied().collect();
                    samples.notes.push(format!("{count} of {there} images, picked at random"));
                    samples.places = Some(order);
                }
                Ok(Prepared::Read(samples))
            }
        }
    }
}

impl Prepared {
    /// The samples: those that were read, or `count` of a generator's.
    ///
    /// # Errors
    /// As [`model::sample_each`].
    pub(super) fn samples(self, count: usize, seed: Option<u64>, device: Device) -> Result<Samples> {
        match self {
            Prepared::Generator(trained) => generated(*trained, count, seed, device),
            Prepared::Read(samples) => Ok(samples),
        }
    }
}

fn generated(trained: Trained, count: usize, seed: Option<u64>, device: Device) -> Result<Samples> {
    let Trained { recipe, mut network, step, .. } = trained;
    let seed = seed.unwrap_or(recipe.training.seed);
    let on_grid = recipe.samples.count.min(count);
    let latents = latents::fixed(&recipe, seed, count, on_grid);
    let one: usize = recipe.discriminator.input.iter().product();
    let mut bytes = Vec::with_capacity(count * one);
    let mut screen = Screen::new(count);
    model::sample_each(&mut network, &latents, model::MOST_AT_A_TIME, device, |images| {
        bytes.extend(pixels::to_bytes(images, recipe.data.range));
        screen.made(bytes.len() / one);
        Ok(())
    })?;
    screen.finish();
    let what = format!("samples of {} after {step} steps (seed {seed})", recipe.name);
    let asked = latents::classes(&recipe, count, on_grid);
    Ok(Samples { pixels: bytes, asked, what, notes: Vec::new(), places: None })
}

/// What the user sees while samples are made.
struct Screen {
    bar: Option<ProgressBar>,
    count: usize,
    start: Instant,
    line: Instant,
}

/// How often a plain line is printed.
const LINE_EVERY: Duration = Duration::from_secs(10);

impl Screen {
    fn new(count: usize) -> Screen {
        let bar = bar::counting(count as u64, " samples");
        Screen { bar, count, start: Instant::now(), line: Instant::now() }
    }

    fn made(&mut self, made: usize) {
        let left = self.start.elapsed().as_secs_f64() / made as f64 * (self.count - made) as f64;
        let left = format!("{} left", terminal::time(left));
        if let Some(bar) = &self.bar {
            bar.set_position(made as u64);
            bar::label(bar, " samples", &[left]);
        } else if self.line.elapsed() > LINE_EVERY {
            self.line = Instant::now();
            note(&format!("{made} of {} samples are made, {left}", self.count));
        }
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The images of an array, or of pictures.
fn read(path: &Path, size: [usize; 3]) -> Result<Samples> {
    let what = format!("images of {}", path.display());
    if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("npy"))
        && let Some((pixels, note)) = real_numbers(path, size)?
    {
        return Ok(Samples { pixels, asked: Vec::new(), what, notes: vec![note], places: None });
    }
    let wanted = Wanted { size: Some(size), ..Wanted::default() };
    let Opened { images, mut notes } = data::open_path(path, &wanted)?.ok_or_else(|| no_samples(path))?;
    let found = [images.height, images.width, images.channels];
    if found != size {
        let what = format!("holds images of {found:?}, the data set's are {size:?}");
        let [h, w, c] = size;
        return Err(Error::data(path, what, format!("make them {h}x{w}x{c}, or give a set of such images by --data")));
    }
    let largest = images.pixels.iter().max().copied().unwrap_or(0);
    if largest <= 1 {
        let path = path.display();
        notes.push(format!(
            "warning: {path}: no byte is above {largest}, where white is 255; if these were numbers from 0 to 1, save \
             (255 * x).round().astype('uint8')"
        ));
    }
    Ok(Samples { pixels: images.pixels, asked: Vec::new(), what, notes, places: None })
}

fn no_samples(folder: &Path) -> Error {
    Error::data(folder, "holds neither a run nor pictures", format!("name {JUDGED}"))
}

/// The images of a .npy of real numbers, as `minimax sample` writes them, and the range that was assumed; `None` if the
/// file has whole numbers.
fn real_numbers(path: &Path, size: [usize; 3]) -> Result<Option<(Vec<u8>, String)>> {
    let bytes = files::read(path)?;
    let [height, width, channels] = size;
    let axes = match channels {
        1 => format!("[n, {height}, {width}] or [n, {height}, {width}, 1]"),
        _ => format!("[n, {height}, {width}, {channels}]"),
    };
    let wrong = |what: String| {
        Error::data(path, what, format!("save a float32 or uint8 array of shape {axes} with numpy.save"))
    };
    if !holds_floats(&bytes).map_err(wrong)? {
        return Ok(None);
    }
    let array = floats::parse(&bytes).map_err(wrong)?;
    array.check_finite().map_err(|what| {
        Error::data(path, what, "leave such images out, or look at what made them; it may have diverged")
    })?;
    let Floats { shape, values } = array;
    let is_images = match shape[..] {
        [_, h, w] => channels == 1 && [h, w] == [height, width],
        [_, h, w, c] => [h, w, c] == size,
        _ => false,
    };
    if !is_images {
        let said = format!("{shape:?}");
        let what = format!("has shape {}; the data set's images are {size:?}", excerpt(&said));
        return Err(match shape[..] {
            [_, c, h, w] if [h, w, c] == size => Error::data(path, what + ", channels last", MOVE_CHANNELS),
            _ => wrong(what),
        });
    }
    if values.iter().any(|v| v.abs() > 1.0 + ROUNDING) {
        let what = "holds values beyond -1 and 1";
        return Err(Error::data(path, what, "save them in [0, 1] or [-1, 1], or as uint8 from 0 to 255"));
    }
    let low = if values.iter().any(|&v| v < -ROUNDING) { -1.0 } else { 0.0 };
    let count = values.len();
    let x = Tensor::from_f32(&values, [count], Device::Cpu);
    let note = format!("{}: its values are taken to be from {low} to 1", path.display());
    Ok(Some((pixels::to_bytes(&x, [low, 1.0]), note)))
}
