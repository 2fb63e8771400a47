//! A network in the form of programs that put channels first (PyTorch, ONNX): images `[n, c, h, w]`, weights in their
//! layouts, and vectors reordered where an image becomes a vector or the reverse.
//!
//! The engine flattens `[h, w, c]` with channels fastest, these programs `[c, h, w]` with columns fastest. The
//! difference is absorbed in the weights: the units of a dense layer before a reshape are stored in the order of
//! `[c, h, w]`, with the weights of the layers between the two, and so are the inputs of a dense layer that reads a
//! flattened image. Only if no dense layer is near must the order be changed as the network runs, by
//! [`Operation::Transpose`]. Vectors that enter or leave a residual are in the engine's order, as both of its branches
//! must have the same.

mod layout;
mod operation;

pub(super) use operation::{Attention, Operation, Pool, Weight};

use crate::nn::Sequential;
use crate::recipe::{LayerRow, LayerSpec};
use crate::tensor::Tensor;
use layout::operations;
use std::collections::HashMap;

/// One operation, with its weights.
pub(super) struct Step {
    /// The layer of the recipe that it belongs to: see [`LayerRow::place`].
    pub place: String,
    /// The operation.
    pub operation: Operation,
}

/// The steps of a network with these `layers`, whose shapes are in `rows`.
pub(super) fn steps(layers: &[LayerSpec], rows: &[LayerRow], network: &Sequential) -> Vec<Step> {
    chain(layers, rows, &network.named().into_iter().collect())
}

/// The steps of `layers` one after the other, given the network's variables by name.
fn chain(layers: &[LayerSpec], rows: &[LayerRow], variables: &HashMap<String, &Tensor>) -> Vec<Step> {
    let orders = orders(layers, rows);
    let mut steps = Vec::new();
    for (i, (layer, row)) in layers.iter().zip(rows).enumerate() {
        let operations = match layer {
            LayerSpec::Residual { layers, shortcut } => vec![Operation::Residual {
                layers: chain(layers, &row.layers, variables),
                shortcut: chain(shortcut, &row.shortcut, variables),
            }],
            _ => {
                let variable = |name: &str| variables.get(&format!("layers.{}.{name}", row.place));
                let variable = |name: &str| variable(name).map(|tensor| tensor.detach());
                operations(layer, row, &variable, [orders[i], orders[i + 1]])
            }
        };
        steps.extend(operations.into_iter().map(|operation| Step { place: row.place.clone(), operation }));
    }
    steps
}

/// A layer that may have variables, and what is needed to convert them.
pub(super) struct Placed<'a> {
    pub layer: &'a LayerSpec,
    pub row: &'a LayerRow,
    /// The orders of the vectors before and after it: see [`orders`].
    pub orders: [Option<Image>; 2],
}

/// All of `layers` at any depth that have no layers inside of them, in order.
pub(super) fn placed<'a>(layers: &'a [LayerSpec], rows: &'a [LayerRow]) -> Vec<Placed<'a>> {
    let orders = orders(layers, rows);
    let mut all = Vec::new();
    for (i, (layer, row)) in layers.iter().zip(rows).enumerate() {
        match layer {
            LayerSpec::Residual { layers, shortcut } => {
                all.extend(placed(layers, &row.layers));
                all.extend(placed(shortcut, &row.shortcut));
            }
            _ => all.push(Placed { layer, row, orders: [orders[i], orders[i + 1]] }),
        }
    }
    all
}

/// `[h, w, c]`.
pub(super) type Image = [usize; 3];

fn image(shape: &[usize]) -> Option<Image> {
    shape.try_into().ok()
}

