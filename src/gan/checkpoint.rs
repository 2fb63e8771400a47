//! Checkpoints: safetensors files whose header holds all that is not a tensor.
//!
//! | file | tensors | header |
//! |---|---|---|
//! | `checkpoint.safetensors` | both networks with running statistics, both optimisers' slots | recipe, device, step, updates, random state |
//! | `generator.safetensors` | the generator with running statistics | recipe, step |
//!
//! A tensor is named `generator.layers.5.kernel`: network, layer counted from 1, variable; an optimiser's slot
//! `discriminator_optimizer.m.0`: slot, then the parameter's place among the network's parameters. Layouts are the engine's: convolutions
//! `[kh, kw, c_in, c_out]`, transposed ones `[kh, kw, c_out, c_in]`, dense `[in, out]`. Values are F32 from the `cpu`
//! device and F64 from `reference`.

use super::model::{Gan, RandomState};
use super::network;
use super::recipe::Recipe;
use crate::files::write_whole;
use crate::nn::Sequential;
use crate::random::{Purpose, Random};
use crate::storage::{Device, Storage};
use crate::tensor::Tensor;
use crate::{Error, Result};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

/// The key of the header. One key only: the file's bytes must not depend on the order of a map.
const HEADER: &str = "minimax";

/// What the header of a checkpoint says.
#[derive(Serialize, Deserialize)]
struct Header {
    recipe: String,
    step: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    training: Option<TrainingState>,
}

/// What only a run that goes on needs.
#[derive(Serialize, Deserialize)]
struct TrainingState {
    device: String,
    updates: [u64; 2],
    random: RandomState,
}

/// Writes `checkpoint.safetensors`: everything that a run needs to go on bit for bit.
///
/// # Errors
/// If the file can't be written; an older one then stays as it was.
pub fn save(path: &Path, gan: &Gan, recipe: &Recipe, device: Device) -> Result<()> {
    let header = Header {
        recipe: recipe.to_toml(),
        step: gan.step,
        training: Some(TrainingState {
            device: device.to_string(),
            updates: [
                gan.generator_optimizer.steps(),
                gan.discriminator_optimizer.steps(),
            ],
            random: gan.random.clone(),
        }),
    };
    write(path, &header, gan.named())
}

/// Writes `generator.safetensors`: what is needed to sample.
///
/// # Errors
/// If the file can't be written; an older one then stays as it was.
pub fn save_generator(path: &Path, gan: &Gan, recipe: &Recipe) -> Result<()> {
    let header = Header {
        recipe: recipe.to_toml(),
        step: gan.step,
        training: None,
    };
    let prefixed = |(name, tensor)| (format!("generator.{name}"), tensor);
    write(
        path,
        &header,
        gan.generator.named().into_iter().map(prefixed).collect(),
    )
}

/// Reads `checkpoint.safetensors` back: the recipe that it was made with, and the networks as they were.
///
/// # Errors
/// If the file is missing, damaged, of another kind or from another device.
pub fn load(path: &Path, device: Device) -> Result<(Recipe, Gan)> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let (file, header) = open(path, &bytes)?;
    let recipe = recipe_of(path, &header)?;
    let Some(training) = header.training else {
        return Err(Error::run(
            path,
            "holds a generator only; a run goes on from checkpoint.safetensors",
        ));
    };
    if training.device != device.to_string() {
        let made = training.device;
        let what = format!("was made with --device {made}; resume with --device {made}");
        return Err(Error::run(path, what));
    }
    let mut gan = Gan::new(&recipe, device);
    for (name, tensor) in gan.named_mut() {
        read_into(path, &file, &name, tensor)?;
    }
    gan.step = header.step;
    gan.random = training.random;
    let [generator, discriminator] = training.updates;
    gan.generator_optimizer.set_steps(generator);
    gan.discriminator_optimizer.set_steps(discriminator);
    Ok((recipe, gan))
}

