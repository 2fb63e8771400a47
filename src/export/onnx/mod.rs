//! ONNX (opset 17, IR version 8): a graph that takes the engine's inputs and gives its outputs,
//! images `[n, h, w, c]` included, and keeps channels first in between, as ONNX's operators want it.

mod graph;
mod proto;

use super::channels_first::steps;
use super::{ends, rows};
use crate::gan::checkpoint::Trained;
use crate::gan::recipe::LayerRow;
use graph::Builder;
use prost::Message;
use proto::{ModelProto, OperatorSetIdProto, StringStringEntryProto};

/// The largest ONNX file: readers of protocol buffers take less than 2 GiB.
pub const MAX_ONNX_BYTES: u64 = (1 << 31) - 1;

/// Of the format itself.
const IR_VERSION: i64 = 8;
/// Of the operators.
const OPSET: i64 = 17;

/// `trained` as an ONNX file. The generator's goes from `latents` `[n, width]` to `images`
/// `[n, h, w, c]` in its own range, the discriminator's from `images` to `outputs` `[n, 1]`; n is free.
///
/// # Errors
/// In words, if the network is too large for such a file.
pub fn onnx(trained: &Trained) -> Result<Vec<u8>, String> {
    let rows = rows(trained);
    check_size(&rows)?;
    let spec = trained.role.spec(&trained.recipe);
    let [input, output] = ends(trained.role);
    let mut builder = Builder::new(input, &spec.input);
    for step in steps(&spec.layers, &rows, &trained.network) {
        builder.push(step);
    }
    let graph = builder.finish(trained.role.name(), output, &rows[rows.len() - 1].output);
    let metadata = [
        ("recipe", trained.recipe.to_toml()),
        ("step", trained.step.to_string()),
    ];
    let model = ModelProto {
        ir_version: IR_VERSION,
        producer_name: "minimax".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        graph: Some(graph),
        opset_import: vec![OperatorSetIdProto {
            domain: String::new(),
            version: OPSET,
        }],
        metadata_props: metadata
            .map(|(key, value)| StringStringEntryProto {
                key: key.into(),
                value,
            })
            .into(),
    };
    Ok(model.encode_to_vec())
}

/// That the weights leave room for the graph around them.
fn check_size(rows: &[LayerRow]) -> Result<(), String> {
    const GRAPH: u64 = 1 << 24;
    let values: u64 = rows.iter().map(|row| row.parameters.total()).sum();
    let bytes = values.saturating_mul(4);
    match bytes.saturating_add(GRAPH) <= MAX_ONNX_BYTES {
        true => Ok(()),
        false => Err(format!(
            "has {bytes} bytes of weights, and an ONNX file holds less than 2 GiB; use --format \
             safetensors"
        )),
    }
}
