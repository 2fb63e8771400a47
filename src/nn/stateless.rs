//! Layers without parameters: activations, dropout, upsampling, and changes of shape.

use super::convolution::size;
use super::{Elementwise, Flow, Layer, Mode, Part, Pass};
use crate::ops;
use crate::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// A function applied to each value, in any shape.
///
/// ```
/// use minimax::nn::{Activation, Layer};
/// use minimax::{Device, Tensor};
///
/// let x = Tensor::new(&[-1.0, 2.0], [2], Device::Cpu);
/// assert_eq!(Activation::LeakyRelu { slope: 0.5 }.predict(&x).to_f32(), [-0.5, 2.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// max(x, 0).
    Relu,
    /// x where it is positive, `slope` · x elsewhere.
    LeakyRelu {
        /// The slope below 0.
        slope: f64,
    },
    /// The hyperbolic tangent.
    Tanh,
    /// The logistic function.
    Sigmoid,
    /// ln(1 + eˣ).
    Softplus,
    /// x Φ(x), where Φ(x) is the share of N(0, 1) below x.
    Gelu,
    /// x · sigmoid(x).
    Silu,
    /// x where it is positive, `alpha` · (eˣ - 1) elsewhere.
    Elu {
        /// The output approaches -`alpha` far below 0.
        alpha: f64,
    },
}

impl Layer for Activation {
    fn forward(&mut self, x: &Tensor, _: &mut Pass) -> Tensor {
        match *self {
            Activation::Relu => ops::relu(x),
            Activation::LeakyRelu { slope } => ops::leaky_relu(x, slope),
            Activation::Tanh => ops::tanh(x),
            Activation::Sigmoid => ops::sigmoid(x),
            Activation::Softplus => ops::softplus(x),
            Activation::Gelu => ops::gelu(x),
            Activation::Silu => ops::silu(x),
            Activation::Elu { alpha } => ops::elu(x, alpha),
        }
    }

    fn elementwise(&self) -> Option<Elementwise> {
        match *self {
            Activation::Relu => Some(Elementwise::LeakyRelu { slope: 0.0 }),
            Activation::LeakyRelu { slope } => Some(Elementwise::LeakyRelu { slope }),
            _ => None,
        }
    }

    fn parts(&self) -> Vec<Part> {
        Part::of(self, Flow::Kept)
    }
}

/// Dropout, in training only: each value becomes 0 with probability `rate`, and the others are divided by 1 - `rate`.
///
/// ```
/// use minimax::nn::{Dropout, Layer};
/// use minimax::{Device, Tensor};
///
/// let x = Tensor::ones([4], Device::Cpu);
/// assert_eq!(Dropout { rate: 0.5 }.predict(&x).to_f32(), [1.0; 4]); // no training, no dropout
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    /// The probability that a value is dropped, in [0, 1).
    pub rate: f64,
}

impl Layer for Dropout {
    fn forward(&mut self, x: &Tensor, pass: &mut Pass) -> Tensor {
        match &mut pass.mode {
            Mode::Training(random) if self.rate > 0.0 => ops::dropout(x, self.rate, random.reserve(x.numel())),
            _ => x.clone(),
        }
    }

    fn elementwise(&self) -> Option<Elementwise> {
        Some(Elementwise::Dropout { rate: self.rate })
    }

    fn parts(&self) -> Vec<Part> {
        Part::of(self, Flow::Kept)
    }
}

/// Noise from N(0, stddev²) added to every value, in training only.
///
/// ```
/// use minimax::nn::{GaussianNoise, Layer, Pass};
/// use minimax::random::{Purpose, Random};
/// use minimax::{Device, Tensor};
///
/// let mut random = Random::new(1, Purpose::DROPOUT);
/// let x = Tensor::zeros([4], Device::Cpu);
/// let y = GaussianNoise { stddev: 0.1 }.forward(&x, &mut Pass::training(&mut random));
/// assert_ne!(y.to_f32(), [0.0; 4]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GaussianNoise {
    /// Its standard deviation.
    pub stddev: f64,
}

impl Layer for GaussianNoise {
    fn forward(&mut self, x: &Tensor, pass: &mut Pass) -> Tensor {
        match &mut pass.mode {
            Mode::Training(random) => x + self.stddev * &ops::random_normal(random, x.shape(), x.device()),
            Mode::Evaluation => x.clone(),
        }
    }

    fn parts(&self) -> Vec<Part> {
        Part::of(self, Flow::Kept)
    }
}

/// How a recipe's upsampling makes a pixel.
///
/// ```
/// use minimax::nn::Resampling;
///
/// assert_eq!(Resampling::default(), Resampling::Nearest);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resampling {
    /// As the pixel that it lies in: [`UpSampling2d`].
    #[default]
    Nearest,
    /// From the four pixels that it lies between: [`BilinearUpSampling2d`].
    Bilinear,
}

/// Nearest-neighbour upsampling, from `[n, h, w, c]` to `[n, h·f, w·f, c]`.
///
/// ```
/// use minimax::nn::{Layer, UpSampling2d};
/// use minimax::{Device, Tensor};
///
/// let x = Tensor::arange(2, Device::Cpu).reshape([1, 1, 2, 1]);
/// assert_eq!(UpSampling2d { factor: 2 }.predict(&x).to_f32(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct UpSampling2d {
    /// f: how many times a pixel is repeated in each direction.
    pub factor: usize,
}

