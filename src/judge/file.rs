//! The file that keeps a judge: safetensors (see [`crate::weights`]) with its weights, the scale and the moments of its
//! features in f64, and in the header how it was made and how well it does.

use super::classifier::Classifier;
use super::training::sum_of;
use super::{About, Judge, JudgeSpec};
use crate::data::Images;
use crate::data::sum::Sum;
use crate::files;
use crate::metrics::Moments;
use crate::nn::Initializer;
use crate::random::{Purpose, Random};
use crate::storage::Device;
use crate::tensor::Tensor;
use crate::weights::{self, BLANK, Kind, read_into};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The judge of the built-in digits, as `minimax judge train digits` makes it.
const DIGITS: &[u8] = include_bytes!("../../recipes/judges/digits.safetensors");

const KIND: Kind = Kind {
    name: "judge",
    mend: "give a file that minimax judge train wrote",
    spare: "make it again with minimax judge train",
};

#[derive(Serialize, Deserialize)]
struct Header {
    sha256: String,
    judge: String,
    about: About,
}

/// The judge of the built-in digits.
///
/// # Panics
/// If the program's own file is damaged.
pub fn built_in(device: Device) -> Judge {
    parse(Path::new("recipes/judges/digits.safetensors"), DIGITS, device).unwrap_or_else(|error| panic!("{error}"))
}

/// Writes `judge` to the file `path`.
///
/// # Errors
/// If it can't be written; an older one then stays as it was.
pub fn save(path: &Path, judge: &Judge) -> Result<()> {
    let classifier = &judge.classifier;
    let header = Header { sha256: BLANK.into(), judge: classifier.spec.to_toml(), about: judge.about.clone() };
    let (mean, covariance) = (&judge.reference.mean, &judge.reference.covariance);
    let scale = Tensor::new(&[classifier.scale], [1], Device::Reference);
    let mean = Tensor::new(mean, [mean.len()], Device::Reference);
    let covariance = Tensor::new(covariance, [mean.numel(), mean.numel()], Device::Reference);
    let mut tensors: Vec<(String, &Tensor)> = named(classifier.network.named()).collect();
    tensors.extend([
        ("scale".into(), &scale),
        ("reference.mean".into(), &mean),
        ("reference.covariance".into(), &covariance),
    ]);
    weights::write(path, &header, tensors)
}

/// Reads the judge in the file `path`, to compute on `device`.
///
/// # Errors
/// If the file is missing, damaged or of another kind.
pub fn load(path: &Path, device: Device) -> Result<Judge> {
    parse(path, &files::read(path)?, device)
}

/// As [`load`], from the file's bytes; `path` only names it in errors.
///
/// # Errors
/// If they are damaged or of another kind.
pub fn parse(path: &Path, bytes: &[u8], device: Device) -> Result<Judge> {
    let (file, header): (_, Header) = weights::open(path, bytes, &KIND)?;
    let refuse = |what: String| Error::place(path, format!("{what}; {}", KIND.mend));
    let mut spec = JudgeSpec::parse(&header.judge).map_err(|why| refuse(format!("describes no judge: {why}")))?;
    let about = header.about;
    if about.training < 2 || about.test == 0 || about.right > about.test {
        return Err(refuse(format!("says that it is right about {} of {} images", about.right, about.test)));
    }
    let (_, width) = spec.features();
    let needed = 4 * spec.network.table().map_or(0, |table| table.parameters.total()) + 8 * (width * width) as u64;
    if needed > bytes.len() as u64 {
        return Err(refuse(format!("has {} bytes where its network takes {needed}", bytes.len())));
    }
    let initializer = std::mem::replace(&mut spec.network.initializer, Initializer::Zeros);
    let mut classifier = Classifier::new(spec, &mut Random::new(0, Purpose::INITIAL), device);
    classifier.spec.network.initializer = initializer;
    for (name, tensor) in named(classifier.network.named_mut()) {
        read_into(path, &file, &name, tensor)?;
    }
    let values = |name: &str, shape: &[usize]| -> Result<Vec<f64>> {
        let mut tensor = Tensor::zeros(shape, Device::Reference);
        read_into(path, &file, name, &mut tensor)?;
        Ok(tensor.to_f64())
    };
    classifier.scale = values("scale", &[1])?[0];
    let mean = values("reference.mean", &[width])?;
    let covariance = values("reference.covariance", &[width, width])?;
    if covariance.iter().step_by(width + 1).any(|&variance| variance < 0.0) {
        return Err(refuse("has a variance below zero in reference.covariance".into()));
    }
    Ok(Judge { classifier, reference: Moments { count: about.training, mean, covariance }, about })
}

/// What the file of the judge that `spec` makes of the set of these `images` is called; another one's name is another.
pub fn file_name(spec: &JudgeSpec, images: &Images) -> String {
    let how = format!("{}\n{}", sum_of(images), spec.to_toml());
    let (sum, _) = Sum::of(how.as_bytes()).expect("memory is read without errors");
    format!("{}-{:.16}.safetensors", spec.name, sum.to_string())
}

fn named<T>(tensors: Vec<(String, T)>) -> impl Iterator<Item = (String, T)> {
    tensors.into_iter().map(|(name, tensor)| (format!("network.{name}"), tensor))
}