/// Reads the generator from `generator.safetensors` or `checkpoint.safetensors`, with its recipe.
///
/// # Errors
/// If the file is missing, damaged or of another kind.
pub fn load_generator(path: &Path, device: Device) -> Result<(Recipe, Sequential)> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let (file, header) = open(path, &bytes)?;
    let recipe = recipe_of(path, &header)?;
    // Every weight is about to be overwritten, so any stream will do.
    let mut random = Random::new(0, Purpose::Initial);
    let mut generator = network::build(&recipe.generator, &mut random, device);
    for (name, tensor) in generator.named_mut() {
        read_into(path, &file, &format!("generator.{name}"), tensor)?;
    }
    Ok((recipe, generator))
}

fn write(path: &Path, header: &Header, tensors: Vec<(String, &Tensor)>) -> Result<()> {
    let header = serde_json::to_string(header).expect("a header is plain data");
    let bytes: Vec<(String, &Tensor, Vec<u8>)> = tensors
        .into_iter()
        .map(|(name, tensor)| (name, tensor, to_bytes(tensor.storage())))
        .collect();
    let views = bytes.iter().map(|(name, tensor, bytes)| {
        let dtype = dtype(tensor.device());
        let view = TensorView::new(dtype, tensor.dims().to_vec(), bytes);
        (name, view.expect("as many bytes as the shape says"))
    });
    let header = HashMap::from([(HEADER.to_string(), header)]);
    let file = safetensors::serialize(views, Some(header));
    write_whole(path, &file.expect("names are unique and sizes agree"))
}

fn open<'a>(path: &Path, bytes: &'a [u8]) -> Result<(SafeTensors<'a>, Header)> {
    let damaged = |why: String| {
        let mend = "give a checkpoint that minimax wrote, or train again";
        Error::run(path, format!("is not a whole checkpoint ({why}); {mend}"))
    };
    let file = SafeTensors::deserialize(bytes).map_err(|error| damaged(error.to_string()))?;
    let (_, metadata) =
        SafeTensors::read_metadata(bytes).map_err(|error| damaged(error.to_string()))?;
    let header = metadata.metadata().as_ref().and_then(|map| map.get(HEADER));
    let header = header.ok_or_else(|| damaged("it has no minimax header".into()))?;
    let header = serde_json::from_str(header).map_err(|error| damaged(error.to_string()))?;
    Ok((file, header))
}

fn recipe_of(path: &Path, header: &Header) -> Result<Recipe> {
    Recipe::parse(&path.display().to_string(), &header.recipe, &[])
}

/// Fills `tensor` with the values that `file` has under `name`, rounded to what the tensor's device holds.
fn read_into(path: &Path, file: &SafeTensors, name: &str, tensor: &mut Tensor) -> Result<()> {
    let other = |what: String| {
        Error::run(
            path,
            format!("{what}; it was made for other networks than its recipe says"),
        )
    };
    let view = file
        .tensor(name)
        .map_err(|_| other(format!("has no tensor {name}")))?;
    if view.shape() != tensor.dims() {
        let (found, wanted) = (view.shape(), tensor.dims());
        return Err(other(format!(
            "has {name} of shape {found:?}, not {wanted:?}"
        )));
    }
    let values: Vec<f64> = match view.dtype() {
        Dtype::F32 => view
            .data()
            .as_chunks()
            .0
            .iter()
            .map(|&b| f64::from(f32::from_le_bytes(b)))
            .collect(),
        Dtype::F64 => view
            .data()
            .as_chunks()
            .0
            .iter()
            .map(|&b| f64::from_le_bytes(b))
            .collect(),
        dtype => return Err(other(format!("has {name} as {dtype:?}, not F32 or F64"))),
    };
    *tensor.storage_mut() = Storage::from_f64(&values, tensor.device());
    Ok(())
}

fn dtype(device: Device) -> Dtype {
    match device {
        Device::Reference => Dtype::F64,
        Device::Cpu => Dtype::F32,
    }
}

fn to_bytes(storage: &Storage) -> Vec<u8> {
    match storage {
        Storage::Reference(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        Storage::Cpu(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
    }
}
