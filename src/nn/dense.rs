//! The dense layer, y = x W + b.

use super::weights::Weights;
use super::{Flow, Initializer, Layer, Part, Pass, Variable};
use crate::ops::{Transpose, dense, matmul};
use crate::random::Random;
use crate::storage::Device;
use crate::tensor::Tensor;

/// A dense layer from `[n, inputs]` to `[n, units]`: y = x W + b.
pub struct Dense {
    weights: Weights,
}

impl Dense {
    /// A layer on the CPU with a kernel `[inputs, units]`, Glorot uniform, and a bias of zeros.
    ///
    /// ```
    /// use minimax::nn::{Dense, Initializer, Layer};
    ///
    /// let layer = Dense::new(784, 128).initializer(Initializer::HeNormal).without_bias();
    /// assert_eq!(layer.parameters()[0].dims(), [784, 128]);
    /// ```
    pub fn new(inputs: usize, units: usize) -> Dense {
        Dense { weights: Weights::undrawn([inputs, units].into(), units) }
    }

    /// The layer without a bias.
    pub fn without_bias(self) -> Dense {
        Dense { weights: self.weights.without_bias() }
    }

    /// The layer with its kernel drawn by `initializer`.
    pub fn initializer(self, initializer: Initializer) -> Dense {
        let shape = self.weights.kernel_shape();
        Dense { weights: self.weights.drawn_by(initializer, shape) }
    }

    /// A layer with a kernel `[inputs, units]` drawn from `random` and, if it has one, a bias of zeros.
    pub fn from_random(
        inputs: usize,
        units: usize,
        bias: bool,
        initializer: Initializer,
        random: &mut Random,
        device: Device,
    ) -> Dense {
        let kernel = initializer.sample([inputs, units].into(), random, device);
        Dense { weights: Weights::new(kernel, bias.then_some(units)) }
    }

    /// The layer with spectral normalisation of its kernel: see [`spectral_norm`](super::spectral_norm).
    pub fn spectrally_normalised(self, random: &mut Random) -> Dense {
        Dense { weights: self.weights.normalised_if(true, false, random) }
    }

    /// The layer with the weights of each unit at length 1: weight normalisation (Salimans and Kingma 2016) whose gains
    /// stay 1.
    pub fn unit_normalised(self) -> Dense {
        Dense { weights: self.weights.unit_normalised() }
    }
}

impl Layer for Dense {
    fn forward(&mut self, x: &Tensor, pass: &mut Pass) -> Tensor {
        let kernel = self.weights.kernel(pass);
        match &self.weights.bias {
            Some(bias) => dense(x, &kernel, bias),
            None => matmul(x, &kernel, Transpose::NONE),
        }
    }

    fn variables(&self) -> Vec<Variable<&Tensor>> {
        self.weights.variables()
    }

    fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        self.weights.variables_mut()
    }

    fn parts(&self) -> Vec<Part> {
        Part::of(self, Flow::Dense { unit_norm: self.weights.is_unit_normalised() })
    }
}
