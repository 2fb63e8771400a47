//! The convolution layer and the transposed convolution layer.

use super::convolution::size;
use super::weights::Weights;
use super::{Convolution, Epilogue, Flow, Initializer, Layer, PaddingRule, Pair, Part, Pass, Variable};
use crate::ops::{self, Finish};
use crate::random::Random;
use crate::shape::Conv2dGeometry;
use crate::storage::Device;
use crate::tensor::Tensor;

/// What is done to the outputs of a convolution, `values` in number: its bias is added, and what follows it is done.
fn finish<'a>(
    bias: Option<&'a Tensor>,
    epilogue: Option<Epilogue>,
    values: impl FnOnce() -> usize,
    pass: &mut Pass,
) -> Finish<'a> {
    match epilogue {
        Some(epilogue) => Finish { bias, slope: epilogue.slope, mask: epilogue.mask(values(), pass) },
        None => Finish::with_bias(bias),
    }
}

/// # Panics
/// If `groups` don't divide the channels on both sides.
#[track_caller]
fn check_groups(groups: usize, channels: usize, filters: usize) {
    let fit = groups > 0 && channels.is_multiple_of(groups) && filters.is_multiple_of(groups);
    assert!(fit, "convolution: {groups} groups don't divide {channels} channels and {filters} filters");
}

/// A convolution from `[n, h, w, c_in]` to `[n, out_h, out_w, filters]`.
pub struct Conv2d {
    weights: Weights,
    attributes: Convolution,
}

impl Conv2d {
    /// A layer on the CPU from images of `channels` channels to `filters`: stride 1, no padding, a kernel of shape
    /// `[kh, kw, channels, filters]`, Glorot uniform, and a bias of zeros.
    ///
    /// ```
    /// use minimax::nn::{Conv2d, Layer};
    /// use minimax::{Device, Tensor};
    ///
    /// let mut layer = Conv2d::new(3, 16, 5).stride(2).same();
    /// let images = Tensor::ones([8, 32, 32, 3], Device::Cpu);
    /// assert_eq!(layer.predict(&images).dims(), [8, 16, 16, 16]);
    /// ```
    pub fn new(channels: usize, filters: usize, kernel: impl Into<Pair>) -> Conv2d {
        let Pair([kh, kw]) = kernel.into();
        let attributes = Convolution { padding: PaddingRule::Valid, ..Convolution::new(filters, [kh, kw]) };
        Conv2d { weights: Weights::undrawn([kh, kw, channels, filters].into(), filters), attributes }
    }

    /// The layer with its positions `stride` apart.
    pub fn stride(mut self, stride: impl Into<Pair>) -> Conv2d {
        self.attributes.stride = stride.into().0;
        self
    }

    /// The layer with this padding.
    pub fn padding(mut self, padding: PaddingRule) -> Conv2d {
        self.attributes.padding = padding;
        self
    }

    /// The layer with TensorFlow's `same` padding: see [`PaddingRule::Same`].
    pub fn same(self) -> Conv2d {
        self.padding(PaddingRule::Same)
    }

    /// The layer without a bias.
    pub fn without_bias(self) -> Conv2d {
        Conv2d { weights: self.weights.without_bias(), ..self }
    }

    /// The layer with its channels in `groups` groups, each of which has its own share of the filters: the kernel has shape
    /// `[kh, kw, channels / groups, filters]` and is drawn anew if it had been drawn.
    ///
    /// # Panics
    /// If the groups don't divide the channels on both sides, or the kernel is spectrally normalised already.
    #[track_caller]
    pub fn groups(self, groups: usize) -> Conv2d {
        let shape = self.weights.kernel_shape();
        let [kh, kw, share, filters] = *shape.dims() else { unreachable!("a kernel has 4 axes") };
        let channels = share * self.attributes.groups;
        check_groups(groups, channels, filters);
        let shape = [kh, kw, channels / groups, filters].into();
        let attributes = Convolution { groups, ..self.attributes };
        let weights = match attributes.initializer {
            Some(initializer) => self.weights.drawn_by(initializer, shape),
            None => self.weights.of_shape(shape),
        };
        Conv2d { weights, attributes }
    }

    /// The layer with its kernel drawn by `initializer`.
    pub fn initializer(self, initializer: Initializer) -> Conv2d {
        let shape = self.weights.kernel_shape();
        let attributes = Convolution { initializer: Some(initializer), ..self.attributes };
        Conv2d { weights: self.weights.drawn_by(initializer, shape), attributes }
    }

