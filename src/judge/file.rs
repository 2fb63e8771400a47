//! The file of a judge: safetensors (see [`crate::weights`]) with its weights and, in f64, the scale and the moments of
//! its features. The header says how the judge was made and how well it does.

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
    fix: "give a file that minimax judge train wrote",
    spare: "make it again with minimax judge train",
};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
/// If it can't be written; an older file then stays as it was.
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

/// As [`load`], where `fix` says what to do about a file that is damaged or of another kind.
///
/// # Errors
/// As [`load`].
pub fn load_or(path: &Path, device: Device, fix: &str) -> Result<Judge> {
    parse_or(path, &files::read(path)?, device, fix)
}

/// The name of the judge in the file `path`, what it was trained on and how well it does. Its network is not read.
///
/// # Errors
/// If the file is missing, damaged or of another kind.
pub fn about(path: &Path) -> Result<(String, About)> {
    let header: Header = weights::read_header(path, &KIND)?;
    let refuse = |what: String| Error::place(path, format!("{what}; {}", KIND.fix));
    let spec = JudgeSpec::parse(&header.judge).map_err(|why| refuse(format!("describes no judge: {why}")))?;
    header.about.check().map_err(refuse)?;
    Ok((spec.name, header.about))
}

/// As [`load`], from the file's bytes; `path` only names it in errors.
///
/// # Errors
/// If they are damaged or of another kind.
pub fn parse(path: &Path, bytes: &[u8], device: Device) -> Result<Judge> {
    parse_as(path, bytes, device, &KIND)
}

/// As [`parse`], where `fix` says what to do about such bytes.
///
/// # Errors
/// As [`parse`].
pub fn parse_or(path: &Path, bytes: &[u8], device: Device, fix: &str) -> Result<Judge> {
    parse_as(path, bytes, device, &Kind { fix, spare: fix, ..KIND })
}

fn parse_as(path: &Path, bytes: &[u8], device: Device, kind: &Kind) -> Result<Judge> {
    let (file, header): (_, Header) = weights::open(path, bytes, kind)?;
    let refuse = |what: String| Error::place(path, format!("{what}; {}", kind.fix));
    let mut spec = JudgeSpec::parse(&header.judge).map_err(|why| refuse(format!("describes no judge: {why}")))?;
    let about = header.about;
    about.check().map_err(refuse)?;
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
    if !(classifier.scale > 1.0 / LARGE && classifier.scale < LARGE) || mean.iter().any(|v| v.abs() > LARGE) {
        return Err(refuse("has a scale or a mean that no features have".into()));
    }
    if !is_covariance(&covariance, width) {
        return Err(refuse("has a reference.covariance that is none".into()));
    }
    // Finite weights may still give outputs that are not finite.
    let size: usize = classifier.spec.network.input.iter().product();
    let seen = classifier.see(&[vec![0; size], vec![255; size]].concat());
    let is_number = |v: &f32| f64::from(*v).abs() < LARGE;
    if !seen.features.iter().chain(&seen.probabilities).all(is_number) {
        return Err(refuse("sees no numbers in an image".into()));
    }
    Ok(Judge { classifier, reference: Moments { count: about.training, mean, covariance }, about })
}

/// A value that no feature, and no sum of a few squares of features, comes near.
const LARGE: f64 = 1e12;

/// Whether `c` `[n, n]` can be a covariance, as far as pairs of dimensions tell: symmetric, and no product larger than
/// its variances allow.
fn is_covariance(c: &[f64], n: usize) -> bool {
    let entry = |i: usize, j: usize| c[i * n + j];
    let rounding = f64::EPSILON * c.iter().step_by(n + 1).fold(0.0, |most: f64, v| most.max(*v));
    (0..n).all(|i| {
        (0..=i).all(|j| {
            let allowed = (entry(i, i) * entry(j, j)).sqrt() * (1.0 + 1e-9) + rounding;
            entry(i, i) >= 0.0
                && entry(i, i) < LARGE
                && entry(i, j).abs() <= allowed
                && (entry(i, j) - entry(j, i)).abs() <= 1e-9 * allowed + rounding
        })
    })
}

/// The name of the file for the judge that `spec` makes from the set of these `images`. Different judges have different
/// names.
pub fn file_name(spec: &JudgeSpec, images: &Images) -> String {
    let how = format!("{}\n{}", sum_of(images), spec.to_toml());
    let (sum, _) = Sum::of(how.as_bytes()).expect("memory is read without errors");
    format!("{}-{:.16}.safetensors", spec.name, sum.to_string())
}

