//! One layer of a recipe: its attributes, the shape it gives to what shape it is given, and how many
//! parameters it has.
//!
//! Shapes leave the batch out: `[n]` for a vector, `[h, w, c]` for an image.

use serde::{Deserialize, Serialize};

use super::sizes::{MAX_SIZE, check_number, check_positive, check_shape, check_size};
use super::sizes::{image, values, vector};
use crate::nn::{Convolution, Pooling};

/// A layer as a recipe writes it: `{ layer = "conv2d", filters = 64, kernel = 5, stride = 2 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "layer", rename_all = "snake_case", deny_unknown_fields, expecting = "a table with the key `layer`")]
pub enum LayerSpec {
    /// `[n]` to `[units]`: x·W + b.
    Dense {
        /// Width of the output.
        units: usize,
        /// Whether there is a b; unless said, there is.
        #[serde(default = "yes")]
        bias: bool,
        /// Whether W is divided by its largest singular value: see [`spectral_norm`](crate::nn::spectral_norm).
        #[serde(default, skip_serializing_if = "is_false")]
        spectral_norm: bool,
    },
    /// A convolution of `[h, w, c]`.
    Conv2d(Convolution),
    /// A transposed convolution of `[h, w, c]`: the input gradient of a convolution of the same
    /// attributes.
    ConvTranspose2d(Convolution),
    /// Batch normalisation over all axes but the last (Ioffe and Szegedy 2015), with gain and bias.
    BatchNorm {
        /// Share of the running statistics that a step keeps; unless said, 0.99.
        #[serde(default = "batch_norm_momentum")]
        momentum: f64,
        /// Added to the variance; unless said, 1e-3.
        #[serde(default = "batch_norm_epsilon")]
        epsilon: f64,
    },
    /// Dropout: zeroes a share of the values while training and scales the rest by 1 / (1 - rate).
    Dropout {
        /// The share that is dropped, in [0, 1).
        rate: f64,
    },
    /// max(x, slope·x).
    LeakyRelu {
        /// Slope below zero, in [0, 1]; unless said, 0.3.
        #[serde(default = "leaky_relu_slope")]
        slope: f64,
    },
    /// max(x, 0).
    Relu {},
    /// The hyperbolic tangent.
    Tanh {},
    /// 1 / (1 + exp(-x)).
    Sigmoid {},
    /// Any shape to a vector, channels fastest.
    Flatten {},
    /// The same values in another shape.
    Reshape {
        /// `[n]` or `[h, w, c]`.
        shape: Vec<usize>,
    },
    /// Nearest-neighbour upsampling: every pixel becomes `factor` x `factor` pixels.
    Upsample {
        /// How many times higher and wider.
        factor: usize,
    },
    /// The largest value of each window of `[h, w, c]`, channel by channel.
    MaxPool(Pooling),
    /// The mean of each window of `[h, w, c]`, channel by channel.
    AveragePool(Pooling),
    /// The mean of each channel over the whole image, `[h, w, c]` to `[c]`.
    GlobalAveragePool {},
    /// The class's label beside x, along the last axis: see [`JoinLabel`](crate::nn::JoinLabel).
    JoinLabel {
        /// Values that a label is embedded in; unless said, it is not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        embedding: Option<usize>,
    },
    /// Batch normalisation with a gain and a bias a class: see [`ConditionalBatchNorm`](crate::nn::ConditionalBatchNorm).
    ConditionalBatchNorm {
        /// As of `batch_norm`.
        #[serde(default = "batch_norm_momentum")]
        momentum: f64,
        /// As of `batch_norm`.
        #[serde(default = "batch_norm_epsilon")]
        epsilon: f64,
    },
    /// A vector to one number by how it looks and how it fits the label: see [`Projection`](crate::nn::Projection).
    Projection {},
    /// layers(x) + shortcut(x), which must be of one shape: see [`Residual`](crate::nn::Residual).
    Residual {
        /// From input to output; one or more, residuals among them if need be.
        layers: Vec<LayerSpec>,
        /// The same of the shortcut; unless said, there are none, and x itself is added.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        shortcut: Vec<LayerSpec>,
    },
}

