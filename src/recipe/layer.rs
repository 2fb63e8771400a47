//! One layer of a recipe: its attributes. The shape of its output and the number of its parameters are in
//! layer_shape.rs.
//!
//! Shapes leave the batch out: `[n]` for a vector, `[h, w, c]` for an image.

use serde::{Deserialize, Serialize};

use crate::nn::{Convolution, Pooling, Resampling};
use crate::unsaid::{is_false, yes};

/// A layer as a recipe writes it: `{ layer = "conv2d", filters = 64, kernel = 5, stride = 2 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "layer", rename_all = "snake_case", deny_unknown_fields, expecting = "a table with the key `layer`")]
pub enum LayerSpec {
    /// `[n]` to `[units]`: x·W + b.
    Dense {
        /// Width of the output.
        units: usize,
        /// Whether there is a b; default: true.
        #[serde(default = "yes")]
        bias: bool,
        /// Whether W is divided by its largest singular value: see [`spectral_norm`](crate::nn::spectral_norm).
        #[serde(default, skip_serializing_if = "is_false")]
        spectral_norm: bool,
        /// Whether the weights of each unit are scaled to length 1 before use: see
        /// [`unit_normalised`](crate::nn::Dense::unit_normalised).
        #[serde(default, skip_serializing_if = "is_false")]
        unit_norm: bool,
    },
    /// A convolution of `[h, w, c]`.
    Conv2d(Convolution),
    /// A transposed convolution of `[h, w, c]`: the input gradient of a convolution of the same
    /// attributes.
    ConvTranspose2d(Convolution),
    /// Batch normalisation over all axes but the last (Ioffe and Szegedy 2015), with gain and bias.
    BatchNorm {
        /// The share of the running statistics that a step keeps; default: 0.99.
        #[serde(default = "batch_norm_momentum")]
        momentum: f64,
        /// Added to the variance; default: 1e-3.
        #[serde(default = "batch_norm_epsilon")]
        epsilon: f64,
    },
    /// Normalisation of each example's groups of channels, over all pixels, with gain and bias per channel: see
    /// [`GroupNorm`](crate::nn::GroupNorm).
    GroupNorm {
        /// How many groups; the channels must be a multiple of it.
        groups: usize,
        /// Added to the variance; default: 1e-5.
        #[serde(default = "group_norm_epsilon")]
        epsilon: f64,
    },
    /// As `group_norm`, with one group.
    LayerNorm {
        /// Added to the variance; default: 1e-5.
        #[serde(default = "group_norm_epsilon")]
        epsilon: f64,
    },
    /// As `group_norm`, with a group for each channel.
    InstanceNorm {
        /// Added to the variance; default: 1e-5.
        #[serde(default = "group_norm_epsilon")]
        epsilon: f64,
    },
    /// Dropout: zeroes a share of the values while training and scales the rest by 1 / (1 - rate).
    Dropout {
        /// The share that is dropped, in [0, 1).
        rate: f64,
    },
    /// Adds noise from N(0, stddev²) while training.
    GaussianNoise {
        /// Its standard deviation, above 0.
        stddev: f64,
    },
    /// max(x, slope·x).
    LeakyRelu {
        /// Slope below zero, in [0, 1]; default: 0.3.
        #[serde(default = "leaky_relu_slope")]
        slope: f64,
    },
    /// max(x, 0).
    Relu {},
    /// The hyperbolic tangent.
    Tanh {},
    /// 1 / (1 + exp(-x)).
    Sigmoid {},
    /// x times the share of N(0, 1) below x: see [`gelu`](crate::ops::gelu).
    Gelu {},
    /// x · sigmoid(x).
    Silu {},
    /// ln(1 + exp(x)).
    Softplus {},
    /// x where it is positive, alpha·(exp(x) - 1) elsewhere.
    Elu {
        /// In (0, 100]; default: 1.
        #[serde(default = "elu_alpha")]
        alpha: f64,
    },
    /// Any shape to a vector, channels fastest.
    Flatten {},
    /// The same values in another shape.
    Reshape {
        /// `[n]` or `[h, w, c]`.
        shape: Vec<usize>,
    },
    /// Upsampling: every pixel becomes `factor` x `factor` pixels.
    Upsample {
        /// How many times higher and wider.
        factor: usize,
        /// How their values are found; default: `nearest`, which makes them all equal.
        #[serde(default, skip_serializing_if = "is_nearest")]
        method: Resampling,
    },
    /// Bilinear downsampling, without antialiasing: each `factor` x `factor` pixels become the one in the middle, or
    /// the mean of the four in the middle.
    Downsample {
        /// How many times lower and narrower; it must divide height and width.
        factor: usize,
    },
    /// Channels to pixels, `[h, w, c·factor²]` to `[h·factor, w·factor, c]`: see
    /// [`PixelShuffle`](crate::nn::PixelShuffle).
    PixelShuffle {
        /// How many times higher and wider.
        factor: usize,
    },
    /// Adds a channel to `[h, w, c]` that says how much the images of a batch differ: see
    /// [`MinibatchStddev`](crate::nn::MinibatchStddev).
    MinibatchStddev {
        /// The largest number of images that are compared; default: 4.
        #[serde(default = "stddev_group")]
        group: usize,
    },
    /// The largest value of each window of `[h, w, c]`, channel by channel.
    MaxPool(Pooling),
    /// The mean of each window of `[h, w, c]`, channel by channel.
    AveragePool(Pooling),
    /// The mean of each channel over the whole image, `[h, w, c]` to `[c]`.
    GlobalAveragePool {},
    /// Joins the class's label to x along the last axis: see [`JoinLabel`](crate::nn::JoinLabel).
    JoinLabel {
        /// The width of the label's embedding; default: no embedding.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        embedding: Option<usize>,
    },
    /// Batch normalisation with a gain and a bias for each class: see
    /// [`ConditionalBatchNorm`](crate::nn::ConditionalBatchNorm).
    ConditionalBatchNorm {
        /// As in `batch_norm`.
        #[serde(default = "batch_norm_momentum")]
        momentum: f64,
        /// As in `batch_norm`.
        #[serde(default = "batch_norm_epsilon")]
        epsilon: f64,
    },
    /// From a vector to one number, by how real it looks and how well it fits the label: see
    /// [`Projection`](crate::nn::Projection).
    Projection {},
    /// Attention between the places of `[h, w, c]`: see [`Attention`](crate::nn::Attention).
    Attention {},
    /// layers(x) + shortcut(x), which must have the same shape: see [`Residual`](crate::nn::Residual).
    Residual {
        /// The layers from input to output, of which there is at least one; they may be residuals themselves.
        layers: Vec<LayerSpec>,
        /// The layers of the shortcut; default: none, so that x itself is added.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        shortcut: Vec<LayerSpec>,
    },
}

