//! Modules of `torch.nn` with the arguments of their constructors.

use super::super::channels_first::Weight;
use crate::shape::Padding;
use crate::tensor::Tensor;
use crate::unsaid::{is_false, is_one};
use serde::Serialize;

/// A module of `torch.nn`; the tag is its class, the fields are its arguments.
#[derive(Serialize)]
#[serde(tag = "module")]
pub(super) enum Module {
    Linear {
        in_features: usize,
        out_features: usize,
        bias: bool,
        #[serde(skip_serializing_if = "is_false")]
        spectral_norm: bool,
    },
    Conv2d(Convolution),
    ConvTranspose2d {
        #[serde(flatten)]
        convolution: Convolution,
        output_padding: [usize; 2],
    },
    /// Left, right, top, bottom.
    ZeroPad2d {
        padding: [i64; 4],
    },
    BatchNorm1d(Normalization),
    BatchNorm2d(Normalization),
    GroupNorm {
        num_groups: usize,
        num_channels: usize,
        eps: f64,
    },
    Dropout {
        p: f64,
    },
    LeakyReLU {
        negative_slope: f64,
    },
    ReLU {},
    Tanh {},
    Sigmoid {},
    #[serde(rename = "GELU")]
    Gelu {},
    SiLU {},
    Softplus {},
    #[serde(rename = "ELU")]
    Elu {
        alpha: f64,
    },
    Upsample {
        #[serde(flatten)]
        to: Resized,
        mode: &'static str,
    },
    PixelShuffle {
        upscale_factor: usize,
    },
    /// Not a class of `torch.nn`: adds a channel, the standard deviation over groups of examples.
    MinibatchStddev {
        group: usize,
    },
    MaxPool2d(Window),
    AvgPool2d {
        #[serde(flatten)]
        window: Window,
        count_include_pad: bool,
    },
    Flatten {},
    Unflatten {
        dim: usize,
        unflattened_size: [usize; 3],
    },
    ChannelShuffle {
        groups: usize,
    },
    AdaptiveAvgPool2d {
        output_size: usize,
    },
    /// Not a class of `torch.nn`: joins the label or its embedding to x; if x is an image, the embedding becomes a map.
    JoinLabel {
        classes: usize,
        embedding: Option<usize>,
        image: Option<[usize; 2]>,
    },
    /// Not a class of `torch.nn`: a BatchNorm whose weight and bias are the rows for the example's class.
    ConditionalBatchNorm {
        classes: usize,
        #[serde(flatten)]
        normalization: Normalization,
    },
    /// Not a class of `torch.nn`: the sum of `linear`, a Linear to one number, and the product of x with the output of
    /// `embedding`, a Linear without bias, for the label.
    Projection {
        classes: usize,
        in_features: usize,
        #[serde(skip_serializing_if = "is_false")]
        spectral_norm: bool,
    },
    /// Not a class of `torch.nn`: attention between the places of an image.
    Attention {
        channels: usize,
        #[serde(skip_serializing_if = "is_false")]
        spectral_norm: bool,
    },
    /// Not a class of `torch.nn`: the sum of two Sequentials. One without modules is the identity.
    Residual {
        layers: Vec<Module>,
        shortcut: Vec<Module>,
    },
}

/// A factor, or a size.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Resized {
    ScaleFactor(usize),
    Size([usize; 2]),
}

#[derive(Serialize)]
pub(super) struct Convolution {
    pub in_channels: usize,
    pub out_channels: usize,
    pub kernel_size: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub bias: bool,
    #[serde(skip_serializing_if = "is_one")]
    pub groups: usize,
    /// Not an argument: whether `torch.nn.utils.parametrizations.spectral_norm` is to be applied to the module.
    #[serde(skip_serializing_if = "is_false")]
    pub spectral_norm: bool,
}

/// The arguments of a convolution with this `weight`.
pub(super) fn convolution(
    weight: &Weight,
    bias: &Option<Tensor>,
    stride: [usize; 2],
    padding: [usize; 2],
    groups: usize,
    transposed: bool,
) -> Convolution {
    let &[first, second, height, width] = weight.learnt.dims() else { unreachable!("a convolution's weight") };
    let [in_channels, out_channels] = if transposed { [first, second * groups] } else { [second * groups, first] };
    Convolution {
        in_channels,
        out_channels,
        kernel_size: [height, width],
        stride,
        padding,
        bias: bias.is_some(),
        groups,
        spectral_norm: weight.singular.is_some(),
    }
}

