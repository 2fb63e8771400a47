//! Sampling many images, and reading a data set.

use super::{Pair, Row, fastest};
use crate::subjects::common::{SAMPLED, sampling_name};
use crate::subjects::recipe;
use crate::torch::network::Network;
use crate::torch::{gan, shim};
use flate2::read::GzDecoder;
use minimax::Device;
use minimax::data::idx;
use minimax::gan::latents::Latents;
use minimax::gan::model::{Gan, sample};
use minimax::data::pixels;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use tch::Tensor;

/// The training files of MNIST; libtorch's reader opens no others.
const FILES: [&str; 2] = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"];

/// Sampling (fewer images with `quick`) and, with a folder of MNIST's files, reading.
pub fn rows(quick: bool, folder: Option<&Path>) -> Vec<Row> {
    let count = if quick { 512 } else { 10_000 };
    let mut rows = vec![Row::new(sampling_name(count), None, move || sampling(count))];
    if let Some(folder) = folder.map(Path::to_path_buf) {
        let name = "read MNIST's training images from IDX files".into();
        rows.push(Row::new(name, None, move || reading(&folder)));
    }
    rows
}

fn sampling(count: usize) -> Result<Pair, String> {
    let recipe = recipe(SAMPLED);
    let mut gan = Gan::new(&recipe, Device::Cpu);
    let width = recipe.generator.input[0];
    let latents = Latents::fixed(1, count, width);
    let (libtorch, layout) = fastest(|layout| {
        let mut network = Network::new(&recipe.generator, &gan.generator, layout)?;
        let latents = Tensor::from_slice(latents.values()).view([count as i64, width as i64]);
        Ok(move || drop(gan::sample(&mut network, &latents)))
    })?;
    let ours = move || {
        sample(&mut gan.generator, &latents, 64, Device::Cpu);
    };
    Ok(Pair::new(ours, libtorch).with_layout(layout))
}

/// Plain files to floats in [0, 1]. Gzipped ones are unpacked first, since libtorch's reader can't.
fn reading(folder: &Path) -> Result<Pair, String> {
    let folder = plain_files(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let ours = folder.clone();
    Ok(Pair::new(
        move || {
            let images = idx::read_folder(&ours).expect("readable files");
            let images = images.expect("MNIST's files");
            let shape = [images.len(), images.height, images.width, images.channels];
            pixels::to_tensor(&images.pixels, shape.into(), [0.0, 1.0], Device::Cpu);
        },
        move || drop(shim::read_mnist(&folder)),
    ))
}

/// The folder itself, or one of unpacked copies beside this program.
fn plain_files(folder: &Path) -> io::Result<PathBuf> {
    if FILES.iter().all(|name| folder.join(name).is_file()) {
        return Ok(folder.to_path_buf());
    }
    let unpacked = std::env::current_exe()?.with_file_name("mnist");
    fs::create_dir_all(&unpacked)?;
    for name in FILES {
        let packed = File::open(folder.join(format!("{name}.gz")))?;
        io::copy(&mut GzDecoder::new(packed), &mut File::create(unpacked.join(name))?)?;
    }
    Ok(unpacked)
}
