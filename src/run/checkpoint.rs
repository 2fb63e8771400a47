//! Checkpoints: safetensors files whose header has everything that is not a tensor.
//!
//! | file | tensors | header |
//! |---|---|---|
//! | `checkpoint.safetensors` | both networks with running statistics, both optimisers' slots, averages of the generator's weights, the same of a classifier, and the chance of augmentation if there are any | recipe, step, [`TrainingState`] |
//! | `generator.safetensors` | the generator with running statistics, or their averages | recipe, step |
//!
//! A tensor is named `generator.layers.5.kernel`: network, layer counted from 1, variable. An
//! optimiser's slot is `discriminator_optimizer.m.0`: slot, then the parameter's place among the
//! network's parameters. An average is called `average.layers.5.kernel`. Layouts are the engine's: convolutions
//! `[kh, kw, c_in, c_out]`, transposed ones `[kh, kw, c_out, c_in]`, dense `[in, out]`. Values are F32 from the `cpu`
//! device and F64 from `reference`. See [`crate::weights`] for what of a file is checked.

use super::epochs::Origin;
use super::folder;
use crate::cuda;
use crate::files;
use crate::gan::average::Average;
use crate::gan::classifier;
use crate::gan::model::{AVERAGE, Gan, RandomState};
use crate::nn::{Initializer, Sequential};
use crate::random::{Purpose, Random};
use crate::recipe::build::{self, Role};
use crate::recipe::{NetworkSpec, Recipe};
use crate::storage::Device;
use crate::tensor::Tensor;
use crate::terminal::excerpt;
use crate::unsaid::is_zero;
use crate::weights::{self, BLANK, Kind, read_into};
use crate::{Error, Result};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What messages call such a file, and what to do about a file that isn't one.
const CHECKPOINT: Kind = Kind {
    name: "checkpoint",
    fix: "give a checkpoint that minimax wrote, or train again",
    spare: "go on from a copy of it, from best.safetensors or one of kept/, or train again",
};

/// The header of a checkpoint.
#[derive(Serialize, Deserialize)]
struct Header {
    /// The sum of the whole file; older files have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    recipe: String,
    step: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    training: Option<TrainingState>,
}

/// The part that only a run that goes on needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrainingState {
    /// The device, by name.
    pub device: String,
    /// The identity of the data, so that a run doesn't go on with another set.
    pub data: DataIdentity,
    /// The numbers of updates done by the generator's and the discriminator's optimiser.
    pub updates: [u64; 2],
    /// The number of updates of the moving average of the generator's weights.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub averaged: u64,
    /// In a game of three, the numbers of updates of the classifier's optimiser and of the moving average of its
    /// weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classifier: Option<[u64; 2]>,
    /// How far the random streams have been read.
    pub random: RandomState,
    /// The lowest distance of samples so far: the Frechet distance if there is a judge, else the sliced Wasserstein
    /// distance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<f64>,
    /// The epoch of those samples; older files don't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_epoch: Option<u64>,
    /// The judge that measured it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best_judge: Option<String>,
    /// Where epochs began to have their present length, if that has changed.
    #[serde(default, skip_serializing_if = "Origin::is_start")]
    pub origin: Origin,
}

/// What distinguishes one data set from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataIdentity {
    /// The number of images.
    pub count: usize,
    /// FNV-1a of all pixels.
    pub hash: u64,
}

/// The state of a run in a checkpoint.
pub struct Checkpoint {
    /// The recipe that it was made with.
    pub recipe: Recipe,
    /// The device that it is on.
    pub device: Device,
    /// The identity of the data that it was trained on.
    pub data: DataIdentity,
    /// The best score of its samples.
    pub best: Option<Best>,
    /// Where epochs began to have their present length.
    pub origin: Origin,
    /// Whether the file carries a sum of its bytes; those of older versions don't.
    pub has_sum: bool,
    /// The networks, optimisers and random state.
    pub gan: Gan,
}

/// The score of the best samples of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Best {
    /// Their distance from real images: the Frechet distance if there is a judge, else the sliced Wasserstein distance.
    pub distance: f64,
    /// The epoch at whose end they were made, if that is known.
    pub epoch: Option<u64>,
    /// The judge that measured it (see [`Judging::identity`](super::judging::Judging::identity)), if there was one.
    pub judge: Option<String>,
}

/// One network from a file of a run.
pub struct Trained {
    /// The recipe that it was made with.
    pub recipe: Recipe,
    /// The number of steps that it was trained for.
    pub step: u64,
    /// Whether the file carries a sum of its bytes; those of older versions don't.
    pub has_sum: bool,
    /// Which of the recipe's networks it is.
    pub role: Role,
    /// Its layers.
    pub network: Sequential,
}

