//! The shape of a layer's output for each shape of its input, and the number of its parameters. Shapes leave the batch
//! out.

use super::layer::{LayerSpec, OfAll, ParameterCount};
use super::sizes::{MAX_SIZE, check_number, check_positive, check_shape, check_size};
use super::sizes::{image, values, vector};
use crate::nn::Attention;

/// The largest factor of a pixel shuffle: its square must divide a size, which is at most [`MAX_SIZE`].
const MAX_SHUFFLE: usize = 1 << 10;

impl LayerSpec {
    /// The shape of the output for `input`, both without the batch; [`NetworkSpec::table`](super::NetworkSpec::table)
    /// has those of residuals too.
    ///
    /// No size overflows, whatever the attributes are.
    ///
    /// # Errors
    /// A message that says what is wrong with the attributes, or with `input` for this layer, and what to do.
    ///
    /// # Panics
    /// If it is a residual.
    pub(super) fn output_shape(&self, input: &[usize], of_all: OfAll) -> Result<Vec<usize>, String> {
        self.check_attributes()?;
        let classes = of_all.classes;
        if self.takes_label() && classes.is_none() {
            return Err("needs to know how many classes there are; set the network's key classes".into());
        }
        check_shape(input).map_err(|why| format!("its input {input:?}: {why}"))?;
        let output = match self {
            LayerSpec::Dense { units, spectral_norm, unit_norm, .. } => {
                let [_] = vector(input)?;
                if *unit_norm && (*spectral_norm || of_all.spectral_norm) {
                    return Err("spectral_norm and unit_norm both divide the kernel; remove one of them".into());
                }
                vec![*units]
            }
            LayerSpec::Conv2d(conv) => conv.output_shape(image(input)?)?,
            LayerSpec::ConvTranspose2d(conv) => {
                let [h, w, c] = image(input)?;
                conv.check_transposed([h, w, c])?;
                conv.transposed_shape([h, w, c])
            }
            LayerSpec::BatchNorm { .. }
            | LayerSpec::ConditionalBatchNorm { .. }
            | LayerSpec::Dropout { .. }
            | LayerSpec::LeakyRelu { .. }
            | LayerSpec::Relu {}
            | LayerSpec::Tanh {}
            | LayerSpec::Sigmoid {}
            | LayerSpec::Gelu {}
            | LayerSpec::Silu {}
            | LayerSpec::Softplus {}
            | LayerSpec::GaussianNoise { .. }
            | LayerSpec::Elu { .. } => input.to_vec(),
            LayerSpec::GroupNorm { .. } | LayerSpec::LayerNorm { .. } | LayerSpec::InstanceNorm { .. } => {
                self.check_groups_of(input)?;
                input.to_vec()
            }
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
            LayerSpec::Upsample { factor, .. } => {
                let [h, w, c] = image(input)?;
                vec![h.saturating_mul(*factor), w.saturating_mul(*factor), c]
            }
            LayerSpec::Downsample { factor } => {
                let [h, w, c] = image(input)?;
                if !h.is_multiple_of(*factor) || !w.is_multiple_of(*factor) {
                    return Err(format!(
                        "factor = {factor} must divide height and width of its input {input:?}; choose another, or change \
                         the layers before it"
                    ));
                }
                vec![h / factor, w / factor, c]
            }
            LayerSpec::PixelShuffle { factor } => {
                let [h, w, c] = image(input)?;
                let pixels = factor * factor;
                if !c.is_multiple_of(pixels) {
                    return Err(format!(
                        "it makes one channel of {pixels}, but that doesn't divide the {c} of its input {input:?}; make filters of \
                         the layer before it a multiple of {pixels}"
                    ));
                }
                vec![h.saturating_mul(*factor), w.saturating_mul(*factor), c / pixels]
            }
            LayerSpec::MinibatchStddev { .. } => {
                let [h, w, c] = image(input)?;
                vec![h, w, c + 1]
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
            LayerSpec::Attention {} => attention_shape(image(input)?)?,
            LayerSpec::Residual { .. } => unreachable!("a residual's shape is that of what is inside of it"),
        };
        check_shape(&output).map_err(|why| format!("its input {input:?} would become {output:?}: {why}"))?;
        Ok(output)
    }

    /// The parameters of this layer itself, without the layers inside of it, for `input`, a shape that it takes. Counts
    /// stop at `u64::MAX`.
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
                let (taps, groups, filters) = (values(&conv.kernel), conv.groups as u64, conv.filters as u64);
                let matrix = match self {
                    LayerSpec::Conv2d(_) => [taps * channels / groups, filters],
                    _ => [taps * channels, filters / groups],
                };
                with_norm(affine(taps * channels / groups, conv.filters, conv.bias), matrix)
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
            LayerSpec::GroupNorm { .. } | LayerSpec::LayerNorm { .. } | LayerSpec::InstanceNorm { .. } => {
                ParameterCount { trainable: 2 * channels, not_trainable: 0 }
            }
            LayerSpec::Attention {} => {
                let [query, value] = attention_channels(channels);
                let count = ParameterCount { trainable: 2 * channels * (query + value) + 1, not_trainable: 0 };
                let kernels = [[channels, query], [channels, query], [channels, value], [value, channels]];
                kernels.into_iter().fold(count, with_norm)
            }
            _ => ParameterCount::default(),
        }
    }

    /// Groups and epsilon of a normalisation of each example, for `channels` channels.
    pub(crate) fn group_norm(&self, channels: usize) -> Option<(usize, f64)> {
        match *self {
            LayerSpec::GroupNorm { groups, epsilon } => Some((groups, epsilon)),
            LayerSpec::LayerNorm { epsilon } => Some((1, epsilon)),
            LayerSpec::InstanceNorm { epsilon } => Some((channels, epsilon)),
            _ => None,
        }
    }

    /// Checks that its groups divide the channels of `input`, and that each has more than one value.
    fn check_groups_of(&self, input: &[usize]) -> Result<(), String> {
        let channels = input[input.len() - 1];
        let Some((groups, _)) = self.group_norm(channels) else {
            return Ok(());
        };
        if !channels.is_multiple_of(groups) {
            let fits = (1..groups.min(channels)).rev().find(|fewer| channels.is_multiple_of(*fewer)).unwrap_or(1);
            return Err(format!(
                "groups = {groups} must divide the {channels} channels of its input {input:?}; {fits} does"
            ));
        }
        if values(input) == groups as u64 {
            return Err(format!(
                "its input {input:?} has one value in each of {groups} groups, and one value has no variance; put it where \
                 a group has more, or remove it"
            ));
        }
        Ok(())
    }

    /// The sizes of the intermediate tensors that the layer makes for one example of shape `input`: that of the
    /// largest, and their sum; 0 for layers that have none.
    pub(crate) fn between(&self, input: &[usize]) -> [u64; 2] {
        match (self, input) {
            (LayerSpec::Attention {}, &[h, w, c]) => {
                let (places, channels) = (values(&[h, w]), c as u64);
                let [query, value] = attention_channels(channels);
                let weights = places.saturating_mul(places / 4);
                // Before and after pooling, the means, and what the last convolution makes of them.
                let maps = places * (2 * query + 2 * value + channels) + places / 4 * (query + value);
                [weights, weights.saturating_mul(2).saturating_add(maps)]
            }
            _ => [0, 0],
        }
    }

    /// Checks the attributes, as far as it is possible before the input is known.
    fn check_attributes(&self) -> Result<(), String> {
        match self {
            LayerSpec::Dense { units, .. } => check_size("units", *units, MAX_SIZE),
            LayerSpec::Conv2d(conv) | LayerSpec::ConvTranspose2d(conv) => conv.check_attributes(),
            LayerSpec::BatchNorm { momentum, epsilon } | LayerSpec::ConditionalBatchNorm { momentum, epsilon } => {
                check_number("momentum", *momentum, (0.0..1.0).contains(momentum), "in [0, 1)")?;
                check_positive("epsilon", *epsilon)
            }
            LayerSpec::GroupNorm { groups, epsilon } => {
                check_size("groups", *groups, MAX_SIZE)?;
                check_positive("epsilon", *epsilon)
            }
            LayerSpec::LayerNorm { epsilon } | LayerSpec::InstanceNorm { epsilon } => {
                check_positive("epsilon", *epsilon)
            }
            LayerSpec::Dropout { rate } => check_number("rate", *rate, (0.0..1.0).contains(rate), "in [0, 1)"),
            LayerSpec::GaussianNoise { stddev } => check_positive("stddev", *stddev),
            LayerSpec::LeakyRelu { slope } => check_number("slope", *slope, (0.0..=1.0).contains(slope), "in [0, 1]"),
            LayerSpec::Elu { alpha } => check_number("alpha", *alpha, *alpha > 0.0 && *alpha <= 100.0, "in (0, 100]"),
            LayerSpec::Reshape { shape } => check_shape(shape).map_err(|why| format!("shape = {shape:?}: {why}")),
            LayerSpec::Upsample { factor, .. } | LayerSpec::Downsample { factor } => {
                check_size("factor", *factor, MAX_SIZE)
            }
            // Its square must not overflow.
            LayerSpec::PixelShuffle { factor } => check_size("factor", *factor, MAX_SHUFFLE),
            LayerSpec::MinibatchStddev { group } => check_size("group", *group, MAX_SIZE),
            LayerSpec::MaxPool(pooling) | LayerSpec::AveragePool(pooling) => pooling.check_attributes(),
            LayerSpec::JoinLabel { embedding } => embedding.map_or(Ok(()), |n| check_size("embedding", n, MAX_SIZE)),
            LayerSpec::Relu {}
            | LayerSpec::Projection {}
            | LayerSpec::Tanh {}
            | LayerSpec::Sigmoid {}
            | LayerSpec::Gelu {}
            | LayerSpec::Silu {}
            | LayerSpec::Softplus {}
            | LayerSpec::Flatten {}
            | LayerSpec::GlobalAveragePool {}
            | LayerSpec::Attention {}
            | LayerSpec::Residual { .. } => Ok(()),
        }
    }
}

