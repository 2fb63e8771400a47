//! `minimax sample`: images, or points of the plane, from a trained generator.

use super::device::Compute;
use super::output::{self, Kind};
use super::{print, warn, whole};
use crate::data::pixels;
use crate::data::plane::Plane;
use crate::files::write_whole;
use crate::gan::latents::{Latents, rows_of_classes};
use crate::gan::model;
use crate::recipe::Recipe;
use crate::recipe::build::Role;
use crate::report::map::Map;
use crate::report::{columns_for, grid_png};
use crate::run::checkpoint::{self, Trained, Weights};
use crate::run::folder::BEST;
use crate::run::latents;
use crate::storage::Device;
use crate::{Error, Result};
use clap::{Args, ValueEnum};
use npyz::WriterBuilder;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The most values that one call makes or reads: 2³⁰, 4 GiB of f32.
const MOST_VALUES: usize = 1 << 30;

/// Arguments of `minimax sample`.
#[derive(Args, Debug)]
pub struct SampleArgs {
    /// A run's folder, or one of its .safetensors files
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Which state of the run, and which weights.
    #[command(flatten)]
    pub state: StateArgs,
    /// Number of images [default: as many as on the run's own grids]
    #[arg(long, value_name = "N", conflicts_with = "latents", value_parser = whole::<usize>(1..=MOST_VALUES as u64))]
    pub count: Option<usize>,
    /// Random seed for the latents [default: the recipe's, which gives the run's own grid]
    #[arg(long, value_name = "N", conflicts_with = "latents", value_parser = whole::<u64>(0..=u64::MAX))]
    pub seed: Option<u64>,
    /// For a conditional run: make images of this class only, or of all classes in turn, a row each [default: all]
    #[arg(long = "class", value_name = "N|all")]
    pub class: Option<Class>,
    /// Latents to use, a .npy of float32 or float64 [n, width]
    #[arg(long, value_name = "FILE.npy")]
    pub latents: Option<PathBuf>,
    /// Write a grid as png, or float32 [n, h, w, c] in the generator's own range as npy (for points, a map or [n, 2])
    /// [default: the ending of --out, or png]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// The file to write [default: samples.png or samples.npy]
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// Overwrite any file that is there; a run's own files are never overwritten
    #[arg(long)]
    pub force: bool,
    /// Where it is computed.
    #[command(flatten)]
    pub compute: Compute,
}

/// The classes that a conditional generator makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// All classes in turn.
    All,
    /// One class, counted from 0.
    One(u16),
}

impl FromStr for Class {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Class, String> {
        match text {
            "all" => Ok(Class::All),
            _ => text.parse().map(Class::One).map_err(|_| "give a class's number, from 0, or all".into()),
        }
    }
}

/// Which state of a run's generator.
#[derive(Args, Debug)]
pub struct StateArgs {
    /// Take the run's best state, by the distance of its samples, instead of the last
    #[arg(long)]
    pub best: bool,
    /// Take the generator's own weights, even if the run has a moving average of them
    #[arg(long)]
    pub no_average: bool,
}

impl StateArgs {
    /// The file of `run` that has it.
    ///
    /// # Errors
    /// [`Error::Usage`] if there is no best state.
    pub(super) fn file(&self, run: &Path) -> Result<PathBuf> {
        if !self.best {
            return Ok(checkpoint::generator_file(run, self.weights()));
        }
        let file = run.join(BEST);
        match file.is_file() {
            true => Ok(file),
            false => {
                let what = format!("--best: {} is no run's folder with a {BEST}; leave the flag out", run.display());
                Err(Error::Usage(what))
            }
        }
    }

    /// The generator of that `file`.
    ///
    /// # Errors
    /// As [`checkpoint::load_network`].
    pub(super) fn load(&self, file: &Path, device: Device) -> Result<Trained> {
        load_network(file, Role::Generator, self.weights(), device)
    }

    /// Which weights.
    pub(super) fn weights(&self) -> Weights {
        if self.no_average { Weights::Own } else { Weights::Averaged }
    }
}

/// What `minimax sample` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A grid of images.
    Png,
    /// A NumPy array.
    Npy,
}