/// Writes `checkpoint.safetensors`: everything that a run needs to go on bit for bit.
///
/// # Errors
/// If the file can't be written; an older one then stays as it was.
pub fn save(
    path: &Path,
    gan: &Gan,
    recipe: &Recipe,
    device: Device,
    data: DataIdentity,
    best: Option<&Best>,
    origin: Origin,
) -> Result<()> {
    let header = Header {
        sha256: Some(BLANK.into()),
        recipe: recipe.to_toml(),
        step: gan.steps,
        training: Some(TrainingState {
            device: device.to_string(),
            data,
            updates: [gan.generator_optimizer.steps(), gan.discriminator_optimizer.steps()],
            averaged: gan.average.as_ref().map_or(0, Average::updates),
            classifier: gan.classifier.as_ref().map(|c| [c.optimizer.steps(), c.average.updates()]),
            random: gan.random.clone(),
            best: best.map(|best| best.distance),
            best_epoch: best.and_then(|best| best.epoch),
            best_judge: best.and_then(|best| best.judge.clone()),
            origin,
        }),
    };
    weights::write(path, &header, gan.named())
}

/// Writes `generator.safetensors`: what is needed to sample.
///
/// # Errors
/// If the file can't be written; an older one then stays as it was.
pub fn save_generator(path: &Path, gan: &Gan, recipe: &Recipe) -> Result<()> {
    save_network(path, Role::Generator, gan.sampled(), recipe, gan.steps)
}

/// Writes one network of `recipe` after `step` steps: `generator.safetensors`, or `discriminator.safetensors`.
///
/// # Errors
/// If the file can't be written; an older one then stays as it was.
pub fn save_network(path: &Path, role: Role, network: &Sequential, recipe: &Recipe, step: u64) -> Result<()> {
    let header = Header { sha256: Some(BLANK.into()), recipe: recipe.to_toml(), step, training: None };
    let prefixed = |(name, tensor)| (format!("{}.{name}", role.name()), tensor);
    let tensors = network.named().into_iter().map(prefixed).collect();
    weights::write(path, &header, tensors)
}

/// The number of steps after which the checkpoint at `path` was made.
///
/// # Errors
/// If the file is missing, damaged or of another kind.
pub(super) fn steps(path: &Path) -> Result<u64> {
    let bytes = files::read(path)?;
    Ok(open(path, &bytes)?.1.step)
}

/// A tensor that waits for its values.
pub(super) struct Wanted<'a> {
    pub name: String,
    pub tensor: &'a mut Tensor,
    /// The shape of the file's tensor of that name, if it is a different one.
    pub found: Option<String>,
}

/// Fills those of `wanted` for which the file at `path` has a tensor of the same name and shape, and returns the
/// others.
///
/// # Errors
/// If the file is missing, damaged or of another kind.
pub(super) fn fill<'a>(path: &Path, wanted: Vec<Wanted<'a>>) -> Result<Vec<Wanted<'a>>> {
    let bytes = files::read(path)?;
    let (file, _) = open(path, &bytes)?;
    let mut left = Vec::new();
    for mut one in wanted {
        match file.tensor(&one.name) {
            Ok(view) if view.shape() == one.tensor.dims() => {
                read_into(path, &file, &one.name, one.tensor)?;
                continue;
            }
            Ok(view) => one.found = Some(excerpt(&format!("{:?}", view.shape())).to_string()),
            Err(_) => {}
        }
        left.push(one);
    }
    Ok(left)
}

/// Reads `checkpoint.safetensors` back, to `device` if that is given, else to the device on which it was made.
///
/// # Errors
/// If the file is missing, damaged or of another kind.
pub fn load(path: &Path, device: Option<Device>) -> Result<Checkpoint> {
    let bytes = files::read(path)?;
    parse(path, &bytes, device)
}

/// As [`load`], from the file's bytes; `path` only names it in errors.
///
/// # Errors
/// If they are damaged or of another kind.
pub fn parse(path: &Path, bytes: &[u8], device: Option<Device>) -> Result<Checkpoint> {
    let (file, header) = open(path, bytes)?;
    let recipe = recipe_of(path, &header)?;
    let Some(training) = header.training else {
        let what = "holds a generator only; a run goes on from its checkpoint.safetensors";
        return Err(Error::place(path, what));
    };
    let made_on: Device = training.device.parse().map_err(|error: Error| {
        Error::place(path, format!("was made on device {}: {error}", excerpt(&training.device)))
    })?;
    let device = device.unwrap_or(made_on);
    if let Device::Cuda(ordinal) = device {
        cuda::open(ordinal)?;
    }
    let averaged = recipe.training.average.map(|_| &recipe.generator);
    let own = [Some(&recipe.generator), Some(&recipe.discriminator), recipe.classifier.as_ref(), averaged];
    let networks: Vec<&NetworkSpec> = own.into_iter().flatten().collect();
    check_size(path, bytes, &networks)?;
    // Every weight is about to be overwritten, so drawing random ones would be a waste.
    let mut undrawn = recipe.clone();
    let networks = [Some(&mut undrawn.generator), Some(&mut undrawn.discriminator), undrawn.classifier.as_mut()];
    networks.into_iter().flatten().for_each(|network| network.initializer = Initializer::Zeros);
    let mut gan = Gan::new(&undrawn, device);
    for (name, tensor) in gan.named_mut() {
        read_into(path, &file, &name, tensor)?;
    }
    gan.steps = header.step;
    gan.random = training.random;
    let [generator, discriminator] = training.updates;
    gan.generator_optimizer.set_steps(generator);
    gan.discriminator_optimizer.set_steps(discriminator);
    if let Some(average) = &mut gan.average {
        average.set_updates(training.averaged);
    }
    if let Some(classifier) = &mut gan.classifier {
        let [own, averaged] = training.classifier.unwrap_or_default();
        classifier.optimizer.set_steps(own);
        classifier.average.set_updates(averaged);
    }
    Ok(Checkpoint {
        recipe,
        device,
        data: training.data,
        best: training.best.map(|distance| Best { distance, epoch: training.best_epoch, judge: training.best_judge }),
        origin: training.origin,
        has_sum: header.sha256.is_some(),
        gan,
    })
}

