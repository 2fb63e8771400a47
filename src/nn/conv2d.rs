//! The convolution layer and the transposed convolution layer.

use super::weights::Weights;
use super::{Initializer, Layer, Pass, Variable};
use crate::ops;
use crate::random::Random;
use crate::shape::Padding;
use crate::storage::Device;
use crate::tensor::Tensor;

/// A convolution from `[n, h, w, c_in]` to `[n, out_h, out_w, c_out]`.
pub struct Conv2d {
    weights: Weights,
    stride: [usize; 2],
    padding: Padding,
}

impl Conv2d {
    /// A layer with a kernel of shape `[kh, kw, c_in, c_out]` drawn from `random` and, if it has
    /// one, a bias of zeros.
    pub fn new(
        kernel: [usize; 4],
        stride: [usize; 2],
        padding: Padding,
        bias: bool,
        initializer: Initializer,
        random: &mut Random,
        device: Device,
    ) -> Conv2d {
        let [_, _, _, c_out] = kernel;
        let kernel = initializer.draw(kernel.into(), random, device);
        Conv2d { weights: Weights::new(kernel, bias.then_some(c_out)), stride, padding }
    }
}

impl Layer for Conv2d {
    fn forward(&mut self, x: &Tensor, _: &mut Pass) -> Tensor {
        let y = ops::conv2d(x, &self.weights.kernel, self.stride, self.padding);
        self.weights.add_bias(y)
    }

    fn variables(&self) -> Vec<Variable<&Tensor>> {
        self.weights.variables()
    }

    fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        self.weights.variables_mut()
    }
}

/// A transposed convolution from `[n, h, w, c_in]` to `[n, out_h, out_w, c_out]`.
pub struct ConvTranspose2d {
    weights: Weights,
    output_size: [usize; 2],
    stride: [usize; 2],
    padding: Padding,
}

impl ConvTranspose2d {
    /// A layer whose output has `output_size` = `[out_h, out_w]`, with a kernel of shape
    /// `[kh, kw, c_out, c_in]` drawn from `random` and, if it has one, a bias of zeros. `stride`
    /// and `padding` are those of the convolution that it is the input gradient of.
    #[expect(clippy::too_many_arguments, reason = "they are the layer's attributes")]
    pub fn new(
        kernel: [usize; 4],
        output_size: [usize; 2],
        stride: [usize; 2],
        padding: Padding,
        bias: bool,
        initializer: Initializer,
        random: &mut Random,
        device: Device,
    ) -> ConvTranspose2d {
        let [_, _, c_out, _] = kernel;
        let kernel = initializer.draw(kernel.into(), random, device);
        ConvTranspose2d { weights: Weights::new(kernel, bias.then_some(c_out)), output_size, stride, padding }
    }
}

impl Layer for ConvTranspose2d {
    fn forward(&mut self, x: &Tensor, _: &mut Pass) -> Tensor {
        let kernel = &self.weights.kernel;
        let y = ops::conv_transpose2d(x, kernel, self.output_size, self.stride, self.padding);
        self.weights.add_bias(y)
    }

    fn variables(&self) -> Vec<Variable<&Tensor>> {
        self.weights.variables()
    }

    fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        self.weights.variables_mut()
    }
}