    /// The layer with spectral normalisation of its kernel, whose groups must have been set before: see
    /// [`spectral_norm`](super::spectral_norm).
    pub fn spectrally_normalised(self, random: &mut Random) -> Conv2d {
        Conv2d { weights: self.weights.normalised_if(true, false, random), ..self }
    }

    /// A layer for images of `channels` channels, with a kernel of shape `[kh, kw, channels / groups, filters]` drawn from
    /// `random` and, if it has one, a bias of zeros.
    ///
    /// # Panics
    /// If the groups don't divide the channels on both sides.
    #[track_caller]
    pub fn from_random(
        channels: usize,
        attributes: &Convolution,
        initializer: Initializer,
        random: &mut Random,
        device: Device,
    ) -> Conv2d {
        let &Convolution { filters, kernel: [kh, kw], bias, groups, .. } = attributes;
        check_groups(groups, channels, filters);
        let initializer = attributes.initializer.unwrap_or(initializer);
        let kernel = initializer.sample([kh, kw, channels / groups, filters].into(), random, device);
        let weights = Weights::new(kernel, bias.then_some(filters));
        Conv2d { weights: weights.normalised_if(attributes.spectral_norm, false, random), attributes: *attributes }
    }

    /// The convolution of `x`, then what follows, if anything does.
    fn convolve(&mut self, x: &Tensor, epilogue: Option<Epilogue>, pass: &mut Pass) -> Tensor {
        let kernel = self.weights.kernel(pass);
        let padding = self.attributes.sides(size("conv2d", x));
        let Convolution { stride, groups, .. } = self.attributes;
        let values = || {
            Conv2dGeometry::grouped("grouped_conv2d", x.shape(), kernel.shape(), groups, stride, padding)
                .output()
                .numel()
        };
        let finish = finish(self.weights.bias.as_ref(), epilogue, values, pass);
        ops::finished_conv2d(x, &kernel, groups, stride, padding, finish)
    }
}

impl Layer for Conv2d {
    fn forward(&mut self, x: &Tensor, pass: &mut Pass) -> Tensor {
        self.convolve(x, None, pass)
    }

    fn forward_then(&mut self, x: &Tensor, epilogue: Epilogue, pass: &mut Pass) -> Tensor {
        self.convolve(x, Some(epilogue), pass)
    }

    fn variables(&self) -> Vec<Variable<&Tensor>> {
        self.weights.variables()
    }

    fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        self.weights.variables_mut()
    }

    fn parts(&self) -> Vec<Part> {
        Part::of(self, Flow::Images { channels: self.attributes.filters })
    }
}

/// A transposed convolution from `[n, h, w, c_in]` to `[n, out_h, out_w, filters]`; its attributes are those of the
/// convolution that it is the input gradient of.
pub struct ConvTranspose2d {
    weights: Weights,
    attributes: Convolution,
}

impl ConvTranspose2d {
    /// A layer on the CPU from images of `channels` channels to `filters`: stride 1, no padding, a kernel of shape
    /// `[kh, kw, filters, channels]`, Glorot uniform, and a bias of zeros.
    ///
    /// ```
    /// use minimax::nn::{ConvTranspose2d, Layer};
    /// use minimax::{Device, Tensor};
    ///
    /// let mut layer = ConvTranspose2d::new(16, 3, 5).stride(2).same();
    /// let maps = Tensor::ones([8, 16, 16, 16], Device::Cpu);
    /// assert_eq!(layer.predict(&maps).dims(), [8, 32, 32, 3]);
    /// ```
    pub fn new(channels: usize, filters: usize, kernel: impl Into<Pair>) -> ConvTranspose2d {
        let Pair([kh, kw]) = kernel.into();
        let attributes = Convolution { padding: PaddingRule::Valid, ..Convolution::new(filters, [kh, kw]) };
        ConvTranspose2d { weights: Weights::undrawn([kh, kw, filters, channels].into(), filters), attributes }
    }

    /// The layer with its positions `stride` apart in its output.
    pub fn stride(mut self, stride: impl Into<Pair>) -> ConvTranspose2d {
        self.attributes.stride = stride.into().0;
        self
    }

    /// The layer with this padding.
    pub fn padding(mut self, padding: PaddingRule) -> ConvTranspose2d {
        self.attributes.padding = padding;
        self
    }