/// The tensors of a batch norm.
pub(super) fn normalizing(
    [gamma, beta, mean, variance]: [&Tensor; 4],
) -> [(&'static str, &'static str, Option<&Tensor>); 4] {
    [
        ("weight", "gamma", Some(gamma)),
        ("bias", "beta", Some(beta)),
        ("running_mean", "running_mean", Some(mean)),
        ("running_var", "running_variance", Some(variance)),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Window {
    pub kernel_size: [usize; 2],
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    pub ceil_mode: bool,
}

#[derive(Serialize)]
pub(super) struct Normalization {
    pub num_features: usize,
    pub eps: f64,
    pub momentum: f64,
}

/// A pooling of PyTorch's, and what to crop from its result. Together they are the pooling of `image` with windows of
/// `size`.
///
/// PyTorch pads both sides equally, by at most half of a window. More padding before the image, by a multiple of the
/// stride, makes whole windows before the first one; `ceil_mode` makes one more at the end that reaches beyond the
/// padding. What of a window lies beyond the image counts for nothing in either. Along an axis of n pixels with P
/// before and after, there are floor((n + 2P - k) / s) + 1 windows, or with `ceil_mode` ceil((n + 2P - k) / s) + 1, but
/// none begins after the image.
pub(super) fn pool_window(
    size: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
    image: [usize; 2],
) -> (Window, Padding) {
    let sides = [[padding.top, padding.bottom], [padding.left, padding.right]];
    // Windows before the first.
    let extra = [0, 1].map(|axis| {
        let [before, after] = sides[axis];
        after.saturating_sub(before) / stride[axis]
    });
    let padded = [0, 1].map(|axis| sides[axis][0] + extra[axis] * stride[axis]);
    let needed = [0, 1].map(|axis| {
        let [before, after] = sides[axis];
        extra[axis] + (image[axis] + before + after - size[axis]) / stride[axis] + 1
    });
    let made = |axis: usize, ceil_mode: bool| {
        let (n, p, s) = (image[axis], padded[axis], stride[axis]);
        let reach = n + 2 * p + if ceil_mode { s - 1 } else { 0 };
        let windows = (reach + s).saturating_sub(size[axis]) / s;
        if ceil_mode { windows.min((n + p).div_ceil(s)) } else { windows }
    };
    let ceil_mode = (0..2).any(|axis| made(axis, false) < needed[axis]);
    let left_over = [0, 1].map(|axis| made(axis, ceil_mode) - needed[axis]);
    let crop = Padding { top: extra[0], bottom: left_over[0], left: extra[1], right: left_over[1] };
    (Window { kernel_size: size, stride, padding: padded, ceil_mode }, crop)
}

/// The part of `padding` that is the same on opposite sides, `[rows, columns]`, and what remains.
pub(super) fn split(padding: Padding) -> ([usize; 2], Padding) {
    let rows = padding.top.min(padding.bottom);
    let columns = padding.left.min(padding.right);
    let rest = Padding {
        top: padding.top - rows,
        bottom: padding.bottom - rows,
        left: padding.left - columns,
        right: padding.right - columns,
    };
    ([rows, columns], rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::PaddingRule;

    /// Where PyTorch's windows begin along an axis, after cropping, and that they are ours.
    #[test]
    fn poolings_of_every_padding_have_the_windows_of_pytorchs() {
        for n in 1..=9 {
            for k in 1..=5 {
                for s in 1..=4 {
                    let explicit = (0..=k / 2).flat_map(|before| (0..=k / 2).map(move |after| [before, after]));
                    let same = PaddingRule::Same.sides([n, n], [k, k], [s, s]);
                    for [before, after] in explicit.chain([[same.top, same.bottom]]) {
                        if n + before + after < k {
                            continue;
                        }
                        let padding = Padding { top: before, bottom: after, left: before, right: after };
                        let (window, crop) = pool_window([k, k], [s, s], padding, [n, n]);
                        let what = format!("n {n} k {k} s {s} padding {before}, {after}: {window:?} {crop:?}");
                        let p = window.padding[0];
                        assert!(p <= k / 2, "{what}");
                        // As PyTorch's pooling_output_shape has it.
                        let room = (n + 2 * p) as i64 - k as i64 + if window.ceil_mode { s as i64 - 1 } else { 0 };
                        let mut made = room.div_euclid(s as i64) + 1;
                        if window.ceil_mode && (made - 1) * s as i64 >= (n + p) as i64 {
                            made -= 1;
                        }
                        let start = |i: i64| i * s as i64 - p as i64;
                        let theirs: Vec<i64> = (crop.top as i64..made - crop.bottom as i64).map(start).collect();
                        let ours = 0..(n + before + after - k) / s + 1;
                        let ours: Vec<i64> = ours.map(|i| (i * s) as i64 - before as i64).collect();
                        assert_eq!(theirs, ours, "{what}");
                    }
                }
            }
        }
    }
}
