//! Turns a layer and its variables into operations with channels first.

use super::super::padding;
use super::{Attention, Image, Operation, Pool, Weight, image};
use crate::nn::{Convolution, Pooling, channels_first, unit_norm};
use crate::ops::permute;
use crate::recipe::{LayerRow, LayerSpec};
use crate::shape::Padding;
use crate::tensor::Tensor;

/// The operations of `layer`, given its variables by name and the orders of the vectors around it.
pub(super) fn operations(
    layer: &LayerSpec,
    row: &LayerRow,
    variable: &dyn Fn(&str) -> Option<Tensor>,
    [before, after]: [Option<Image>; 2],
) -> Vec<Operation> {
    let [before_channels, after_channels] = [before, after].map(|image| image.map(|[_, _, channels]| channels));
    let required = |name: &str| variable(name).expect("a layer has its variables");
    let singular = |of: &str| {
        let [u, v] = ["u", "v"].map(|name| variable(&format!("{of}{name}")));
        u.zip(v).map(|(u, v)| [u, v])
    };
    // v has the order in which the weights of one output are read.
    let of_kernel = |conv: &Convolution| {
        let [kh, kw] = conv.kernel;
        singular("").map(|[u, v]| [u, channels_first(&v, 0, Some(v.numel() / (kh * kw)))])
    };
    vec![match *layer {
        LayerSpec::Dense { unit_norm: unit, .. } => {
            let kernel = required("kernel");
            // Already scaled to length 1, so that scaling it again changes nothing.
            let kernel = if unit { unit_norm(&kernel) } else { kernel };
            let kernel = channels_first(&kernel, 0, before_channels);
            let singular = singular("")
                .map(|[u, v]| [channels_first(&u, 0, after_channels), channels_first(&v, 0, before_channels)]);
            Operation::Linear {
                weight: Weight { learnt: permute(&channels_first(&kernel, 1, after_channels), &[1, 0]), singular },
                bias: variable("bias").map(|bias| channels_first(&bias, 0, after_channels)),
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
            let variable = |name| channels_first(&required(name), 0, before_channels);
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
            let variable = |name| channels_first(&required(name), 0, before_channels);
            let channels = row.input[row.input.len() - 1];
            let (groups, epsilon) = layer.group_norm(channels).expect("it is one");
            let image = image(&row.input).map(|[h, w, _]| [h, w]);
            Operation::GroupNorm { gamma: variable("gamma"), beta: variable("beta"), groups, epsilon, image }
        }
        LayerSpec::Dropout { rate } => Operation::Dropout { rate },
        // It does nothing except in training, and neither PyTorch nor ONNX has a layer for it.
        LayerSpec::GaussianNoise { .. } => return Vec::new(),
        LayerSpec::LeakyRelu { slope } => Operation::LeakyRelu { slope },
        LayerSpec::Relu {} => Operation::Relu,
        LayerSpec::Tanh {} => Operation::Tanh,
        LayerSpec::Sigmoid {} => Operation::Sigmoid,
        LayerSpec::Gelu {} => Operation::Gelu,
        LayerSpec::Silu {} => Operation::Silu,
        LayerSpec::Softplus {} => Operation::Softplus,
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
            Operation::Attention(Box::new(Attention {
                query: kernel("query"),
                key: kernel("key"),
                value: kernel("value"),
                output: kernel("output"),
                gamma: required("gamma"),
                image: [row.input[0], row.input[1]],
            }))
        }
        LayerSpec::Residual { .. } => unreachable!("a residual is a step that holds others"),
    }]
}

fn pool(kind: Pool, pooling: &Pooling, row: &LayerRow) -> Operation {
    let image = [row.input[0], row.input[1]];
    Operation::Pool { kind, size: pooling.size, stride: pooling.stride, padding: pooling.sides(image), image }
}

/// A change of shape, by way of the vector that the engine has in between.
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

/// What a transposed convolution crops on each side from its full output of (n - 1)·s + k rows, and the number of rows
/// and columns that it adds at the end if that is still too small, as with a stride larger than the kernel.
fn crop(conv: &Convolution, row: &LayerRow) -> (Padding, [usize; 2]) {
    let before = padding(conv, true, row);
    let full = |axis: usize| (row.input[axis] - 1) * conv.stride[axis] + conv.kernel[axis];
    let wanted = [row.output[0] + before.top, row.output[1] + before.left];
    let padding =
        Padding { bottom: full(0).saturating_sub(wanted[0]), right: full(1).saturating_sub(wanted[1]), ..before };
    let extra = [0, 1].map(|axis| wanted[axis].saturating_sub(full(axis)));
    (padding, extra)
}
