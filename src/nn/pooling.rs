//! Pooling layers, and what they are told, in Rust and in a recipe alike.

use super::convolution::{pair, size};
use super::{Flow, Layer, PaddingRule, Pair, Part, Pass};
use crate::ops;
use crate::shape::Padding;
use crate::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// The attributes of a pooling; the defaults are Keras's. Size and stride are `[height, width]`, in TOML one number where
/// both are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Keys")]
pub struct Pooling {
    /// Height and width of the window; default: 2.
    #[serde(with = "pair")]
    pub size: [usize; 2],
    /// How far apart the window's positions are; default: the size.
    #[serde(with = "pair")]
    pub stride: [usize; 2],
    /// Around the input; what a window has of it counts for nothing. Default: `valid`.
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
    /// By windows of height and width `size` side by side, without padding.
    pub fn new(size: [usize; 2]) -> Pooling {
        Pooling { size, stride: size, padding: valid() }
    }

    /// The padding around an image of `[height, width]`: see [`PaddingRule::sides`].
    pub fn sides(&self, image: [usize; 2]) -> Padding {
        self.padding.sides(image, self.size, self.stride)
    }
}

/// The largest value of each window of `[n, h, w, c]`: [`ops::max_pool2d`](fn@ops::max_pool2d).
#[derive(Clone, Copy, Debug)]
pub struct MaxPool2d(pub Pooling);

impl MaxPool2d {
    /// Of windows of this size side by side, without padding.
    pub fn new(size: impl Into<Pair>) -> MaxPool2d {
        MaxPool2d(Pooling::new(size.into().0))
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

/// The mean of each window of `[n, h, w, c]`: [`ops::avg_pool2d`](fn@ops::avg_pool2d).
#[derive(Clone, Copy, Debug)]
pub struct AveragePool2d(pub Pooling);

impl AveragePool2d {
    /// Of windows of this size side by side, without padding.
    pub fn new(size: impl Into<Pair>) -> AveragePool2d {
        AveragePool2d(Pooling::new(size.into().0))
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

/// The mean of each channel over the whole image: `[n, h, w, c]` to `[n, c]`.
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