    /// The layer with TensorFlow's `same` padding: see [`PaddingRule::Same`].
    pub fn same(self) -> ConvTranspose2d {
        self.padding(PaddingRule::Same)
    }

    /// The layer without a bias.
    pub fn without_bias(self) -> ConvTranspose2d {
        ConvTranspose2d { weights: self.weights.without_bias(), ..self }
    }

    /// The layer with its channels in `groups` groups, each of which has its own share of the filters: the kernel has shape
    /// `[kh, kw, filters / groups, channels]` and is drawn anew if it had been drawn.
    ///
    /// # Panics
    /// If the groups don't divide the channels on both sides, or the kernel is spectrally normalised already.
    #[track_caller]
    pub fn groups(self, groups: usize) -> ConvTranspose2d {
        let shape = self.weights.kernel_shape();
        let [kh, kw, _, channels] = *shape.dims() else { unreachable!("a kernel has 4 axes") };
        let filters = self.attributes.filters;
        check_groups(groups, channels, filters);
        let shape = [kh, kw, filters / groups, channels].into();
        let attributes = Convolution { groups, ..self.attributes };
        let weights = match attributes.initializer {
            Some(initializer) => self.weights.drawn_by(initializer, shape),
            None => self.weights.of_shape(shape),
        };
        ConvTranspose2d { weights, attributes }
    }

    /// The layer with its kernel drawn by `initializer`.
    pub fn initializer(self, initializer: Initializer) -> ConvTranspose2d {
        let shape = self.weights.kernel_shape();
        let attributes = Convolution { initializer: Some(initializer), ..self.attributes };
        ConvTranspose2d { weights: self.weights.drawn_by(initializer, shape), attributes }
    }

    /// The layer with spectral normalisation of its kernel, whose groups must have been set before: see
    /// [`spectral_norm`](super::spectral_norm).
    pub fn spectrally_normalised(self, random: &mut Random) -> ConvTranspose2d {
        ConvTranspose2d { weights: self.weights.normalised_if(true, true, random), ..self }
    }

    /// A layer for images of `channels` channels, with a kernel of shape `[kh, kw, filters / groups, channels]` drawn from
    /// `random` and, if it has one, a bias of zeros.
    ///
    /// # Panics
    /// If the groups don't divide the channels on both sides.
    #[track_caller]
    pub fn from_random(
        channels: usize,
        attributes: &Convolution,
        initializer: Initializer,
        random: &mut Random,
        device: Device,
    ) -> ConvTranspose2d {
        let &Convolution { filters, kernel: [kh, kw], bias, groups, .. } = attributes;
        check_groups(groups, channels, filters);
        let initializer = attributes.initializer.unwrap_or(initializer);
        let kernel = initializer.sample([kh, kw, filters / groups, channels].into(), random, device);
        let weights = Weights::new(kernel, bias.then_some(filters));
        ConvTranspose2d {
            weights: weights.normalised_if(attributes.spectral_norm, true, random),
            attributes: *attributes,
        }
    }

    /// The transposed convolution of `x`, then what follows, if anything does.
    fn convolve(&mut self, x: &Tensor, epilogue: Option<Epilogue>, pass: &mut Pass) -> Tensor {
        let kernel = self.weights.kernel(pass);
        let output = self.attributes.transposed_size(size("conv_transpose2d", x));
        let padding = self.attributes.sides(output);
        let Convolution { stride, groups, filters, .. } = self.attributes;
        let values = || x.dims()[0] * output[0] * output[1] * filters;
        let finish = finish(self.weights.bias.as_ref(), epilogue, values, pass);
        ops::finished_conv_transpose2d(x, &kernel, groups, output, stride, padding, finish)
    }
}

impl Layer for ConvTranspose2d {
    fn forward(&mut self, x: &Tensor, pass: &mut Pass) -> Tensor {
        self.convolve(x, None, pass)
    }

    fn forward_then(&mut self, x: &Tensor, epilogue: Epilogue, pass: &mut Pass) -> Tensor {
        self.convolve(x, Some(epilogue), pass)
    }

    fn variables(&self) -> Vec<Variable<&Tensor>> {
        self.weights.variables()
    }

    fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        self.weights.variables_mut()
    }

    fn parts(&self) -> Vec<Part> {
        Part::of(self, Flow::Images { channels: self.attributes.filters })
    }
}