/// What a network says about all of its layers.
#[derive(Clone, Copy, Debug, Default)]
pub struct OfAll {
    /// The number of classes of the labels.
    pub classes: Option<usize>,
    /// Whether all dense layers, convolutions, attentions and projections have spectral normalisation, whatever they
    /// say themselves.
    pub spectral_norm: bool,
}
fn batch_norm_momentum() -> f64 {
    0.99
}
fn batch_norm_epsilon() -> f64 {
    1e-3
}
fn group_norm_epsilon() -> f64 {
    1e-5
}
fn leaky_relu_slope() -> f64 {
    0.3
}
fn is_nearest(method: &Resampling) -> bool {
    *method == Resampling::Nearest
}
fn stddev_group() -> usize {
    4
}
fn elu_alpha() -> f64 {
    1.0
}

/// The number of values that a layer learns, and the number that it only keeps, such as running statistics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ParameterCount {
    /// Changed by the optimiser.
    pub trainable: u64,
    /// Changed by the forward pass.
    pub not_trainable: u64,
}

impl ParameterCount {
    /// Both together.
    pub fn total(self) -> u64 {
        self.trainable.saturating_add(self.not_trainable)
    }
}

impl LayerSpec {
    /// The name that a recipe gives to this layer.
    pub fn kind(&self) -> &'static str {
        match self {
            LayerSpec::Dense { .. } => "dense",
            LayerSpec::Conv2d(_) => "conv2d",
            LayerSpec::ConvTranspose2d(_) => "conv_transpose2d",
            LayerSpec::BatchNorm { .. } => "batch_norm",
            LayerSpec::GroupNorm { .. } => "group_norm",
            LayerSpec::LayerNorm { .. } => "layer_norm",
            LayerSpec::InstanceNorm { .. } => "instance_norm",
            LayerSpec::Dropout { .. } => "dropout",
            LayerSpec::GaussianNoise { .. } => "gaussian_noise",
            LayerSpec::LeakyRelu { .. } => "leaky_relu",
            LayerSpec::Relu {} => "relu",
            LayerSpec::Tanh {} => "tanh",
            LayerSpec::Sigmoid {} => "sigmoid",
            LayerSpec::Gelu {} => "gelu",
            LayerSpec::Silu {} => "silu",
            LayerSpec::Softplus {} => "softplus",
            LayerSpec::Elu { .. } => "elu",
            LayerSpec::Flatten {} => "flatten",
            LayerSpec::Reshape { .. } => "reshape",
            LayerSpec::Upsample { .. } => "upsample",
            LayerSpec::Downsample { .. } => "downsample",
            LayerSpec::PixelShuffle { .. } => "pixel_shuffle",
            LayerSpec::MinibatchStddev { .. } => "minibatch_stddev",
            LayerSpec::MaxPool(_) => "max_pool",
            LayerSpec::AveragePool(_) => "average_pool",
            LayerSpec::GlobalAveragePool {} => "global_average_pool",
            LayerSpec::JoinLabel { .. } => "join_label",
            LayerSpec::ConditionalBatchNorm { .. } => "conditional_batch_norm",
            LayerSpec::Projection {} => "projection",
            LayerSpec::Attention {} => "attention",
            LayerSpec::Residual { .. } => "residual",
        }
    }

    /// The layers inside of this one: a residual's `layers` and its `shortcut`. Other layers have none.
    pub fn branches(&self) -> [&[LayerSpec]; 2] {
        match self {
            LayerSpec::Residual { layers, shortcut } => [layers, shortcut],
            _ => [&[], &[]],
        }
    }

    /// Whether the layer itself asks for spectral normalisation.
    pub fn has_spectral_norm(&self) -> bool {
        match self {
            LayerSpec::Dense { spectral_norm, .. } => *spectral_norm,
            LayerSpec::Conv2d(conv) | LayerSpec::ConvTranspose2d(conv) => conv.spectral_norm,
            _ => false,
        }
    }

    /// Whether the layer takes the label too.
    pub fn takes_label(&self) -> bool {
        matches!(self, LayerSpec::JoinLabel { .. } | LayerSpec::ConditionalBatchNorm { .. } | LayerSpec::Projection {})
    }
}
