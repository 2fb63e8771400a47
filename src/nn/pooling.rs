//! Pooling layers, and what they are told, in Rust and in a recipe alike.

use super::convolution::{pair, size};
use super::{Flow, Layer, PaddingRule, Pair, Part, Pass};
use crate::ops;
use crate::shape::Padding;
use crate::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// The attributes of a pooling; the defaults are Keras's. Size and stride are `[height, width]`, in TOML one number where
/// both are equal.
///
/// ```
/// use minimax::nn::{MaxPool2d, Pooling};
///
/// let overlapping = Pooling { stride: [2, 2], ..Pooling::new([3, 3]) };
/// assert_eq!(MaxPool2d(overlapping).0, MaxPool2d::new(3).stride(2).0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Keys")]
pub struct Pooling {
    /// Height and width of the window; default: 2.
    #[serde(with = "pair")]
    pub size: [usize; 2],
    /// How far apart the window's positions are; default: the size.
    #[serde(with = "pair")]
    pub stride: [usize; 2],
    /// What is added around the input; it is left out of a window's maximum or mean. Default: `valid`.
    pub padding: PaddingRule,
}

/// What a recipe says of one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    #[serde(with = "pair", default = "twos")]
    size: [usize; 2],
    #[serde(default)]
    stride: Option<Stride>,
    #[serde(default = "valid")]
    padding: PaddingRule,
}

#[derive(Deserialize)]
struct Stride(#[serde(with = "pair")] [usize; 2]);

fn twos() -> [usize; 2] {
    [2, 2]
}

fn valid() -> PaddingRule {
    PaddingRule::Valid
}

impl From<Keys> for Pooling {
    fn from(keys: Keys) -> Pooling {
        let Keys { size, stride, padding } = keys;
        Pooling { size, stride: stride.map_or(size, |Stride(stride)| stride), padding }
    }
}

impl Pooling {
    /// Windows of height and width `size` side by side, without padding.
    pub fn new(size: [usize; 2]) -> Pooling {
        Pooling { size, stride: size, padding: valid() }
    }

    /// The padding around an image of `[height, width]`: see [`PaddingRule::sides`].
    pub fn sides(&self, image: [usize; 2]) -> Padding {
        self.padding.sides(image, self.size, self.stride)
    }
}

/// The largest value of each window, from `[n, h, w, c]` to `[n, out_h, out_w, c]`: [`ops::max_pool2d`](fn@ops::max_pool2d).
///
/// ```
/// use minimax::nn::{Layer, MaxPool2d};
/// use minimax::{Device, Tensor};
///
/// let x = Tensor::arange(16, Device::Cpu).reshape([1, 4, 4, 1]);
/// assert_eq!(MaxPool2d::new(2).predict(&x).to_f32(), [5.0, 7.0, 13.0, 15.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct MaxPool2d(pub Pooling);

impl MaxPool2d {
    /// Windows of this size side by side, without padding.
    pub fn new(size: impl Into<Pair>) -> MaxPool2d {
        MaxPool2d(Pooling::new(size.into().0))
    }

    /// The layer with its windows `stride` apart.
    pub fn stride(mut self, stride: impl Into<Pair>) -> MaxPool2d {
        self.0.stride = stride.into().0;
        self
    }

    /// The layer with this padding; the pass panics if it isn't less than the window on every side.
    pub fn padding(mut self, padding: PaddingRule) -> MaxPool2d {
        self.0.padding = padding;
        self
    }
}

impl Layer for MaxPool2d {
    fn forward(&mut self, x: &Tensor, _: &mut Pass) -> Tensor {
        let Pooling { size: window, stride, .. } = self.0;
        ops::max_pool2d(x, window, stride, self.0.sides(size("max_pool", x)))
    }

    fn parts(&self) -> Vec<Part> {
        Part::of(self, Flow::Kept)
    }
}

/// The mean of each window, from `[n, h, w, c]` to `[n, out_h, out_w, c]`: [`ops::avg_pool2d`](fn@ops::avg_pool2d).
///
/// ```
/// use minimax::nn::{AveragePool2d, Layer};
/// use minimax::{Device, Tensor};
///
/// let x = Tensor::arange(16, Device::Cpu).reshape([1, 4, 4, 1]);
/// assert_eq!(AveragePool2d::new(2).predict(&x).to_f32(), [2.5, 4.5, 10.5, 12.5]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AveragePool2d(pub Pooling);

impl AveragePool2d {
    /// Windows of this size side by side, without padding.
    pub fn new(size: impl Into<Pair>) -> AveragePool2d {
        AveragePool2d(Pooling::new(size.into().0))
    }

    /// The layer with its windows `stride` apart.
    pub fn stride(mut self, stride: impl Into<Pair>) -> AveragePool2d {
        self.0.stride = stride.into().0;
        self
    }

    /// The layer with this padding; the pass panics if it isn't less than the window on every side.
    pub fn padding(mut self, padding: PaddingRule) -> AveragePool2d {
        self.0.padding = padding;
        self
    }
}

impl Layer for AveragePool2d {
    fn forward(&mut self, x: &Tensor, _: &mut Pass) -> Tensor {
        let Pooling { size: window, stride, .. } = self.0;
        ops::avg_pool2d(x, window, stride, self.0.sides(size("average_pool", x)))
    }

    fn parts(&self) -> Vec<Part> {
        Part::of(self, Flow::Kept)
    }
}

/// The mean of each channel over the whole image, from `[n, h, w, c]` to `[n, c]`.
///
/// ```
/// use minimax::nn::{GlobalAveragePool2d, Layer};
/// use minimax::{Device, Tensor};
///
/// let x = Tensor::arange(4, Device::Cpu).reshape([1, 2, 2, 1]);
/// assert_eq!(GlobalAveragePool2d.predict(&x).to_f32(), [1.5]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct GlobalAveragePool2d;

impl Layer for GlobalAveragePool2d {
    fn forward(&mut self, x: &Tensor, _: &mut Pass) -> Tensor {
        let window = size("global_average_pool", x);
        let means = ops::avg_pool2d(x, window, window, Padding::VALID);
        ops::reshape(&means, [x.dims()[0], x.dims()[3]])
    }

    fn parts(&self) -> Vec<Part> {
        Part::of(self, Flow::Pooled)
    }
}
