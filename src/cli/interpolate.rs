//! `minimax interpolate`: the images between two latents.

use super::sample::generator_file;
use super::{print, set_threads};
use crate::gan::interpolation::great_circle;
use crate::gan::model::{fixed_latents, sample};
use crate::gan::{checkpoint, pixels};
use crate::report::grid_png;
use crate::storage::Device;
use crate::{Error, Result};
use clap::Args;
use std::path::PathBuf;

/// Images of the strip.
const STRIP: usize = 10;

/// Arguments of `minimax interpolate`.
#[derive(Args, Debug)]
pub struct InterpolateArgs {
    /// A run's folder, or one of its .safetensors files
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Whose first latent to start from, as `minimax sample --seed SEED` has it
    #[arg(long, value_name = "SEED")]
    pub from: u64,
    /// Whose first latent to end at
    #[arg(long, value_name = "SEED")]
    pub to: u64,
    /// The folder for interpolation.png and interpolation.gif
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// Threads to use [default: all cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
}

/// Runs `minimax interpolate` and prints one line.
///
/// # Errors
/// Whatever is wrong with the flags or the run, and if the files can't be written.
pub fn run(args: &InterpolateArgs) -> Result<()> {
    set_threads(args.threads)?;
    let file = generator_file(&args.run);
    let (recipe, mut generator) = checkpoint::load_generator(&file, Device::Cpu)?;
    let width = recipe.generator.input[0];
    let [from, to] = [args.from, args.to].map(|seed| fixed_latents(seed, 1, width));

    let latents = great_circle(&from, &to, STRIP);
    let images = sample(&mut generator, &latents, width, Device::Cpu);
    let bytes = pixels::to_bytes(&images, recipe.data.range);
    let image = &recipe.discriminator.input;
    std::fs::create_dir_all(&args.out).map_err(Error::io(&args.out))?;
    let strip = args.out.join("interpolation.png");
    grid_png(&strip, &bytes, image[0], image[1], image[2], STRIP)?;
    print(&format!(
        "{} from seed {} to {} in {}\n",
        recipe.name,
        args.from,
        args.to,
        strip.display()
    ))
}
