//! `minimax export`: a trained network for other programs.

use super::output::{self, Kind};
use super::print;
use super::sample::{self, StateArgs};
use crate::files::write_whole;
use crate::recipe::build::Role;
use crate::run::folder::{CHECKPOINT, DISCRIMINATOR};
use crate::storage::Device;
use crate::{Error, Result, export};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Arguments of `minimax export`.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// A run's folder, or one of its .safetensors files
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// What to write
    #[arg(long, value_enum)]
    pub format: Format,
    /// Names and layouts of the tensors in a safetensors file [default: keras]
    #[arg(long, value_enum)]
    pub layout: Option<Layout>,
    /// Which network of the run to export
    #[arg(long, value_enum, default_value = "generator")]
    pub network: Network,
    /// Which state of the run, and which weights.
    #[command(flatten)]
    pub state: StateArgs,
    /// The file to write [default: generator.onnx, generator.keras.safetensors or the like]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Overwrite any file that is there; a run's own files are never overwritten
    #[arg(long)]
    pub force: bool,
}

/// What `minimax export` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Weights, with a description of the network in the header
    Safetensors,
    /// A graph that an ONNX runtime runs
    Onnx,
}

/// The layouts of a safetensors file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Layout {
    /// The engine's own, which are Keras's
    Keras,
    /// Those of a torch.nn.Sequential
    Torch,
}

/// Which network of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Network {
    /// From latents to images
    Generator,
    /// From images to one number
    Discriminator,
    /// From images to logits of the classes, in a game of three (Triple-GAN)
    Classifier,
}

/// Runs `minimax export` and prints one line.
///
/// # Errors
/// Whatever is wrong with the flags or the run, and if the file can't be written.
pub fn run(args: &ExportArgs) -> Result<()> {
    if args.format == Format::Onnx && args.layout.is_some() {
        let what = "--layout: an ONNX file has one layout only; leave it out";
        return Err(Error::Usage(what.into()));
    }
    let role = match args.network {
        Network::Generator => Role::Generator,
        Network::Discriminator => Role::Discriminator,
        Network::Classifier => Role::Classifier,
    };
    let file = match role {
        Role::Discriminator if args.run.is_dir() && !args.state.best => {
            let (alone, both) = (args.run.join(DISCRIMINATOR), args.run.join(CHECKPOINT));
            if alone.is_file() && !both.is_file() { alone } else { both }
        }
        Role::Classifier if args.run.is_dir() && !args.state.best => args.run.join(CHECKPOINT),
        _ => args.state.file(&args.run)?,
    };
    let (name, ending) = (role.name(), ending(args));
    let out = args.out.clone();
    let out = out.unwrap_or_else(|| format!("{name}.{ending}").into());
    let kind = match args.format {
        Format::Safetensors => Kind::Safetensors,
        Format::Onnx => Kind::Onnx,
    };
    output::check(&out, "--out", kind, args.force, &[&file])?;
    // The files have f32, whatever the network was trained in.
    let trained = sample::load_network(&file, role, args.state.weights(), Device::Cpu)?;
    let bytes = match (args.format, args.layout) {
        (Format::Onnx, _) => export::onnx(&trained).map_err(|what| Error::place(&file, what))?,
        (Format::Safetensors, Some(Layout::Torch)) => export::torch(&trained),
        (Format::Safetensors, _) => export::keras(&trained),
    };
    write_whole(&out, &bytes)?;
    print(&format!("{name} of {} at step {} in {}\n", trained.recipe.name, trained.step, out.display()))
}

/// The ending of the file's name if none is given.
fn ending(args: &ExportArgs) -> &'static str {
    match (args.format, args.layout) {
        (Format::Onnx, _) => "onnx",
        (Format::Safetensors, Some(Layout::Torch)) => "torch.safetensors",
        (Format::Safetensors, _) => "keras.safetensors",
    }
}