impl Layer for UpSampling2d {
    fn forward(&mut self, x: &Tensor, _: &mut Pass) -> Tensor {
        ops::upsample_nearest(x, self.factor)
    }

    fn parts(&self) -> Vec<Part> {
        Part::of(self, Flow::Kept)
    }
}

/// Bilinear upsampling, from `[n, h, w, c]` to `[n, h·f, w·f, c]`: see [`ops::bilinear`](fn@ops::bilinear).
///
/// ```
/// use minimax::nn::{BilinearUpSampling2d, Layer};
/// use minimax::{Device, Tensor};
///
/// let x = Tensor::arange(2, Device::Cpu).reshape([1, 1, 2, 1]);
/// assert_eq!(BilinearUpSampling2d { factor: 2 }.predict(&x).to_f32()[..4], [0.0, 0.25, 0.75, 1.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BilinearUpSampling2d {
    /// f: how many times higher and wider.
    pub factor: usize,
}

impl Layer for BilinearUpSampling2d {
    fn forward(&mut self, x: &Tensor, _: &mut Pass) -> Tensor {
        let size = size("upsample", x).map(|length| length.saturating_mul(self.factor));
        ops::bilinear(x, size)
    }

    fn parts(&self) -> Vec<Part> {
        Part::of(self, Flow::Kept)
    }
}

/// Bilinear downsampling, from `[n, h, w, c]` to `[n, h/f, w/f, c]`, where h and w are multiples of f: see
/// [`ops::bilinear`](fn@ops::bilinear).
///
/// ```
/// use minimax::nn::{BilinearDownSampling2d, Layer};
/// use minimax::{Device, Tensor};
///
/// let x = Tensor::arange(4, Device::Cpu).reshape([1, 2, 2, 1]);
/// assert_eq!(BilinearDownSampling2d { factor: 2 }.predict(&x).to_f32(), [1.5]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BilinearDownSampling2d {
    /// f: how many times lower and narrower.
    pub factor: usize,
}

impl Layer for BilinearDownSampling2d {
    fn forward(&mut self, x: &Tensor, _: &mut Pass) -> Tensor {
        ops::bilinear(x, size("downsample", x).map(|length| length / self.factor))
    }

    fn parts(&self) -> Vec<Part> {
        Part::of(self, Flow::Kept)
    }
}

/// A row for each example, from `[n, h, w, c]` to `[n, h·w·c]`, in which channels vary fastest. (PyTorch flattens `[c, h, w]`;
/// [`load_as`](super::load_as) turns the weights round that follow.)
///
/// ```
/// use minimax::nn::{Flatten, Layer};
/// use minimax::{Device, Tensor};
///
/// assert_eq!(Flatten.predict(&Tensor::ones([2, 7, 7, 8], Device::Cpu)).dims(), [2, 392]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Flatten;

impl Layer for Flatten {
    fn forward(&mut self, x: &Tensor, _: &mut Pass) -> Tensor {
        let n = batch_size("flatten", x);
        ops::reshape(x, [n, x.numel() / n.max(1)])
    }

    fn parts(&self) -> Vec<Part> {
        Part::of(self, Flow::Flattened)
    }
}

/// Each example in another shape, with the values in the same order: from `[n, ...]` to `[n, shape...]`.
///
/// ```
/// use minimax::nn::{Layer, Reshape};
/// use minimax::{Device, Tensor};
///
/// let mut layer = Reshape { shape: vec![7, 7, 8] };
/// assert_eq!(layer.predict(&Tensor::ones([2, 392], Device::Cpu)).dims(), [2, 7, 7, 8]);
/// ```
#[derive(Clone, Debug)]
pub struct Reshape {
    /// The shape of one example; the pass panics if it holds another number of values than the input's examples.
    pub shape: Vec<usize>,
}

impl Layer for Reshape {
    fn forward(&mut self, x: &Tensor, _: &mut Pass) -> Tensor {
        let shape = [&[batch_size("reshape", x)], &self.shape[..]].concat();
        ops::reshape(x, &shape[..])
    }

    fn parts(&self) -> Vec<Part> {
        let flow = match self.shape[..] {
            [_] => Flow::Flattened,
            [_, _, channels] => Flow::Shaped { channels },
            _ => Flow::Unknown,
        };
        Part::of(self, flow)
    }
}

/// The length of the first axis of `x`.
fn batch_size(layer: &str, x: &Tensor) -> usize {
    let Some(&n) = x.dims().first() else {
        panic!("{layer}: x {} has no batch axis", x.shape());
    };
    n
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};
    use crate::storage::Device;

    #[test]
    fn noise_is_there_in_training_only_and_another_each_time() {
        let x = Tensor::full(2.0, [4000], Device::Reference);
        let mut layer = GaussianNoise { stddev: 0.5 };
        assert_eq!(layer.forward(&x, &mut Pass::evaluation()).to_f64(), x.to_f64());
        let mut random = Random::new(1, Purpose::DROPOUT);
        let [first, second] = [(); 2].map(|()| layer.forward(&x, &mut Pass::training(&mut random)).to_f64());
        assert_ne!(first, second);
        let mean = first.iter().sum::<f64>() / 4000.0;
        let variance = first.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / 4000.0;
        // Four standard deviations of both.
        assert!((mean - 2.0).abs() < 4.0 * 0.5 / 4000f64.sqrt(), "{mean}");
        assert!((variance - 0.25).abs() < 4.0 * 0.25 * (2.0 / 4000f64).sqrt(), "{variance}");
    }
}
