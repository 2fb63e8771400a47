//! Trained networks in the formats that other programs read: safetensors in Keras's layouts or in
//! PyTorch's, and ONNX. `docs/formats.md` describes the files.
//!
//! ```text
//! Trained ──────────────────────────────► keras   the engine's own layouts
//!    └──► channels_first, a list of Steps ┬─► torch   modules of torch.nn
//!                                         └─► onnx    nodes of a graph
//! a network of a recipe ◄── import ◄── keras, torch
//! ```

mod channels_first;
pub mod import;
mod keras;
mod onnx;
mod torch;

pub use keras::keras;
pub use onnx::{MAX_ONNX_BYTES, onnx};
pub use torch::torch;

use crate::nn::Convolution;
use crate::recipe::{LayerRow, NetworkSpec};
use crate::run::checkpoint::Trained;
use crate::shape::Padding;
use crate::tensor::Tensor;
use safetensors::tensor::{Dtype, View};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::HashMap;

/// The key of the text in the header of an exported safetensors file. It is the only one, as files must not depend on
/// the order of a map, and differs from a checkpoint's, as such a file can't be used as one.
const HEADER: &str = "model";

/// The text in the header of an exported safetensors file, as JSON.
#[derive(Serialize)]
struct Header<'a, L> {
    /// `keras` or `torch`.
    layout: &'static str,
    /// `generator` or `discriminator`.
    network: &'static str,
    /// The number of steps for which it was trained.
    step: u64,
    /// The shape of the input, without the batch.
    input: &'a [usize],
    /// The number of classes, if it takes labels too.
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<usize>,
    /// The shape of the output, without the batch.
    output: &'a [usize],
    /// The layers, or modules, in order.
    layers: Vec<L>,
    /// The recipe, as TOML.
    recipe: String,
}

