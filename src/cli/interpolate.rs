//! `minimax interpolate`: the images between two latents, as a strip and as a GIF.

use super::device::Processor;
use super::output::{self, Kind};
use super::sample::{StateArgs, check_class, not_conditional};
use super::{print, whole};
use crate::data::pixels;
use crate::files::{make_folder, write_whole};
use crate::gan::latents::Latents;
use crate::gan::model::sample;
use crate::recipe::Recipe;
use crate::report::{Picture, gif, grid_png};
use crate::run::interpolation::{between_classes, great_circle};
use crate::storage::Device;
use crate::{Error, Result};
use clap::Args;
use std::path::PathBuf;

/// The number of images of the strip.
const STRIP: usize = 10;
/// The least side of a frame of the GIF, to which smaller images are enlarged.
const FRAME: usize = 256;
/// How long a frame is shown, in milliseconds.
const DELAY: u32 = 60;
/// The most bytes that the pixels of all frames may take.
const MAX_BYTES: usize = 1 << 30;

/// Arguments of `minimax interpolate`.
#[derive(Args, Debug)]
pub struct InterpolateArgs {
    /// A run's folder, or one of its .safetensors files
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Which state of the run, and which weights.
    #[command(flatten)]
    pub state: StateArgs,
    /// Seed of the latent to start from: that of the first image of `minimax sample --seed SEED`
    #[arg(long, value_name = "SEED", value_parser = whole::<u64>(0..=u64::MAX))]
    pub from: u64,
    /// Seed of the latent to end at
    #[arg(long, value_name = "SEED", value_parser = whole::<u64>(0..=u64::MAX))]
    pub to: u64,
    /// For a conditional run: the class to start from, counted from 0 [default: 0]
    #[arg(long, value_name = "N")]
    pub from_class: Option<u16>,
    /// For a conditional run: the class to end at [default: the class to start from]
    #[arg(long, value_name = "N")]
    pub to_class: Option<u16>,
    /// Number of frames of the GIF, from 2 to 100; the strip always has ten images
    #[arg(long, value_name = "N", default_value = "60", value_parser = whole::<u8>(2..=100))]
    pub frames: u8,
    /// The folder for interpolation.png and interpolation.gif
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// Overwrite any files of these names that are there; a run's own files are never overwritten
    #[arg(long)]
    pub force: bool,
    /// How it is computed.
    #[command(flatten)]
    pub processor: Processor,
}

/// Runs `minimax interpolate` and prints one line.
///
/// # Errors
/// Whatever is wrong with the flags or the run, and if a file can't be written.
pub fn run(args: &InterpolateArgs) -> Result<()> {
    args.processor.set()?;
    let file = args.state.file(&args.run)?;
    let trained = args.state.load(&file, Device::Cpu)?;
    let (recipe, mut generator) = (trained.recipe, trained.network);
    let out = &args.out;
    let (png_file, gif_file) = (out.join("interpolation.png"), out.join("interpolation.gif"));
    output::check(&png_file, "--out", Kind::Png, args.force, &[&file])?;
    output::check(&gif_file, "--out", Kind::Gif, args.force, &[&file])?;
    let [height, width, channels] = recipe.discriminator.input[..] else {
        let what = format!("{} makes points of the plane, between which there are no images", recipe.name);
        return Err(Error::place(&file, format!("{what}; choose a run that makes images")));
    };
    let scale = FRAME.div_ceil(height.max(width));
    let count = usize::from(args.frames);
    let most = MAX_BYTES / (3 * height * width * scale * scale);
    if count > most {
        let frames = format!("--frames {count}: of frames of {height}x{width} pixels");
        let what = format!("{frames}, {most} can be made; choose fewer, or a smaller model");
        return Err(Error::Usage(what));
    }

    let latent = recipe.generator.input[0];
    let [from, to] = [args.from, args.to].map(|seed| Latents::fixed(seed, 1, latent));
    let ends = classes(args, &recipe)?;
    let way = match ends {
        Some(([a, b], _)) => format!("from seed {} to {}, class {a} to {b}", args.from, args.to),
        None => format!("from seed {} to {}", args.from, args.to),
    };
    let mut generate = |count| {
        let latents = Latents::new(great_circle(from.values(), to.values(), count), latent);
        let latents = match ends {
            Some((ends, classes)) => latents.labelled(between_classes(ends, classes, count), classes),
            None => latents,
        };
        let batch = recipe.training.batch_size;
        let images = sample(&mut generator, &latents, batch, Device::Cpu);
        pixels::to_bytes(&images, recipe.data.range)
    };
    let (strip, images) = (generate(STRIP), generate(count));
    let size = height * width * channels;
    let frame = |index: usize| {
        let pixels = &images[index * size..][..size];
        let picture = Picture::from_pixels(pixels, height, width, channels);
        let done = 100 * index / (count - 1);
        let label = format!("{done} % {way}");
        Ok((label, picture.scaled(width * scale, height * scale)))
    };

    let animation = gif(count, DELAY, frame)?;
    make_folder(out)?;
    grid_png(&png_file, &strip, height, width, channels, STRIP)?;
    write_whole(&gif_file, &animation)?;
    print(&format!("{} {way} in {} and {}\n", recipe.name, png_file.display(), gif_file.display()))
}

/// The classes to go from and to, and the number of all classes; `None` if the run has none.
fn classes(args: &InterpolateArgs, recipe: &Recipe) -> Result<Option<([u16; 2], usize)>> {
    let flags = [("--from-class", args.from_class), ("--to-class", args.to_class)];
    let Some(classes) = recipe.classes() else {
        return match flags.into_iter().find(|(_, class)| class.is_some()) {
            Some((flag, _)) => Err(Error::Usage(format!("{flag}: {}", not_conditional(recipe)))),
            None => Ok(None),
        };
    };
    for (flag, class) in flags {
        class.map_or(Ok(()), |class| check_class(flag, class, classes))?;
    }
    let from = args.from_class.unwrap_or(0);
    Ok(Some(([from, args.to_class.unwrap_or(from)], classes)))
}
