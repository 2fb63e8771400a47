//! The convolution layer and the transposed convolution layer.

use super::convolution::size;
use super::weights::Weights;
use super::{Convolution, Epilogue, Initializer, Layer, Pass, Variable};
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

/// A convolution from `[n, h, w, c_in]` to `[n, out_h, out_w, filters]`.
pub struct Conv2d {
    weights: Weights,
    attributes: Convolution,
}

impl Conv2d {
    /// A layer for images of `channels` channels, with a kernel of shape `[kh, kw, channels / groups, filters]` drawn from
    /// `random` and, if it has one, a bias of zeros.
    pub fn new(
        channels: usize,
        attributes: &Convolution,
        initializer: Initializer,
        random: &mut Random,
        device: Device,
    ) -> Conv2d {
        let &Convolution { filters, kernel: [kh, kw], bias, groups, .. } = attributes;
        let initializer = attributes.initializer.unwrap_or(initializer);
        let kernel = initializer.draw([kh, kw, channels / groups, filters].into(), random, device);
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
}

/// A transposed convolution from `[n, h, w, c_in]` to `[n, out_h, out_w, filters]`; its attributes are those of the
/// convolution that it is the input gradient of.
pub struct ConvTranspose2d {
    weights: Weights,
    attributes: Convolution,
}

impl ConvTranspose2d {
    /// A layer for images of `channels` channels, with a kernel of shape `[kh, kw, filters / groups, channels]` drawn from
    /// `random` and, if it has one, a bias of zeros.
    pub fn new(
        channels: usize,
        attributes: &Convolution,
        initializer: Initializer,
        random: &mut Random,
        device: Device,
    ) -> ConvTranspose2d {
        let &Convolution { filters, kernel: [kh, kw], bias, groups, .. } = attributes;
        let initializer = attributes.initializer.unwrap_or(initializer);
        let kernel = initializer.draw([kh, kw, filters / groups, channels].into(), random, device);
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
}
