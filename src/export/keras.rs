//! Safetensors in the engine's own layouts, which are Keras's: the variables of `layers.3`, in Keras's order, are the
//! arrays that `set_weights` of its third layer takes.

use super::{Entry, Header, padding, rows, safetensors_file};
use crate::recipe::{LayerRow, LayerSpec};
use crate::run::checkpoint::Trained;
use crate::shape::Padding;
use serde::Serialize;

/// A layer in the header: what the recipe says about it, with the shapes that follow from it.
#[derive(Serialize)]
struct Layer<'a> {
    #[serde(flatten)]
    spec: Spec<'a>,
    input: &'a [usize],
    output: &'a [usize],
    /// The padding of a convolution or pooling on each side, in whatever form the recipe has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    sides: Option<Padding>,
}

/// What the recipe says about a layer and the layers inside of it.
#[derive(Serialize)]
#[serde(untagged)]
enum Spec<'a> {
    Single(&'a LayerSpec),
    Residual { layer: &'static str, layers: Vec<Layer<'a>>, shortcut: Vec<Layer<'a>> },
}

fn described<'a>(layers: &'a [LayerSpec], rows: &'a [LayerRow]) -> Vec<Layer<'a>> {
    let described = |(spec, row): (&'a LayerSpec, &'a LayerRow)| Layer {
        spec: match spec {
            LayerSpec::Residual { layers, shortcut } => Spec::Residual {
                layer: row.kind,
                layers: described(layers, &row.layers),
                shortcut: described(shortcut, &row.shortcut),
            },
            spec => Spec::Single(spec),
        },
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
    };
    layers.iter().zip(rows).map(described).collect()
}

/// `trained` as a safetensors file with tensors `layers.<n>.<variable>`: `kernel`, `bias`, `gamma`,
/// `beta`, `running_mean`, `running_variance`, layers counted from 1; inside of a residual
/// `layers.<n>.layers.<n>.<variable>` and `layers.<n>.shortcut.<n>.<variable>`.
pub fn keras(trained: &Trained) -> Vec<u8> {
    let spec = trained.role.spec(&trained.recipe);
    let rows = rows(trained);
    let header = Header {
        layout: "keras",
        network: trained.role.name(),
        step: trained.step,
        input: &spec.input,
        classes: spec.classes,
        output: &rows[rows.len() - 1].output,
        layers: described(&spec.layers, &rows),
        recipe: trained.recipe.to_toml(),
    };
    let tensors = trained.network.named().into_iter();
    let tensors = tensors.map(|(name, tensor)| (name, Entry::f32(tensor)));
    safetensors_file(&header, tensors.collect())
}