/// What a network says of all of its layers.
#[derive(Clone, Copy, Debug, Default)]
pub struct OfAll {
    /// Of how many classes the labels are.
    pub classes: Option<usize>,
    /// Whether dense layers, convolutions and projections have spectral normalisation, whatever they say themselves.
    pub spectral_norm: bool,
}

fn is_false(value: &bool) -> bool {
    !value
}
fn yes() -> bool {
    true
}
fn batch_norm_momentum() -> f64 {
    0.99
}
fn batch_norm_epsilon() -> f64 {
    1e-3
}
fn leaky_relu_slope() -> f64 {
    0.3
}

/// How many values a layer learns, and how many it only keeps (running statistics).
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
            LayerSpec::Dropout { .. } => "dropout",
            LayerSpec::LeakyRelu { .. } => "leaky_relu",
            LayerSpec::Relu {} => "relu",
            LayerSpec::Tanh {} => "tanh",
            LayerSpec::Sigmoid {} => "sigmoid",
            LayerSpec::Flatten {} => "flatten",
            LayerSpec::Reshape { .. } => "reshape",
            LayerSpec::Upsample { .. } => "upsample",
            LayerSpec::MaxPool(_) => "max_pool",
            LayerSpec::AveragePool(_) => "average_pool",
            LayerSpec::GlobalAveragePool {} => "global_average_pool",
            LayerSpec::JoinLabel { .. } => "join_label",
            LayerSpec::ConditionalBatchNorm { .. } => "conditional_batch_norm",
            LayerSpec::Projection {} => "projection",
            LayerSpec::Residual { .. } => "residual",
        }
    }

    /// The layers inside of this one: a residual's `layers` and its `shortcut`, no others have any.
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

    /// The shape that comes out when `input` goes in, both without the batch; [`NetworkSpec::table`](super::NetworkSpec::table)
    /// has those of residuals too.
    ///
    /// No size overflows, whatever the attributes are.
    ///
    /// # Errors
    /// What is wrong with the attributes, or with `input` for this layer, in words, and the mend.
    ///
    /// # Panics
    /// If it is a residual.
    pub(super) fn output_shape(&self, input: &[usize], OfAll { classes, .. }: OfAll) -> Result<Vec<usize>, String> {
        self.check_attributes()?;
        if self.takes_label() && classes.is_none() {
            return Err("needs to know how many classes there are; set the network's key classes".into());
        }
        check_shape(input).map_err(|why| format!("its input {input:?}: {why}"))?;
        let output = match self {
            LayerSpec::Dense { units, .. } => {
                let [_] = vector(input)?;
                vec![*units]
            }
            LayerSpec::Conv2d(conv) => conv.output_shape(image(input)?)?,
            LayerSpec::ConvTranspose2d(conv) => {
                let [h, w, c] = image(input)?;
                conv.check_transposed([h, w])?;
                conv.transposed_shape([h, w, c])
            }
            LayerSpec::BatchNorm { .. }
            | LayerSpec::ConditionalBatchNorm { .. }
            | LayerSpec::Dropout { .. }
            | LayerSpec::LeakyRelu { .. }
            | LayerSpec::Relu {}
            | LayerSpec::Tanh {}
            | LayerSpec::Sigmoid {} => input.to_vec(),
            LayerSpec::Flatten {} => vec![usize::try_from(values(input)).unwrap_or(usize::MAX)],
            LayerSpec::Reshape { shape } => {
                if values(shape) != values(input) {
                    return Err(format!(
                        "shape {shape:?} holds {} values but its input {input:?} holds {}; \
                         make them equal",
                        values(shape),
                        values(input)
                    ));
                }
                shape.clone()
            }
            LayerSpec::Upsample { factor } => {
                let [h, w, c] = image(input)?;
                vec![h.saturating_mul(*factor), w.saturating_mul(*factor), c]
            }
            LayerSpec::MaxPool(pooling) | LayerSpec::AveragePool(pooling) => pooling.output_shape(image(input)?)?,
            LayerSpec::GlobalAveragePool {} => {
                let [_, _, c] = image(input)?;
                vec![c]
            }
            LayerSpec::JoinLabel { embedding } => {
                let mut output = input.to_vec();
                let joined = match (&input, embedding) {
                    (_, None) => classes.unwrap_or(0),
                    ([_, _, _], Some(_)) => 1,
                    (_, Some(width)) => *width,
                };
                let last = output.last_mut().expect("no shape is empty");
                *last = last.saturating_add(joined);
                output
            }
            LayerSpec::Projection {} => {
                let [_] = vector(input)?;
                vec![1]
            }
            LayerSpec::Residual { .. } => unreachable!("a residual's shape is that of what is inside of it"),
        };
        check_shape(&output).map_err(|why| format!("its input {input:?} would become {output:?}: {why}"))?;
        Ok(output)
    }

    /// The parameters of this layer itself, not of what is inside of it, on `input`, a shape that it takes, with labels of
    /// so many classes. Counts stop at `u64::MAX`.
    pub fn parameters(&self, input: &[usize], of_all: OfAll) -> ParameterCount {
        let classes = of_all.classes.unwrap_or(0) as u64;
        let channels = input.last().copied().unwrap_or(0) as u64;
        let affine = |fan_in: u64, units: usize, bias: bool| ParameterCount {
            trainable: (fan_in + u64::from(bias)).saturating_mul(units as u64),
            not_trainable: 0,
        };
        // u and v, whose lengths are those of the kernel as a matrix.
        let normalises = of_all.spectral_norm || self.has_spectral_norm();
        let with_norm = |count: ParameterCount, [inputs, outputs]: [u64; 2]| {
            let kept = if normalises { inputs.saturating_add(outputs) } else { 0 };
            ParameterCount { not_trainable: count.not_trainable.saturating_add(kept), ..count }
        };
        match self {
            LayerSpec::Dense { units, bias, .. } => {
                with_norm(affine(channels, *units, *bias), [channels, *units as u64])
            }
            LayerSpec::Conv2d(conv) | LayerSpec::ConvTranspose2d(conv) => {
                let fan_in = values(&conv.kernel) * channels;
                with_norm(affine(fan_in, conv.filters, conv.bias), [fan_in, conv.filters as u64])
            }
            LayerSpec::BatchNorm { .. } => ParameterCount { trainable: 2 * channels, not_trainable: 2 * channels },
            LayerSpec::JoinLabel { embedding: Some(width) } => {
                let table = classes.saturating_mul(*width as u64);
                let map = match *input {
                    [height, across, _] => affine(*width as u64, height * across, true).trainable,
                    _ => 0,
                };
                ParameterCount { trainable: table.saturating_add(map), not_trainable: 0 }
            }
            LayerSpec::ConditionalBatchNorm { .. } => {
                ParameterCount { trainable: 2 * classes.saturating_mul(channels), not_trainable: 2 * channels }
            }
            LayerSpec::Projection {} => {
                let count = affine(channels.saturating_add(classes.saturating_mul(channels)), 1, true);
                with_norm(with_norm(count, [channels, 1]), [classes, channels])
            }
            _ => ParameterCount::default(),
        }
    }

    /// What can be said of the attributes before the input is known.
    fn check_attributes(&self) -> Result<(), String> {
        match self {
            LayerSpec::Dense { units, .. } => check_size("units", *units, MAX_SIZE),
            LayerSpec::Conv2d(conv) | LayerSpec::ConvTranspose2d(conv) => conv.check_attributes(),
            LayerSpec::BatchNorm { momentum, epsilon } | LayerSpec::ConditionalBatchNorm { momentum, epsilon } => {
                check_number("momentum", *momentum, (0.0..1.0).contains(momentum), "in [0, 1)")?;
                check_positive("epsilon", *epsilon)
            }
            LayerSpec::Dropout { rate } => check_number("rate", *rate, (0.0..1.0).contains(rate), "in [0, 1)"),
            LayerSpec::LeakyRelu { slope } => check_number("slope", *slope, (0.0..=1.0).contains(slope), "in [0, 1]"),
            LayerSpec::Reshape { shape } => check_shape(shape).map_err(|why| format!("shape = {shape:?}: {why}")),
            LayerSpec::Upsample { factor } => check_size("factor", *factor, MAX_SIZE),
            LayerSpec::MaxPool(pooling) | LayerSpec::AveragePool(pooling) => pooling.check_attributes(),
            LayerSpec::JoinLabel { embedding } => embedding.map_or(Ok(()), |n| check_size("embedding", n, MAX_SIZE)),
            LayerSpec::Relu {}
            | LayerSpec::Projection {}
            | LayerSpec::Tanh {}
            | LayerSpec::Sigmoid {}
            | LayerSpec::Flatten {}
            | LayerSpec::GlobalAveragePool {}
            | LayerSpec::Residual { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three classes.
    const THREE: OfAll = OfAll { classes: Some(3), spectral_norm: false };

    fn layer(text: &str) -> LayerSpec {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn defaults_are_keras() {
        assert_eq!(layer("layer = 'leaky_relu'"), layer("layer = 'leaky_relu'\nslope = 0.3"));
        assert_eq!(layer("layer = 'batch_norm'"), layer("layer = 'batch_norm'\nmomentum = 0.99\nepsilon = 1e-3"));
        assert_eq!(
            layer("layer = 'conv2d'\nfilters = 8\nkernel = 5"),
            layer(
                "layer = 'conv2d'\nfilters = 8\nkernel = [5, 5]\nstride = 1\npadding = 'same'\n\
                 bias = true"
            )
        );
        assert_eq!(layer("layer = 'conv2d'\nfilters = 8\nkernel = 5"), LayerSpec::Conv2d(Convolution::new(8, [5, 5])));
    }

    #[test]
    fn parameters_of_each_kind() {
        let count = |text: &str, input: &[usize]| {
            let count = layer(text).parameters(input, THREE);
            (count.trainable, count.not_trainable)
        };
        assert_eq!(count("layer = 'dense'\nunits = 7", &[5]), (5 * 7 + 7, 0));
        assert_eq!(count("layer = 'dense'\nunits = 7\nbias = false", &[5]), (5 * 7, 0));
        let conv = "filters = 6\nkernel = [2, 3]\nlayer = ";
        assert_eq!(count(&format!("{conv}'conv2d'"), &[9, 9, 4]), (2 * 3 * 4 * 6 + 6, 0));
        assert_eq!(count(&format!("{conv}'conv_transpose2d'"), &[9, 9, 4]), (2 * 3 * 4 * 6 + 6, 0));
        assert_eq!(count("layer = 'batch_norm'", &[9, 9, 4]), (8, 8));
        assert_eq!(count("layer = 'flatten'", &[9, 9, 4]), (0, 0));
        assert_eq!(count("layer = 'dense'\nunits = 7\nspectral_norm = true", &[5]), (5 * 7 + 7, 5 + 7));
        assert_eq!(count(&format!("{conv}'conv2d'\nspectral_norm = true"), &[9, 9, 4]), (2 * 3 * 4 * 6 + 6, 24 + 6));
        assert_eq!(count("layer = 'join_label'", &[9, 9, 4]), (0, 0));
        assert_eq!(count("layer = 'join_label'\nembedding = 5", &[7]), (3 * 5, 0));
        assert_eq!(count("layer = 'join_label'\nembedding = 5", &[9, 9, 4]), (3 * 5 + 5 * 81 + 81, 0));
        assert_eq!(count("layer = 'conditional_batch_norm'", &[9, 9, 4]), (2 * 3 * 4, 8));
        assert_eq!(count("layer = 'projection'", &[7]), (7 + 1 + 3 * 7, 0));
    }

    #[test]
    fn shapes_of_the_rest() {
        let shape = |text, input: &[usize]| layer(text).output_shape(input, THREE);
        assert_eq!(shape("layer = 'upsample'\nfactor = 2", &[7, 5, 3]).unwrap(), [14, 10, 3]);
        assert_eq!(shape("layer = 'max_pool'", &[7, 5, 3]).unwrap(), [3, 2, 3]);
        assert_eq!(shape("layer = 'average_pool'\npadding = 'same'", &[7, 5, 3]).unwrap(), [4, 3, 3]);
        assert_eq!(shape("layer = 'global_average_pool'", &[7, 5, 3]).unwrap(), [3]);
        assert_eq!(shape("layer = 'flatten'", &[7, 5, 3]).unwrap(), [105]);
        assert_eq!(shape("layer = 'reshape'\nshape = [5, 7, 3]", &[105]).unwrap(), [5, 7, 3]);
        assert_eq!(shape("layer = 'tanh'", &[7, 5, 3]).unwrap(), [7, 5, 3]);
        assert_eq!(shape("layer = 'join_label'", &[7]).unwrap(), [10]);
        assert_eq!(shape("layer = 'join_label'\nembedding = 5", &[7]).unwrap(), [12]);
        assert_eq!(shape("layer = 'join_label'", &[7, 5, 2]).unwrap(), [7, 5, 5]);
        assert_eq!(shape("layer = 'join_label'\nembedding = 5", &[7, 5, 2]).unwrap(), [7, 5, 3]);
        assert_eq!(shape("layer = 'projection'", &[7]).unwrap(), [1]);
        assert_eq!(
            layer("layer = 'projection'").output_shape(&[7], OfAll::default()).unwrap_err(),
            "needs to know how many classes there are; set the network's key classes"
        );
        assert_eq!(
            shape("layer = 'dense'\nunits = 1", &[7, 5, 3]).unwrap_err(),
            "needs a vector [n] but its input is [7, 5, 3]; put a flatten before it"
        );
        assert_eq!(
            shape("layer = 'upsample'\nfactor = 2", &[105]).unwrap_err(),
            "needs an image [height, width, channels] but its input is [105]; put a reshape before it"
        );
    }

    /// Neither the sizes that a check refuses nor the largest that it takes may overflow on the way.
    #[test]
    fn no_size_overflows() {
        let (image, most) = ([1024, 1024, 2048], MAX_SIZE);
        for size in [usize::MAX >> 1, most] {
            let texts = [
                format!("layer = 'upsample'\nfactor = {size}"),
                format!("layer = 'reshape'\nshape = [{size}, {size}, {size}]"),
                format!("layer = 'conv2d'\nfilters = {size}\nkernel = {size}"),
                format!("layer = 'conv2d'\nfilters = {size}\nkernel = 1\nstride = {size}\npadding = 'valid'"),
                format!("layer = 'conv_transpose2d'\nfilters = {size}\nkernel = {size}\nstride = {size}"),
                format!("layer = 'max_pool'\nsize = {size}\npadding = 'same'"),
            ];
            for text in texts {
                if let Ok(output) = layer(&text).output_shape(&image, OfAll::default()) {
                    assert_eq!(output, [1, 1, most], "{text}");
                }
            }
        }
        let widest = layer(&format!("layer = 'conv2d'\nfilters = {most}\nkernel = {most}"));
        assert_eq!(widest.parameters(&[1, 1, most], OfAll::default()).total(), u64::MAX);
    }
}