/// For every place between layers, before the first and after the last: the image in whose channels-first order the
/// values of the vector there are, or `None` if they are in the engine's order.
fn orders(layers: &[LayerSpec], rows: &[LayerRow]) -> Vec<Option<Image>> {
    let is_dense = |&i: &usize| matches!(layers[i], LayerSpec::Dense { .. });
    // For a layer that treats each value of a vector by itself, or all of them alike, their order doesn't matter.
    let mixes = |&i: &usize| {
        let holds = matches!(layers[i], LayerSpec::Residual { .. } | LayerSpec::GroupNorm { .. });
        is_dense(&i) || holds || layers[i].takes_label() || rows[i].input.len() > 1 || rows[i].output.len() > 1
    };
    // Whether a layer only turns an image into a vector, or the reverse.
    let reshapes = |i: usize| matches!(layers[i], LayerSpec::Flatten {} | LayerSpec::Reshape { .. });
    let mut orders = vec![None; rows.len() + 1];
    for (i, row) in rows.iter().enumerate().filter(|&(i, _)| reshapes(i)) {
        match (image(&row.input), image(&row.output)) {
            (flattened @ Some(_), None) => {
                if let Some(dense) = (i + 1..rows.len()).find(mixes).filter(is_dense) {
                    orders[i + 1..=dense].fill(flattened);
                }
            }
            (None, shaped @ Some(_)) => {
                if let Some(dense) = (0..i).rev().find(mixes).filter(is_dense) {
                    orders[dense + 1..=i].fill(shaped);
                }
            }
            _ => {}
        }
    }
    orders
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};
    use crate::recipe::build;
    use crate::recipe::{NetworkSpec, OptimizerSpec};
    use crate::storage::Device;

    /// The steps of a network of `layers`, written as in a recipe, whose variables count up from 0.
    fn steps_of(input: &[usize], layers: &str) -> Vec<Operation> {
        #[derive(serde::Deserialize)]
        struct Layers {
            layers: Vec<LayerSpec>,
        }
        let Layers { layers } = toml::from_str(&format!("layers = [{layers}]")).unwrap();
        let spec = NetworkSpec {
            input: input.to_vec(),
            classes: None,
            spectral_norm: false,
            initializer: Default::default(),
            optimizer: OptimizerSpec::Sgd { learning_rate: 1.0, momentum: 0.0, weight_decay: 0.0 },
            layers,
        };
        let mut random = Random::new(0, Purpose::CHECK);
        let mut network = build::network(&spec, &mut random, Device::Cpu);
        for (_, tensor) in network.named_mut() {
            let values: Vec<f64> = (0..tensor.numel()).map(|i| i as f64).collect();
            *tensor = Tensor::new(&values, tensor.shape(), Device::Cpu);
        }
        let steps = steps(&spec.layers, &spec.table().unwrap().rows, &network);
        steps.into_iter().map(|step| step.operation).collect()
    }

    #[test]
    fn kernels_have_their_channels_first() {
        let conv = "filters = 3, kernel = [1, 2], padding = 'valid' }";
        let layers = format!("{{ layer = 'conv2d', {conv}, {{ layer = 'conv_transpose2d', {conv}");
        let steps = steps_of(&[2, 4, 2], &layers);
        let [Operation::Conv2d { weight, .. }, Operation::ConvTranspose2d { weight: transposed, .. }] = &steps[..]
        else {
            panic!("two convolutions");
        };
        // [kh, kw, c_in, c_out] = [1, 2, 2, 3] holds j·6 + i·3 + o for column j, channels i and o.
        assert_eq!(weight.learnt.dims(), [3, 2, 1, 2]);
        assert_eq!(weight.learnt.to_f32(), [0., 6., 3., 9., 1., 7., 4., 10., 2., 8., 5., 11.]);
        // [kh, kw, c_out, c_in] = [1, 2, 3, 3] holds j·9 + o·3 + i.
        assert_eq!(transposed.learnt.dims(), [3, 3, 1, 2]);
        assert_eq!(transposed.learnt.to_f32()[..6], [0., 9., 3., 12., 6., 15.]);
    }

    /// Units 0 to 3 are the values of an image [1, 2, 2]: pixel 0's two channels, then pixel 1's.
    #[test]
    fn what_feeds_a_reshape_or_reads_a_flattened_image_is_in_the_order_of_its_channels() {
        let steps = steps_of(
            &[2],
            "{ layer = 'dense', units = 4 }, { layer = 'batch_norm' }, { layer = 'tanh' },
             { layer = 'reshape', shape = [1, 2, 2] }, { layer = 'relu' }, { layer = 'flatten' },
             { layer = 'dropout', rate = 0.5 }, { layer = 'dense', units = 2, bias = false }",
        );
        let [
            Operation::Linear { weight, bias },
            Operation::BatchNorm { mean, image, .. },
            Operation::Tanh,
            Operation::Unflatten { image: unflattened },
            Operation::Relu,
            Operation::Flatten,
            Operation::Dropout { .. },
            Operation::Linear { weight: last, bias: none },
        ] = &steps[..]
        else {
            panic!("a step per layer");
        };
        assert_eq!(weight.learnt.dims(), [4, 2]);
        assert_eq!(weight.learnt.to_f32(), [0., 4., 2., 6., 1., 5., 3., 7.]);
        assert_eq!(bias.as_ref().unwrap().to_f32(), [0., 2., 1., 3.]);
        assert_eq!((mean.to_f32(), *image), (vec![0., 2., 1., 3.], false));
        assert_eq!(*unflattened, [2, 1, 2]);
        assert_eq!(last.learnt.to_f32(), [0., 4., 2., 6., 1., 5., 3., 7.]);
        assert!(none.is_none());
    }

    #[test]
    fn where_no_dense_layer_is_near_the_order_changes_as_the_network_runs() {
        let steps = steps_of(
            &[6],
            "{ layer = 'relu' }, { layer = 'reshape', shape = [1, 3, 2] },
             { layer = 'reshape', shape = [3, 1, 2] }, { layer = 'flatten' }",
        );
        let transposes: Vec<[usize; 2]> = steps
            .iter()
            .filter_map(|step| match *step {
                Operation::Transpose { rows, columns } => Some([rows, columns]),
                _ => None,
            })
            .collect();
        assert_eq!(transposes, [[3, 2], [2, 3], [3, 2], [2, 3]]);
    }

    #[test]
    fn a_transposed_convolution_crops_per_side_and_adds_what_its_stride_leaves() {
        let crop = |attributes: &str| {
            let layer = format!("{{ layer = 'conv_transpose2d', filters = 1, {attributes} }}");
            match steps_of(&[7, 7, 1], &layer)[..] {
                [Operation::ConvTranspose2d { padding, extra, .. }] => {
                    ([padding.top, padding.bottom, padding.left, padding.right], extra)
                }
                _ => panic!("one layer"),
            }
        };
        assert_eq!(crop("kernel = 5, stride = 2"), ([1, 2, 1, 2], [0, 0]));
        assert_eq!(crop("kernel = [4, 1], stride = [2, 3]"), ([1, 1, 0, 0], [0, 2]));
        assert_eq!(crop("kernel = 2, stride = 5, padding = 'valid'"), ([0; 4], [3, 3]));
    }
}
