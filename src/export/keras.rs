//! Safetensors in the engine's own layouts, which are Keras's: the variables of `layers.3` are, in
//! Keras's order, the arrays that `set_weights` of its third layer takes.

use super::{Entry, Header, padding, rows, safetensors_file};
use crate::recipe::LayerSpec;
use crate::run::checkpoint::Trained;
use crate::shape::Padding;
use serde::Serialize;

/// A layer of the header: what the recipe says of it, with the shapes that follow.
#[derive(Serialize)]
struct Layer<'a> {
    #[serde(flatten)]
    spec: &'a LayerSpec,
    input: &'a [usize],
    output: &'a [usize],
    /// Of a convolution or pooling: its padding per side, whatever the recipe calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    sides: Option<Padding>,
}

/// `trained` as a safetensors file with tensors `layers.<n>.<variable>`: `kernel`, `bias`, `gamma`,
/// `beta`, `running_mean`, `running_variance`, layers counted from 1.
pub fn keras(trained: &Trained) -> Vec<u8> {
    let spec = trained.role.spec(&trained.recipe);
    let rows = rows(trained);
    let layers = spec.layers.iter().zip(&rows);
    let header = Header {
        layout: "keras",
        network: trained.role.name(),
        step: trained.step,
        input: &spec.input,
        output: &rows[rows.len() - 1].output,
        layers: layers
            .map(|(spec, row)| Layer {
                spec,
                input: &row.input,
                output: &row.output,
                sides: match spec {
                    LayerSpec::Conv2d(conv) => Some(padding(conv, false, row)),
                    LayerSpec::ConvTranspose2d(conv) => Some(padding(conv, true, row)),
                    LayerSpec::MaxPool(pooling) | LayerSpec::AveragePool(pooling) => {
                        Some(pooling.sides([row.input[0], row.input[1]]))
                    }
                    _ => None,
                },
            })
            .collect(),
        recipe: trained.recipe.to_toml(),
    };
    let tensors = trained.network.named().into_iter();
    let tensors = tensors.map(|(name, tensor)| (name, Entry::f32(tensor)));
    safetensors_file(&header, tensors.collect())
}