fn named<T>(tensors: Vec<(String, T)>) -> impl Iterator<Item = (String, T)> {
    tensors.into_iter().map(|(name, tensor)| (format!("network.{name}"), tensor))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::to_bytes;

    /// The built-in judge with another header, or with `change` made to what its tensors hold, under a sum that agrees.
    fn forged(change: impl Fn(&str, &mut Vec<f64>), header: impl Fn(&mut Header)) -> Result<Judge> {
        let path = Path::new("forged.safetensors");
        let (file, mut said): (_, Header) = weights::open(path, DIGITS, &KIND).unwrap();
        said.sha256 = BLANK.into();
        header(&mut said);
        let mut tensors = Vec::new();
        for name in file.names() {
            let shape = file.tensor(name).unwrap().shape().to_vec();
            let mut tensor = Tensor::zeros(&shape[..], Device::Reference);
            read_into(path, &file, name, &mut tensor).unwrap();
            let mut values = tensor.to_f64();
            change(name, &mut values);
            tensors.push((name.to_string(), Tensor::new(&values, &shape[..], Device::Reference)));
        }
        let tensors = tensors.iter().map(|(name, tensor)| (name.clone(), tensor)).collect();
        parse(path, &to_bytes(&said, tensors), Device::Cpu)
    }

    /// `judge` with its first ReLU inside of residuals, so many of them.
    fn nested(judge: &str, depth: usize) -> String {
        let inside = |depth: usize| format!("[[network.layers{}]]", ".layers".repeat(depth));
        let residuals: String =
            (1..=depth).map(|depth| format!("\"residual\"\n\n{}\nlayer = ", inside(depth))).collect();
        judge.replacen("\"relu\"", &format!("{residuals}\"relu\""), 1)
    }

    #[test]
    fn what_stands_inside_of_a_residual_is_part_of_a_judge() {
        for depth in [1, 8] {
            let judge = forged(|_, _| (), |header| header.judge = nested(&header.judge, depth)).unwrap();
            let [plain, deep] = [JudgeSpec::digits(), judge.classifier.spec().clone()];
            let [plain, deep] = [plain, deep].map(|spec| spec.network.table().unwrap());
            assert_eq!((deep.all().len(), deep.parameters), (plain.rows.len() + depth, plain.parameters));
        }
    }

    #[test]
    fn the_built_in_judge_knows_its_digits() {
        let judge = built_in(Device::Cpu);
        assert!(judge.about.accuracy() > 0.99);
        assert_eq!((judge.classifier.spec(), judge.reference.count), (&JudgeSpec::digits(), 10_000));
        assert!(forged(|_, _| (), |_| ()).is_ok());
    }

    #[test]
    fn what_no_training_leaves_is_refused_in_one_line() {
        type Change = fn(&str, &mut Vec<f64>);
        let changes: [(Change, &str); 7] = [
            (
                |name, v| {
                    if name == "scale" {
                        v[0] = -1.0
                    }
                },
                "a scale or a mean",
            ),
            (
                |name, v| {
                    if name == "scale" {
                        v[0] = 1e300
                    }
                },
                "a scale or a mean",
            ),
            (
                |name, v| {
                    if name == "reference.mean" {
                        v[0] = 1e160
                    }
                },
                "a scale or a mean",
            ),
            (
                |name, v| {
                    if name == "reference.covariance" {
                        v[1] += 1.0
                    }
                },
                "reference.covariance that is none",
            ),
            (
                |name, v| {
                    if name == "reference.covariance" {
                        v[0] = -1.0
                    }
                },
                "reference.covariance that is none",
            ),
            (
                |name, v| {
                    if name == "reference.covariance" {
                        v.iter_mut().for_each(|v| *v *= 1e200)
                    }
                },
                "that is none",
            ),
            (
                |name, v| {
                    if name == "network.layers.1.kernel" {
                        v.iter_mut().for_each(|v| *v = 1e38)
                    }
                },
                "no numbers",
            ),
        ];
        for (change, what) in changes {
            let error = forged(change, |_| ()).err().expect(what).to_string();
            assert!(
                error.starts_with("forged.safetensors: ") && error.contains(what) && !error.contains('\n'),
                "{error}"
            );
        }
        type Forge = fn(&mut Header);
        let headers: [(Forge, &str); 6] = [
            (|h| h.judge = h.judge.replace("name = \"digits\"", "name = \"a b\""), "describes no judge: name"),
            (|h| h.judge = h.judge.replace("filters = 16", "filters = 1000000"), "describes no judge"),
            (|h| h.judge = h.judge.replace("units = 32", "units = 4096"), "bytes where its network takes"),
            (|h| h.about.right = h.about.test + 1, "says that it is right"),
            (|h| h.judge = nested(&h.judge, 9), "at most 8 residuals may stand inside of one another"),
            (|h| h.judge = nested(&h.judge, 1).replacen("filters = 16", "filters = 15", 1), "network.layers.3.kernel"),
        ];
        for (header, what) in headers {
            let error = forged(|_, _| (), header).err().expect(what).to_string();
            assert!(
                error.starts_with("forged.safetensors: ") && error.contains(what) && !error.contains('\n'),
                "{error}"
            );
        }
    }
}
