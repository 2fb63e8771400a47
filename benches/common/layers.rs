//! Every distinct convolution, transposed convolution and dense layer of the recipes at its batch, and the convolutions
//! that residual and spectrally normalised networks are made of: forward and both gradients.

use minimax::Padding;
use minimax::nn::Convolution;
use minimax::recipe::{LayerSpec, Recipe};
use serde::Serialize;

/// What of a layer is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Forward,
    InputGradient,
    WeightGradient,
}

const PARTS: [(Part, &str); 3] =
    [(Part::Forward, "forward"), (Part::InputGradient, "input gradient"), (Part::WeightGradient, "weight gradient")];

/// A layer with a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Layer {
    Convolution(Geometry),
    Dense(Dense),
}

/// A convolution from `large` maps to `small` ones, or, transposed, back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Geometry {
    pub batch: usize,
    /// `[h, w, c]`.
    pub large: [usize; 3],
    /// `[h, w, c]`.
    pub small: [usize; 3],
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub padding: Padding,
    pub transposed: bool,
}

/// A dense layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Dense {
    pub batch: usize,
    pub inputs: usize,
    pub outputs: usize,
    pub bias: bool,
}

/// A part of a layer: the row's name, and the two.
pub type LayerRow = (String, Layer, Part);

/// Images of those convolutions that are no recipe's.
const BATCH: usize = 64;

/// Three rows for each layer, convolutions first: those of `recipes`, and the others.
pub fn rows(recipes: impl IntoIterator<Item = Recipe>) -> Vec<LayerRow> {
    let (dense, convolutions): (Vec<_>, Vec<_>) =
        layers(recipes).into_iter().partition(|layer| matches!(layer, Layer::Dense(_)));
    let layers = convolutions.into_iter().chain(blocks()).chain(dense);
    layers.flat_map(|layer| PARTS.map(|(part, what)| (format!("{}, {what}", layer.name()), layer, part))).collect()
}

/// At each of three sizes, a 3x3 convolution, a 1x1 one, and a 4x4 one of stride 2, from as many channels to as many.
fn blocks() -> Vec<Layer> {
    let mut blocks = Vec::new();
    for (side, c) in [(32, 64), (16, 128), (8, 256)] {
        for (k, stride, padding) in [(3, 1, 1), (1, 1, 0), (4, 2, 1)] {
            let [large, small] = [side, side / stride].map(|side| [side, side, c]);
            let padding = Padding::symmetric(padding);
            let (kernel, stride) = ([k; 2], [stride; 2]);
            blocks.push(Layer::Convolution(Geometry {
                batch: BATCH,
                large,
                small,
                kernel,
                stride,
                padding,
                transposed: false,
            }));
        }
    }
    blocks
}

/// Each layer once.
fn layers(recipes: impl IntoIterator<Item = Recipe>) -> Vec<Layer> {
    let mut layers = Vec::new();
    for recipe in recipes {
        let batch = recipe.training.real_images();
        for network in [&recipe.generator, &recipe.discriminator] {
            let table = network.table().expect("a loaded recipe's shapes fit");
            for (layer, row) in network.layers.iter().zip(&table.rows) {
                let layer = match layer {
                    &LayerSpec::Dense { units, bias, .. } => {
                        Layer::Dense(Dense { batch, inputs: row.input[0], outputs: units, bias })
                    }
                    LayerSpec::Conv2d(conv) => Layer::convolution(conv, batch, [&row.input, &row.output], false),
                    LayerSpec::ConvTranspose2d(conv) => {
                        Layer::convolution(conv, batch, [&row.output, &row.input], true)
                    }
                    _ => continue,
                };
                if !layers.contains(&layer) {
                    layers.push(layer);
                }
            }
        }
    }
    layers
}

impl Layer {
    fn convolution(conv: &Convolution, batch: usize, maps: [&[usize]; 2], transposed: bool) -> Layer {
        let [large, small] = maps.map(|shape| [shape[0], shape[1], shape[2]]);
        let padding = conv.sides([large[0], large[1]]);
        let &Convolution { kernel, stride, .. } = conv;
        Layer::Convolution(Geometry { batch, large, small, kernel, stride, padding, transposed })
    }

    fn name(&self) -> String {
        match *self {
            Layer::Convolution(Geometry { batch, large, small, kernel, stride, transposed, .. }) => {
                let image = |[h, w, c]: [usize; 3]| format!("{h}x{w}x{c}");
                let (op, from, to) = match transposed {
                    false => ("conv2d", large, small),
                    true => ("conv_transpose2d", small, large),
                };
                let (from, to) = (image(from), image(to));
                format!("{op} {batch} x {from} to {to} k{} s{}", kernel[0], stride[0])
            }
            Layer::Dense(Dense { batch, inputs, outputs, .. }) => format!("dense {batch} x {inputs} to {outputs}"),
        }
    }

    /// Floating-point operations of its product by the plain formula, a multiply-add being two.
    pub fn flops(&self) -> f64 {
        let multiplies = match *self {
            Layer::Convolution(Geometry { batch, large, small: [h, w, c], kernel, .. }) => {
                batch * h * w * c * kernel[0] * kernel[1] * large[2]
            }
            Layer::Dense(Dense { batch, inputs, outputs, .. }) => batch * inputs * outputs,
        };
        2.0 * multiplies as f64
    }
}