/// Runs `minimax sample` and prints one line.
///
/// # Errors
/// Whatever is wrong with the flags, the run or the latents, and if the file can't be written.
pub fn run(args: &SampleArgs) -> Result<()> {
    args.compute.processor.set()?;
    let device = args.compute.device.resolve()?;
    let file = args.state.file(&args.run)?;
    let trained = args.state.load(&file, device)?;
    let (recipe, mut generator) = (trained.recipe, trained.network);
    let (width, image) = (recipe.generator.input[0], &recipe.discriminator.input);
    let plane = Plane::named(&recipe.data.name);
    let (format, out) = target(args)?;
    let kind = match format {
        Format::Png => Kind::Png,
        Format::Npy => Kind::Npy(image),
    };
    let inputs = [Some(&file), args.latents.as_ref()].into_iter().flatten();
    let inputs: Vec<&Path> = inputs.map(PathBuf::as_path).collect();
    output::check(&out, "--out", kind, args.force, &inputs)?;
    let most = MOST_VALUES / image.iter().product::<usize>().max(width);
    let latents = match &args.latents {
        Some(path) => Latents::new(latents::read(path, width, most)?, width),
        None => {
            let count = args.count.unwrap_or(recipe.samples.count);
            if !(1..=most).contains(&count) {
                return Err(Error::Usage(format!("--count {count}: choose from 1 to {most}")));
            }
            let seed = args.seed.unwrap_or(recipe.training.seed);
            Latents::fixed(seed, count, width)
        }
    };
    let count = latents.count();
    let (latents, columns) = match (args.class, recipe.classes()) {
        (None | Some(Class::All), Some(classes)) => {
            let columns = columns_for(count, Some(classes));
            (latents.of_classes(&rows_of_classes(count, columns, classes), classes), columns)
        }
        (Some(Class::One(class)), Some(classes)) => {
            check_class("--class", class, classes)?;
            (latents.of_classes(&vec![class; count], classes), columns_for(count, None))
        }
        (None, None) => (latents, columns_for(count, None)),
        (Some(_), None) => return Err(Error::Usage(format!("--class: {}", not_conditional(&recipe)))),
    };
    let (mut bytes, mut values) = (Vec::new(), Vec::new());
    let batch = recipe.training.batch_size;
    model::sample_each(&mut generator, &latents, batch, device, |images| {
        match format {
            Format::Png if plane.is_none() => bytes.extend(pixels::to_bytes(images, recipe.data.range)),
            _ => values.extend(images.to_f32()),
        }
        Ok(())
    })?;
    match format {
        Format::Png => match plane {
            None => grid_png(&out, &bytes, image[0], image[1], image[2], columns)?,
            Some(plane) => {
                let map = Map { extent: plane.extent(), field: &[], real: &[], samples: &values, pulls: &[] };
                write_whole(&out, &map.render().to_png())?;
            }
        },
        Format::Npy => write_whole(&out, &npy(&values, count, image))?,
    }
    let kind = if plane.is_some() { "points" } else { "images" };
    print(&format!("{count} {kind} of {} in {}\n", recipe.name, out.display()))
}

/// Checks that `class`, the value of `flag`, is one of `classes`.
pub(super) fn check_class(flag: &str, class: u16, classes: usize) -> Result<()> {
    match usize::from(class) < classes {
        true => Ok(()),
        false => Err(Error::Usage(format!("{flag} {class}: the run has classes 0 to {}; choose one", classes - 1))),
    }
}

/// The message if a class is asked for and the run has none.
pub(super) fn not_conditional(recipe: &Recipe) -> String {
    format!("{} makes images without being told of which class; leave the flag out", recipe.name)
}

/// One network of a file of a run, with a note if the file can't be checked.
pub(super) fn load_network(file: &Path, role: Role, weights: Weights, device: Device) -> Result<Trained> {
    let trained = checkpoint::load_network(file, role, weights, device)?;
    if !trained.has_sum {
        warn(&no_sum(file));
    }
    Ok(trained)
}

/// The note about a file of a run that has no sum.
pub(super) fn no_sum(file: &Path) -> String {
    let file = file.display();
    format!("{file}: an older version wrote it without a sum of its bytes, so damage to it would go unseen")
}

/// The format to write, and the file.
///
/// # Errors
/// If the file's name has another ending than the format's.
fn target(args: &SampleArgs) -> Result<(Format, PathBuf)> {
    let extension = args.out.as_ref().and_then(|path| path.extension());
    let is = |ending: &str| extension.is_none_or(|found| found.eq_ignore_ascii_case(ending));
    let format = match args.format {
        Some(format) => format,
        None if is("png") => Format::Png,
        None if is("npy") => Format::Npy,
        None => {
            let out = args.out.as_deref().unwrap_or(Path::new("")).display();
            let what = "a grid is written as .png, an array as .npy; end the name in one of them";
            return Err(Error::Usage(format!("--out {out}: {what}")));
        }
    };
    let name = match format {
        Format::Png => "samples.png",
        Format::Npy => "samples.npy",
    };
    Ok((format, args.out.clone().unwrap_or_else(|| name.into())))
}

/// `values` as a .npy file of float32, `count` images or points of this shape.
fn npy(values: &[f32], count: usize, shape: &[usize]) -> Vec<u8> {
    let shape: Vec<u64> = [&[count], shape].concat().into_iter().map(|n| n as u64).collect();
    let mut bytes = Vec::new();
    let options = npyz::WriteOptions::new().default_dtype().shape(&shape);
    let written = options.writer(&mut bytes).begin_nd().and_then(|mut writer| {
        writer.extend(values.iter().copied())?;
        writer.finish()
    });
    written.expect("writing to memory doesn't fail");
    bytes
}
