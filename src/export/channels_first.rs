//! A network as programs see it that put channels first (PyTorch, ONNX): images `[n, c, h, w]`,
//! weights turned to their layouts, vectors reordered where an image becomes a vector or the other
//! way round.
//!
//! The engine flattens `[h, w, c]` with channels fastest, these programs `[c, h, w]` with columns
//! fastest. The difference is paid once, in the weights: the units of a dense layer that feeds a
//! reshape, and whatever each of them meets on the way, are stored in the order of `[c, h, w]`, and so
//! are the inputs of a dense layer that reads a flattened image. Only where no dense layer is near does
//! the order have to be changed as the network runs: [`Operation::Transpose`]. Vectors that enter or leave a residual are in
//! the engine's order, for both of its branches must give the same.

use super::padding;
use crate::nn::{Convolution, Pooling, Resampling, Sequential};
use crate::ops::{Transpose, matmul, permute, reshape};
use crate::recipe::{LayerRow, LayerSpec};
use crate::shape::Padding;
use crate::tensor::Tensor;
use std::collections::HashMap;

/// One operation, with its weights.
pub(super) struct Step {
    /// The layer of the recipe that it belongs to: see [`LayerRow::place`].
    pub place: String,
    /// What is done.
    pub operation: Operation,
}

/// What a step does, on vectors `[n, units]` or images `[n, c, h, w]`.
pub(super) enum Operation {
    /// y = x Wᵀ + b, W `[units, inputs]`.
    Linear { weight: Weight, bias: Option<Tensor> },
    /// A convolution with weights `[c_out, c_in / groups, kh, kw]`.
    Conv2d { weight: Weight, bias: Option<Tensor>, stride: [usize; 2], padding: Padding, groups: usize },
    /// A transposed convolution with weights `[c_in, c_out / groups, kh, kw]`, which crops `padding` from its full
    /// output and adds `extra` rows and columns after it.
    ConvTranspose2d {
        weight: Weight,
        bias: Option<Tensor>,
        stride: [usize; 2],
        padding: Padding,
        extra: [usize; 2],
        groups: usize,
    },
    /// γ (x - mean) / √(variance + ε) + β, per channel of an image or per unit of a vector.
    BatchNorm { gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, epsilon: f64, momentum: f64, image: bool },
    /// γ (x - mean) / √(variance + ε) + β, mean and variance those of an example's group of channels, γ and β per channel
    /// of an image `[h, w]` or per unit of a vector.
    GroupNorm { gamma: Tensor, beta: Tensor, groups: usize, epsilon: f64, image: Option<[usize; 2]> },
    /// Nothing, but in training.
    Dropout { rate: f64 },
    /// max(x, slope·x).
    LeakyRelu { slope: f64 },
    /// max(x, 0).
    Relu,
    /// The hyperbolic tangent.
    Tanh,
    /// The logistic function.
    Sigmoid,
    /// x times the share of N(0, 1) below x.
    Gelu,
    /// x · sigmoid(x).
    Silu,
    /// x where it is positive, alpha·(exp(x) - 1) elsewhere.
    Elu { alpha: f64 },
    /// Every pixel becomes `factor` x `factor` pixels.
    Upsample { factor: usize, method: Resampling },
    /// Every `factor` x `factor` pixels become one, bilinearly; `size` is what comes out.
    Downsample { factor: usize, size: [usize; 2] },
    /// Channels to pixels: `[n, c·factor², h, w]` to `[n, c, h·factor, w·factor]`.
    PixelShuffle { factor: usize },
    /// One more channel, the standard deviation over groups of at most so many examples.
    MinibatchStddev { group: usize },
    /// The largest value or the mean of each window, over what of it lies inside an image of `image` pixels.
    Pool { kind: Pool, size: [usize; 2], stride: [usize; 2], padding: Padding, image: [usize; 2] },
    /// The mean of each channel, `[n, c, h, w]` to `[n, c, 1, 1]`.
    GlobalAveragePool,
    /// An image to a vector, in the order of `[c, h, w]`.
    Flatten,
    /// A vector to an image `[c, h, w]`.
    Unflatten { image: [usize; 3] },
    /// A vector, taken as a matrix of `rows` x `columns`, to that of the transposed matrix.
    Transpose { rows: usize, columns: usize },
    /// l or, embedded, l E, joined to a vector x; where x is an image, as channels of every pixel, or embedded as one more,
    /// the map l E Wᵀ + b.
    JoinLabel { embedding: Option<Tensor>, map: Option<[Tensor; 2]>, image: Option<[usize; 2]> },
    /// As a batch norm, with gamma and beta `[classes, channels]`, of which l picks a row for each example.
    ConditionalBatchNorm {
        gamma: Tensor,
        beta: Tensor,
        mean: Tensor,
        variance: Tensor,
        epsilon: f64,
        momentum: f64,
        image: bool,
    },
    /// x Wᵀ + b + Σ x · l Eᵀ, with W `[1, inputs]` and E `[inputs, classes]`.
    Projection { weight: Weight, bias: Tensor, embedding: Weight },
    /// Attention between the places of an image.
    Attention(Attention),
    /// What `layers` make of x and what `shortcut` makes of it, added.
    Residual { layers: Vec<Step>, shortcut: Vec<Step> },
}

