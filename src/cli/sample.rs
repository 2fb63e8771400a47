//! `minimax sample`: images from a trained generator.

use super::print;
use crate::files::write_whole;
use crate::gan::{checkpoint, model, pixels};
use crate::random::{Purpose, Random};
use crate::report::grid_png;
use crate::storage::Device;
use crate::tensor::Tensor;
use crate::{Error, Result};
use clap::{Args, ValueEnum};
use npyz::WriterBuilder;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// The most values that one call makes: 2³⁰, 4 GiB of f32.
const MOST_VALUES: usize = 1 << 30;

/// Arguments of `minimax sample`.
#[derive(Args, Debug)]
pub struct SampleArgs {
    /// A run's folder, or a generator.safetensors
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// How many images [default: 100, or as many as --latents has]
    #[arg(long, value_name = "N", conflicts_with = "latents")]
    pub count: Option<usize>,
    /// Of the latents [default: the recipe's, which gives the run's own grid]
    #[arg(long, value_name = "N", conflicts_with = "latents")]
    pub seed: Option<u64>,
    /// Latents to use, a .npy of float32 [n, width]
    #[arg(long, value_name = "FILE.npy")]
    pub latents: Option<PathBuf>,
    /// A picture, or the numbers in the generator's own range: float32 [n, h, w, c]
    #[arg(long, value_enum, default_value_t = Format::Png)]
    pub format: Format,
    /// The file to write [default: samples.png or samples.npy]
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
    /// cpu (f32, fast) or reference (f64, plain loops)
    #[arg(long, value_name = "D", default_value = "cpu")]
    pub device: String,
    /// Threads to use [default: all cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
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
    let device: Device = args.device.parse()?;
    super::train::set_threads(args.threads)?;
    let file = match args.run.is_dir() {
        true => args.run.join("generator.safetensors"),
        false => args.run.clone(),
    };
    let (recipe, mut generator) = checkpoint::load_generator(&file, device)?;
    let (width, image) = (recipe.generator.input[0], &recipe.discriminator.input);
    let values: usize = image.iter().product();
    let latents = match &args.latents {
        Some(path) => read_latents(path, width, MOST_VALUES / values.max(width))?,
        None => {
            let count = args.count.unwrap_or(100);
            let most = MOST_VALUES / values.max(width);
            if !(1..=most).contains(&count) {
                return Err(Error::Usage(format!(
                    "--count {count}: choose from 1 to {most}"
                )));
            }
            let seed = args.seed.unwrap_or(recipe.training.seed);
            let latents = Random::new(seed, Purpose::FixedLatent).normal(count * width);
            latents.into_iter().map(|v| v as f32).collect()
        }
    };
    let images = model::sample(&mut generator, &latents, width, device);
    let count = images.dims()[0];
    let out = match (&args.out, args.format) {
        (Some(path), _) => path.clone(),
        (None, Format::Png) => PathBuf::from("samples.png"),
        (None, Format::Npy) => PathBuf::from("samples.npy"),
    };
    match args.format {
        Format::Png => {
            let bytes = pixels::to_bytes(&images, recipe.data.range);
            let columns = (count as f64).sqrt().ceil() as usize;
            grid_png(&out, &bytes, image[0], image[1], image[2], columns)?;
        }
        Format::Npy => write_whole(&out, &npy(&images))?,
    }
    print(&format!(
        "{count} images of {} in {}\n",
        recipe.name,
        out.display()
    ))
}

/// The float32 array `[n, width]` in the .npy file at `path`, flattened.
fn read_latents(path: &Path, width: usize, most: usize) -> Result<Vec<f32>> {
    let wrong = |what: String| {
        Error::data(
            path,
            what,
            format!("save a float32 array of shape [n, {width}] with numpy.save"),
        )
    };
    let file = File::open(path).map_err(Error::io(path))?;
    let bytes = file.metadata().map_err(Error::io(path))?.len();
    let npy = npyz::NpyFile::new(BufReader::new(file))
        .map_err(|error| wrong(format!("is not a .npy file ({error})")))?;
    let shape = npy.shape().to_vec();
    let &[n, columns] = &shape[..] else {
        return Err(wrong(format!("has shape {shape:?}")));
    };
    if columns != width as u64 || n == 0 || npy.order() != npyz::Order::C {
        return Err(wrong(format!(
            "has shape {shape:?} in {:?} order",
            npy.order()
        )));
    }
    if n > most as u64 || n * columns * 4 > bytes {
        return Err(wrong(format!(
            "says shape {shape:?} but has {bytes} bytes; at most {most} rows"
        )));
    }
    let dtype = npy.dtype().descr();
    let values = npy
        .try_data::<f32>()
        .map_err(|_| wrong(format!("holds {dtype}")))?;
    let values: std::io::Result<Vec<f32>> = values.collect();
    let values = values.map_err(Error::io(path))?;
    match values.iter().all(|v| v.is_finite()) {
        true => Ok(values),
        false => Err(wrong("holds values that are not finite".into())),
    }
}

/// `x` as a .npy file of float32.
fn npy(x: &Tensor) -> Vec<u8> {
    let shape: Vec<u64> = x.dims().iter().map(|&n| n as u64).collect();
    let mut bytes = Vec::new();
    let written = npyz::WriteOptions::new()
        .default_dtype()
        .shape(&shape)
        .writer(&mut bytes)
        .begin_nd()
        .and_then(|mut writer| {
            writer.extend(x.to_f32())?;
            writer.finish()
        });
    written.expect("writing to memory doesn't fail");
    bytes
}