/// The channels of an attention's queries (and keys) and of its values, for images of `channels` channels.
fn attention_channels(channels: u64) -> [u64; 2] {
    [Attention::QUERY_SHARE, Attention::VALUE_SHARE].map(|share| channels / share as u64)
}

/// The output shape of an attention.
fn attention_shape([h, w, c]: [usize; 3]) -> Result<Vec<usize>, String> {
    let input = [h, w, c];
    if c % Attention::QUERY_SHARE != 0 {
        let less = Attention::QUERY_SHARE;
        return Err(format!(
            "its queries have an {less}th of the channels, but {less} doesn't divide the {c} of its input {input:?}; make \
             filters of the layer before it a multiple of {less}"
        ));
    }
    if h % 2 != 0 || w % 2 != 0 {
        return Err(format!(
            "it pools keys and values 2x2, but its input {input:?} has an odd height or width; put it where both are even"
        ));
    }
    Ok(input.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Convolution;

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
        assert_eq!(count(&format!("groups = 2\n{conv}'conv2d'"), &[9, 9, 4]), (2 * 3 * 2 * 6 + 6, 0));
        assert_eq!(count(&format!("groups = 2\n{conv}'conv_transpose2d'"), &[9, 9, 4]), (2 * 3 * 2 * 6 + 6, 0));
        assert_eq!(count("layer = 'batch_norm'", &[9, 9, 4]), (8, 8));
        assert_eq!(count("layer = 'group_norm'\ngroups = 2", &[9, 9, 4]), (8, 0));
        assert_eq!(count("layer = 'layer_norm'", &[9, 9, 4]), (8, 0));
        assert_eq!(count("layer = 'instance_norm'", &[9, 9, 4]), (8, 0));
        assert_eq!(count("layer = 'flatten'", &[9, 9, 4]), (0, 0));
        assert_eq!(count("layer = 'dense'\nunits = 7\nspectral_norm = true", &[5]), (5 * 7 + 7, 5 + 7));
        assert_eq!(count(&format!("{conv}'conv2d'\nspectral_norm = true"), &[9, 9, 4]), (2 * 3 * 4 * 6 + 6, 24 + 6));
        assert_eq!(count("layer = 'join_label'", &[9, 9, 4]), (0, 0));
        assert_eq!(count("layer = 'join_label'\nembedding = 5", &[7]), (3 * 5, 0));
        assert_eq!(count("layer = 'join_label'\nembedding = 5", &[9, 9, 4]), (3 * 5 + 5 * 81 + 81, 0));
        assert_eq!(count("layer = 'conditional_batch_norm'", &[9, 9, 4]), (2 * 3 * 4, 8));
        assert_eq!(count("layer = 'projection'", &[7]), (7 + 1 + 3 * 7, 0));
        // Kernels of 16x2, 16x2, 16x8 and 8x16, and gamma.
        assert_eq!(count("layer = 'attention'", &[4, 6, 16]), (32 + 32 + 128 + 128 + 1, 0));
    }

    #[test]
    fn shapes_of_the_rest() {
        let shape = |text, input: &[usize]| layer(text).output_shape(input, THREE);
        assert_eq!(shape("layer = 'upsample'\nfactor = 2", &[7, 5, 3]).unwrap(), [14, 10, 3]);
        let bilinear = "layer = 'upsample'\nfactor = 3\nmethod = 'bilinear'";
        assert_eq!(shape(bilinear, &[7, 5, 3]).unwrap(), [21, 15, 3]);
        assert_eq!(shape("layer = 'downsample'\nfactor = 2", &[8, 6, 3]).unwrap(), [4, 3, 3]);
        let what = shape("layer = 'downsample'\nfactor = 2", &[8, 5, 3]).unwrap_err();
        assert!(what.starts_with("factor = 2 must divide height and width of its input [8, 5, 3]; choose"), "{what}");
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
        assert_eq!(shape("layer = 'group_norm'\ngroups = 3", &[7, 5, 6]).unwrap(), [7, 5, 6]);
        assert_eq!(
            shape("layer = 'group_norm'\ngroups = 4", &[7, 5, 6]).unwrap_err(),
            "groups = 4 must divide the 6 channels of its input [7, 5, 6]; 3 does"
        );
        for (layer, input) in [("layer = 'instance_norm'", &[6][..]), ("layer = 'layer_norm'", &[1, 1, 1])] {
            let what = shape(layer, input).unwrap_err();
            assert!(what.contains("one value in each") && what.ends_with("or remove it"), "{what}");
        }
        assert_eq!(shape("layer = 'pixel_shuffle'\nfactor = 2", &[7, 5, 12]).unwrap(), [14, 10, 3]);
        let what = shape("layer = 'pixel_shuffle'\nfactor = 2", &[7, 5, 6]).unwrap_err();
        assert!(
            what.starts_with("it makes one channel of 4, but that doesn't divide the 6 of its input [7, 5, 6]"),
            "{what}"
        );
        assert_eq!(shape("layer = 'minibatch_stddev'", &[7, 5, 6]).unwrap(), [7, 5, 7]);
        assert!(shape("layer = 'minibatch_stddev'\ngroup = 0", &[7, 5, 6]).unwrap_err().starts_with("group = 0"));
        assert_eq!(shape("layer = 'elu'", &[7, 5, 3]).unwrap(), [7, 5, 3]);
        assert_eq!(shape("layer = 'elu'\nalpha = 0", &[7]).unwrap_err(), "alpha = 0.0; it must be in (0, 100]");
        assert_eq!(shape("layer = 'attention'", &[4, 6, 16]).unwrap(), [4, 6, 16]);
        assert_eq!(
            shape("layer = 'attention'", &[4, 6, 12]).unwrap_err(),
            "its queries have an 8th of the channels, but 8 doesn't divide the 12 of its input [4, 6, 12]; make filters of \
             the layer before it a multiple of 8"
        );
        assert_eq!(
            shape("layer = 'attention'", &[7, 6, 16]).unwrap_err(),
            "it pools keys and values 2x2, but its input [7, 6, 16] has an odd height or width; put it where both are even"
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