/// Which weights to take of a generator that has a moving average of its weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weights {
    /// The averages, which make samples.
    #[default]
    Averaged,
    /// Its own weights, from which training goes on.
    Own,
}

/// The file with the generator of `run`, if that is a folder: the generator's own file, or the checkpoint if that file
/// is gone or if it lacks the `weights` that are asked for.
pub fn generator_file(run: &Path, weights: Weights) -> PathBuf {
    if !run.is_dir() {
        return run.to_path_buf();
    }
    let (generator, checkpoint) = (run.join(folder::GENERATOR), run.join(folder::CHECKPOINT));
    let has_them = generator.is_file() && weights == Weights::Averaged;
    if !has_them && checkpoint.is_file() {
        return checkpoint;
    }
    generator
}

/// Reads one network: the generator from either file, the others from `checkpoint.safetensors`.
///
/// # Errors
/// If the file is missing, damaged or of another kind, or doesn't have those `weights`.
pub fn load_network(path: &Path, role: Role, weights: Weights, device: Device) -> Result<Trained> {
    let bytes = files::read(path)?;
    let (file, header) = open(path, &bytes)?;
    let (name, names) = (role.name(), file.names());
    let recipe = recipe_of(path, &header)?;
    if role == Role::Classifier && recipe.classifier.is_none() {
        let what =
            "holds no classifier, as its recipe has none; give a run of a game of three, such as triple-gan-mnist";
        return Err(Error::place(path, what));
    }
    if !names.iter().any(|tensor| tensor.starts_with(name)) {
        let what = format!("holds no {name}; a run's checkpoint.safetensors holds all networks");
        return Err(Error::place(path, what));
    }
    check_size(path, &bytes, &[role.spec(&recipe)])?;
    let averages = match role {
        Role::Generator => recipe.training.average.map(|_| AVERAGE),
        Role::Discriminator => None,
        Role::Classifier => Some(classifier::AVERAGE),
    };
    let prefix = match (averages, weights, header.training.is_some()) {
        (Some(averages), Weights::Averaged, true) => averages,
        (Some(_), Weights::Own, false) => {
            let what = "holds averages of the generator's weights only";
            return Err(Error::place(path, format!("{what}; give the run's folder, or its checkpoint.safetensors")));
        }
        _ => name,
    };
    let spec = NetworkSpec { initializer: Initializer::Zeros, ..role.spec(&recipe).clone() };
    let mut random = Random::new(0, Purpose::INITIAL);
    let mut network = build::network(&spec, &mut random, device);
    for (name, tensor) in network.named_mut() {
        read_into(path, &file, &format!("{prefix}.{name}"), tensor)?;
    }
    Ok(Trained { recipe, step: header.step, has_sum: header.sha256.is_some(), role, network })
}

fn open<'a>(path: &Path, bytes: &'a [u8]) -> Result<(SafeTensors<'a>, Header)> {
    weights::open(path, bytes, &CHECKPOINT)
}

fn recipe_of(path: &Path, header: &Header) -> Result<Recipe> {
    Recipe::parse_saved(&path.display().to_string(), &header.recipe)
}

/// Refuses a file too small for the networks that its recipe describes, before they are made.
fn check_size(path: &Path, bytes: &[u8], networks: &[&NetworkSpec]) -> Result<()> {
    let values = |spec: &&NetworkSpec| spec.table().map_or(0, |table| table.parameters.total());
    let needed = 4 * networks.iter().map(values).sum::<u64>();
    if needed <= bytes.len() as u64 {
        return Ok(());
    }
    let found = bytes.len();
    let what = format!("has {found} bytes where its recipe's networks take {needed}");
    Err(Error::place(path, format!("{what}; give a checkpoint that minimax wrote")))
}
