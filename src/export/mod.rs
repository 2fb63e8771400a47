//! Trained networks in the formats that other programs read: safetensors in Keras's layouts or in
//! PyTorch's, and ONNX. `docs/formats.md` describes the files.
//!
//! ```text
//! Trained ──────────────────────────────► keras   the engine's own layouts
//!    └──► channels_first, a list of Steps ┬─► torch   modules of torch.nn
//!                                         └─► onnx    nodes of a graph
//! ```

mod channels_first;
mod keras;
mod onnx;
mod torch;

pub use keras::keras;
pub use onnx::{MAX_ONNX_BYTES, onnx};
pub use torch::torch;

use crate::gan::checkpoint::Trained;
use crate::gan::network::Role;
use crate::gan::recipe::{ConvolutionSpec, LayerRow};
use crate::shape::Padding;
use crate::tensor::Tensor;
use safetensors::tensor::{Dtype, View};
use serde::Serialize;
use std::borrow::Cow;
use std::collections::HashMap;

/// The key of the header of an exported safetensors file; the only one, as files must not depend on
/// the order of a map. It is not the key of a checkpoint, which such a file can't stand in for.
const HEADER: &str = "model";

/// What the header of an exported safetensors file says, as JSON.
#[derive(Serialize)]
struct Header<'a, L> {
    /// `keras` or `torch`.
    layout: &'static str,
    /// `generator` or `discriminator`.
    network: &'static str,
    /// Steps that it was trained for.
    step: u64,
    /// Shape of what goes in, without the batch.
    input: &'a [usize],
    /// Shape of what comes out, without the batch.
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
        Entry {
            dtype: Dtype::F32,
            shape: tensor.dims().to_vec(),
            bytes: f32_bytes(tensor),
        }
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
    let table = trained.role.spec(&trained.recipe).table();
    table.expect("a loaded recipe's shapes fit").rows
}

/// The padding of a convolution, per side, on the shapes in `row`; of a transposed one, what it crops.
fn padding(convolution: &ConvolutionSpec, transposed: bool, row: &LayerRow) -> Padding {
    let image = if transposed { &row.output } else { &row.input };
    let size = [image[0], image[1]];
    convolution
        .padding
        .sides(size, convolution.kernel, convolution.stride)
}

/// What a network's inputs and outputs are called where they have names.
fn ends(role: Role) -> [&'static str; 2] {
    match role {
        Role::Generator => ["latents", "images"],
        Role::Discriminator => ["images", "outputs"],
    }
}