/// A tensor of a safetensors file.
struct Entry {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Entry {
    /// The values of `tensor` as F32.
    fn f32(tensor: &Tensor) -> Entry {
        Entry { dtype: Dtype::F32, shape: tensor.dims().to_vec(), bytes: f32_bytes(tensor) }
    }
}

impl View for Entry {
    fn dtype(&self) -> Dtype {
        self.dtype
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }
    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// A safetensors file of these tensors.
fn safetensors_file<L: Serialize>(header: &Header<L>, tensors: Vec<(String, Entry)>) -> Vec<u8> {
    let header = serde_json::to_string(header).expect("a header is plain data");
    let header = HashMap::from([(HEADER.to_string(), header)]);
    let file = safetensors::serialize(tensors, Some(header));
    file.expect("names are unique and sizes agree")
}

/// The values of `tensor` as little-endian f32.
fn f32_bytes(tensor: &Tensor) -> Vec<u8> {
    let values = tensor.to_f32();
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// The rows of the table of `trained`, one per layer.
fn rows(trained: &Trained) -> Vec<LayerRow> {
    rows_of(trained.role.spec(&trained.recipe))
}

/// The rows of the table of a network of a loaded recipe.
fn rows_of(spec: &NetworkSpec) -> Vec<LayerRow> {
    spec.table().expect("a loaded recipe's shapes fit").rows
}

/// The padding of a convolution on each side, for the shapes in `row`; for a transposed one, what it crops.
fn padding(convolution: &Convolution, transposed: bool, row: &LayerRow) -> Padding {
    let image = if transposed { &row.output } else { &row.input };
    let size = [image[0], image[1]];
    convolution.sides(size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};
    use crate::recipe::Recipe;
    use crate::recipe::build::{self, Role};
    use crate::storage::Device;
    use safetensors::SafeTensors;
    use serde_json::Value;

    /// A network of a recipe that has every kind of layer.
    pub fn trained(role: Role) -> Trained {
        let text = include_str!("../../tests/interchange/recipes/every-layer.toml");
        let recipe = Recipe::parse("every-layer", text, &[]).unwrap();
        let mut random = Random::new(1, Purpose::INITIAL);
        let network = build::network(role.spec(&recipe), &mut random, Device::Cpu);
        Trained { recipe, step: 7, has_sum: true, role, network }
    }

    fn header(file: &[u8]) -> Value {
        let (_, metadata) = SafeTensors::read_metadata(file).unwrap();
        let header = &metadata.metadata().as_ref().unwrap()[HEADER];
        serde_json::from_str(header).unwrap()
    }

    #[test]
    fn keras_has_the_networks_own_tensors_and_resolved_padding() {
        let trained = trained(Role::Generator);
        let bytes = keras(&trained);
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let named = trained.network.named();
        assert_eq!(file.len(), named.len());
        for (name, tensor) in named {
            let view = file.tensor(&name).unwrap();
            assert_eq!((view.shape(), view.dtype()), (tensor.dims(), Dtype::F32));
            assert_eq!(view.data(), f32_bytes(tensor));
        }
        let header = header(&bytes);
        assert_eq!((&header["network"], &header["step"]), (&"generator".into(), &7.into()));
        let layer = &header["layers"][19];
        assert_eq!(layer["layer"], "conv_transpose2d");
        assert_eq!(layer["sides"], serde_json::json!({"top": 1, "bottom": 1, "left": 0, "right": 1}));
        assert_eq!(layer["output"], serde_json::json!([14, 14, 7]));
        let residual = &header["layers"][23];
        assert_eq!((&residual["layer"], &residual["input"]), (&"residual".into(), &serde_json::json!([28, 28, 7])));
        let inside = &residual["layers"][2]["layers"][1];
        assert_eq!((&inside["layer"], &inside["input"]), (&"conv_transpose2d".into(), &serde_json::json!([28, 28, 4])));
        assert_eq!(residual["shortcut"][0]["sides"]["top"], 0);
    }

    /// The tensors that `modules` take, whose names begin with `prefix`.
    fn taken(prefix: &str, modules: &Value) -> Vec<String> {
        let mut taken = Vec::new();
        for (index, module) in modules.as_array().unwrap().iter().enumerate() {
            let names: &[&str] = match module["module"].as_str().unwrap() {
                "BatchNorm1d" | "BatchNorm2d" => {
                    &["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
                }
                "GroupNorm" => &["weight", "bias"],
                "Attention" => &["query.weight", "key.weight", "value.weight", "output.weight", "gamma"],
                "Residual" => {
                    for branch in ["layers", "shortcut"] {
                        taken.extend(self::taken(&format!("{prefix}{index}.{branch}."), &module[branch]));
                    }
                    &[]
                }
                _ if module["bias"] == true => &["weight", "bias"],
                _ if module["bias"] == false => &["weight"],
                _ => &[],
            };
            taken.extend(names.iter().map(|name| format!("{prefix}{index}.{name}")));
        }
        taken
    }

    #[test]
    fn torch_has_every_tensor_that_its_modules_take() {
        for role in [Role::Generator, Role::Discriminator] {
            let bytes = torch(&trained(role));
            let mut expected = taken("", &header(&bytes)["layers"]);
            let file = SafeTensors::deserialize(&bytes).unwrap();
            let mut found: Vec<String> = file.names().into_iter().map(String::from).collect();
            found.sort();
            expected.sort();
            assert_eq!(found, expected);
            assert!(found.iter().any(|name| name.contains(".layers.")), "{found:?}");
        }
    }

    #[test]
    fn torch_pads_and_crops_in_modules_of_their_own() {
        let modules = |role| header(&torch(&trained(role)))["layers"].clone();
        let padding = |module: &Value| {
            let kind = module["module"].as_str().unwrap().to_string();
            (kind, module["padding"].to_string())
        };
        let pair = |module: &str, padding: &str| (module.to_string(), padding.to_string());
        // Kernel 5 and stride [2, 3] on 28x28: 1 and 2 rows, 2 and 2 columns.
        let discriminator = modules(Role::Discriminator);
        assert_eq!(padding(&discriminator[0]), pair("ZeroPad2d", "[0,0,0,1]"));
        assert_eq!(padding(&discriminator[1]), pair("Conv2d", "[1,2]"));
        // Three rows cropped below, one column before.
        let generator = modules(Role::Generator);
        assert_eq!(padding(&generator[8]), pair("ConvTranspose2d", "[0,0]"));
        assert_eq!(padding(&generator[9]), pair("ZeroPad2d", "[-1,0,0,-3]"));
        // A stride beyond the kernel adds a row that no position reaches.
        assert_eq!(generator[12]["output_padding"], serde_json::json!([1, 0]));
    }
}