/// A weight, its outputs along the first axis, or of a transposed convolution the second.
pub(super) struct Weight {
    /// As it is learnt.
    pub learnt: Tensor,
    /// u `[outputs]` and v `[the rest]` of its spectral normalisation, if it has one.
    pub singular: Option<[Tensor; 2]>,
}

impl Weight {
    /// As it is used, by a transposed convolution or by anything else.
    pub fn used(self, transposed: bool) -> Tensor {
        let Some([u, v]) = self.singular else {
            return self.learnt;
        };
        let matrix = if transposed { permute(&self.learnt, &[1, 0, 2, 3]) } else { self.learnt.clone() };
        let row = matmul(&reshape(&u, [1, u.numel()]), &reshape(&matrix, [u.numel(), v.numel()]), Transpose::NONE);
        self.learnt / matmul(&row, &reshape(&v, [v.numel(), 1]), Transpose::NONE)
    }
}

/// What is made of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pool {
    Max,
    Average,
}

/// The layer [`Attention`](crate::nn::Attention): kernels `[c_out, c_in, 1, 1]`, and γ `[1]`.
pub(super) struct Attention {
    pub query: Weight,
    pub key: Weight,
    pub value: Weight,
    pub output: Weight,
    pub gamma: Tensor,
    /// Height and width.
    pub image: [usize; 2],
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

/// A layer that may have variables, and what is needed to turn them round.
pub(super) struct Placed<'a> {
    pub layer: &'a LayerSpec,
    pub row: &'a LayerRow,
    /// The orders of the vectors before and after it: see [`orders`].
    pub orders: [Option<Image>; 2],
}

/// Every one of `layers` at any depth that holds no others, in order.
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

/// For every place between layers, before the first and after the last, the image in whose
/// channels-first order the values of the vector there are; none where they are in the engine's.
fn orders(layers: &[LayerSpec], rows: &[LayerRow]) -> Vec<Option<Image>> {
    let is_dense = |&i: &usize| matches!(layers[i], LayerSpec::Dense { .. });
    // What treats each value of a vector apart, or all of them alike, doesn't care for their order.
    let mixes = |&i: &usize| {
        let holds = matches!(layers[i], LayerSpec::Residual { .. } | LayerSpec::GroupNorm { .. });
        is_dense(&i) || holds || layers[i].takes_label() || rows[i].input.len() > 1 || rows[i].output.len() > 1
    };
    // Whether all that a layer does is to take an image for a vector, or the other way round.
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

/// What `layer` does, given its variables by name and the orders of the vectors around it.
fn operations(
    layer: &LayerSpec,
    row: &LayerRow,
    variable: &dyn Fn(&str) -> Option<Tensor>,
    [before, after]: [Option<Image>; 2],
) -> Vec<Operation> {
    let required = |name: &str| variable(name).expect("a layer has its variables");
    let singular = |of: &str| {
        let [u, v] = ["u", "v"].map(|name| variable(&format!("{of}{name}")));
        u.zip(v).map(|(u, v)| [u, v])
    };
    // v goes along what the weights of one output are read in.
    let of_kernel = |conv: &Convolution| {
        let [kh, kw] = conv.kernel;
        singular("").map(|[u, v]| [u, turned(&v, [kh * kw, v.numel() / (kh * kw)])])
    };
    vec![match *layer {
        LayerSpec::Dense { .. } => {
            let kernel = channels_first(&required("kernel"), 0, before);
            let singular = singular("").map(|[u, v]| [channels_first(&u, 0, after), channels_first(&v, 0, before)]);
            Operation::Linear {
                weight: Weight { learnt: permute(&channels_first(&kernel, 1, after), &[1, 0]), singular },
                bias: variable("bias").map(|bias| channels_first(&bias, 0, after)),
            }
        }
        LayerSpec::Conv2d(ref conv) => Operation::Conv2d {
            weight: Weight { learnt: permute(&required("kernel"), &[3, 2, 0, 1]), singular: of_kernel(conv) },
            bias: variable("bias"),
            stride: conv.stride,
            padding: padding(conv, false, row),
            groups: conv.groups,
        },
        LayerSpec::ConvTranspose2d(ref conv) => {
            let (padding, extra) = crop(conv, row);
            Operation::ConvTranspose2d {
                weight: Weight { learnt: permute(&required("kernel"), &[3, 2, 0, 1]), singular: of_kernel(conv) },
                bias: variable("bias"),
                stride: conv.stride,
                padding,
                extra,
                groups: conv.groups,
            }
        }
        LayerSpec::BatchNorm { momentum, epsilon } => {
            let variable = |name| channels_first(&required(name), 0, before);
            Operation::BatchNorm {
                gamma: variable("gamma"),
                beta: variable("beta"),
                mean: variable("running_mean"),
                variance: variable("running_variance"),
                epsilon,
                momentum,
                image: row.input.len() == 3,
            }
        }
        LayerSpec::JoinLabel { .. } => Operation::JoinLabel {
            embedding: variable("embedding"),
            map: variable("kernel").map(|kernel| [permute(&kernel, &[1, 0]), required("bias")]),
            image: image(&row.input).map(|[h, w, _]| [h, w]),
        },
        LayerSpec::ConditionalBatchNorm { momentum, epsilon } => Operation::ConditionalBatchNorm {
            gamma: required("gamma"),
            beta: required("beta"),
            mean: required("running_mean"),
            variance: required("running_variance"),
            epsilon,
            momentum,
            image: row.input.len() == 3,
        },
        LayerSpec::Projection {} => Operation::Projection {
            weight: Weight { learnt: permute(&required("kernel"), &[1, 0]), singular: singular("") },
            bias: required("bias"),
            embedding: Weight {
                learnt: permute(&required("embedding.kernel"), &[1, 0]),
                singular: singular("embedding."),
            },
        },
        LayerSpec::GroupNorm { .. } | LayerSpec::LayerNorm { .. } | LayerSpec::InstanceNorm { .. } => {
            let variable = |name| channels_first(&required(name), 0, before);
            let channels = row.input[row.input.len() - 1];
            let (groups, epsilon) = layer.group_norm(channels).expect("it is one");
            let image = image(&row.input).map(|[h, w, _]| [h, w]);
            Operation::GroupNorm { gamma: variable("gamma"), beta: variable("beta"), groups, epsilon, image }
        }
        LayerSpec::Dropout { rate } => Operation::Dropout { rate },
        LayerSpec::LeakyRelu { slope } => Operation::LeakyRelu { slope },
        LayerSpec::Relu {} => Operation::Relu,
        LayerSpec::Tanh {} => Operation::Tanh,
        LayerSpec::Sigmoid {} => Operation::Sigmoid,
        LayerSpec::Gelu {} => Operation::Gelu,
        LayerSpec::Silu {} => Operation::Silu,
        LayerSpec::Elu { alpha } => Operation::Elu { alpha },
        LayerSpec::Upsample { factor, method } => Operation::Upsample { factor, method },
        LayerSpec::Downsample { factor } => Operation::Downsample { factor, size: [row.output[0], row.output[1]] },
        LayerSpec::PixelShuffle { factor } => Operation::PixelShuffle { factor },
        LayerSpec::MinibatchStddev { group } => Operation::MinibatchStddev { group },
        LayerSpec::MaxPool(ref pooling) => pool(Pool::Max, pooling, row),
        LayerSpec::AveragePool(ref pooling) => pool(Pool::Average, pooling, row),
        LayerSpec::GlobalAveragePool {} => return vec![Operation::GlobalAveragePool, Operation::Flatten],
        LayerSpec::Flatten {} | LayerSpec::Reshape { .. } => {
            return change_of_shape(row, [before, after]);
        }
        LayerSpec::Attention {} => {
            let kernel = |part: &str| Weight {
                learnt: permute(&required(&format!("{part}.kernel")), &[3, 2, 0, 1]),
                singular: singular(&format!("{part}.")),
            };
            Operation::Attention(Attention {
                query: kernel("query"),
                key: kernel("key"),
                value: kernel("value"),
                output: kernel("output"),
                gamma: required("gamma"),
                image: [row.input[0], row.input[1]],
            })
        }
        LayerSpec::Residual { .. } => unreachable!("a residual is a step that holds others"),
    }]
}

fn pool(kind: Pool, pooling: &Pooling, row: &LayerRow) -> Operation {
    let image = [row.input[0], row.input[1]];
    Operation::Pool { kind, size: pooling.size, stride: pooling.stride, padding: pooling.sides(image), image }
}

/// From one shape to another by way of the vector that the engine has between them.
fn change_of_shape(row: &LayerRow, [before, after]: [Option<Image>; 2]) -> Vec<Operation> {
    let mut operations = Vec::new();
    if let Some([h, w, c]) = image(&row.input) {
        operations.push(Operation::Flatten);
        if after.is_none() {
            let (rows, columns) = (c, h * w);
            operations.push(Operation::Transpose { rows, columns });
        }
    }
    if let Some([h, w, c]) = image(&row.output) {
        if before.is_none() {
            let (rows, columns) = (h * w, c);
            operations.push(Operation::Transpose { rows, columns });
        }
        operations.push(Operation::Unflatten { image: [c, h, w] });
    }
    operations
}

/// `x` with the values along `axis`, where they are those of `image`, in the order of `[c, h, w]`.
fn channels_first(x: &Tensor, axis: usize, image: Option<Image>) -> Tensor {
    let Some([h, w, c]) = image else {
        return x.clone();
    };
    let outer: usize = x.dims()[..axis].iter().product();
    let inner: usize = x.dims()[axis + 1..].iter().product();
    let pixels = reshape(x, [outer, h * w, c, inner]);
    reshape(&permute(&pixels, &[0, 2, 1, 3]), x.shape())
}

/// The values of a matrix of these `[rows, columns]` as those of its transpose.
fn turned(x: &Tensor, [rows, columns]: [usize; 2]) -> Tensor {
    reshape(&permute(&reshape(x, [rows, columns]), &[1, 0]), x.shape())
}

/// What the engine keeps in `variable` of `layer`, from what these programs keep, `x`: [`operations`] the other way round.
pub(super) fn inverse(layer: &LayerSpec, variable: &str, x: &Tensor, [before, after]: [Option<Image>; 2]) -> Tensor {
    match (layer, variable) {
        (LayerSpec::Dense { .. }, "kernel") => {
            let kernel = channels_last(&permute(x, &[1, 0]), 1, after);
            channels_last(&kernel, 0, before)
        }
        (LayerSpec::Dense { .. }, "v") => channels_last(x, 0, before),
        (LayerSpec::Dense { .. }, _) => channels_last(x, 0, after),
        (LayerSpec::BatchNorm { .. } | LayerSpec::LayerNorm { .. }, _) => channels_last(x, 0, before),
        (LayerSpec::JoinLabel { .. } | LayerSpec::Projection {}, "kernel" | "embedding.kernel") => permute(x, &[1, 0]),
        (LayerSpec::Conv2d(conv) | LayerSpec::ConvTranspose2d(conv), "v") => {
            let [kh, kw] = conv.kernel;
            turned(x, [x.numel() / (kh * kw), kh * kw])
        }
        (_, kernel) if kernel.ends_with("kernel") => permute(x, &[2, 3, 1, 0]),
        _ => x.clone(),
    }
}

/// `x` with the values along `axis`, where they are those of `image` in the order of `[c, h, w]`, in that of `[h, w, c]`.
fn channels_last(x: &Tensor, axis: usize, image: Option<Image>) -> Tensor {
    let Some([h, w, c]) = image else {
        return x.clone();
    };
    let outer: usize = x.dims()[..axis].iter().product();
    let inner: usize = x.dims()[axis + 1..].iter().product();
    let pixels = reshape(x, [outer, c, h * w, inner]);
    reshape(&permute(&pixels, &[0, 2, 1, 3]), x.shape())
}

/// What a transposed convolution crops from its full output of (n - 1)·s + k rows, per side, and how
/// many rows and columns it adds after it where that is still too small (a stride beyond the kernel).
fn crop(conv: &Convolution, row: &LayerRow) -> (Padding, [usize; 2]) {
    let before = padding(conv, true, row);
    let full = |axis: usize| (row.input[axis] - 1) * conv.stride[axis] + conv.kernel[axis];
    let wanted = [row.output[0] + before.top, row.output[1] + before.left];
    let padding =
        Padding { bottom: full(0).saturating_sub(wanted[0]), right: full(1).saturating_sub(wanted[1]), ..before };
    let extra = [0, 1].map(|axis| wanted[axis].saturating_sub(full(axis)));
    (padding, extra)
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
            optimizer: OptimizerSpec::Sgd { learning_rate: 1.0, momentum: 0.0 },
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
