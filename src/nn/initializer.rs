//! How weights start.
//!
//! | | distribution | from |
//! |---|---|---|
//! | Glorot uniform | U(-l, l), l = √(6 / (fan_in + fan_out)) | Glorot and Bengio, 2010 |
//! | Glorot normal | N(0, 2 / (fan_in + fan_out)) | the same |
//! | He uniform | U(-l, l), l = √(6 / fan_in) | He, Zhang, Ren and Sun, 2015 |
//! | He normal | N(0, 2 / fan_in) | the same |
//! | truncated normal | N(0, σ²), values beyond 2σ drawn again | |
//!
//! The fans are Keras's, which are read off the kernel's shape: the last two axes, each times all the axes
//! before them.
//!
//! | layer | kernel | fan_in | fan_out |
//! |---|---|---|---|
//! | dense | `[inputs, units]` | inputs | units |
//! | convolution | `[kh, kw, c_in, c_out]` | kh · kw · c_in | kh · kw · c_out |
//! | transposed convolution | `[kh, kw, c_out, c_in]` | kh · kw · c_out | kh · kw · c_in |
//!
//! In groups, `c_in` of a convolution and `c_out` of a transposed one are those of a group. So the fan-in of a transposed convolution counts the channels of its *output*, as PyTorch's does too (PyTorch's
//! own default initialisation differs in other ways). With stride s, a value of the output is a sum over about
//! kh · kw · c_in / s² values of the input, which neither of the two looks at. Biases start at zero, the γ of a
//! batch norm at one and its β at zero, whatever the initialiser.
//!
//! Keras draws its two normal ones with values beyond two standard deviations left out, and widened so that the
//! standard deviation of what is left is the same as here.

use crate::random::Random;
use crate::shape::Shape;
use crate::storage::Device;
use crate::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// The distribution that weights are drawn from. In a recipe: `"glorot_uniform"`, `"glorot_normal"`,
/// `"he_uniform"`, `"he_normal"`, `"zeros"`, `{ normal = { stddev = 0.02 } }` or
/// `{ truncated_normal = { stddev = 0.02 } }`.
///
/// ```
/// use minimax::nn::{Dense, Initializer, Layer};
///
/// let layer = Dense::new(100, 50).initializer(Initializer::Normal { stddev: 0.02 });
/// assert!(layer.parameters()[0].to_f32().iter().all(|w| w.abs() < 0.2));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Initializer {
    /// Glorot uniform.
    #[default]
    GlorotUniform,
    /// Glorot normal.
    GlorotNormal,
    /// He uniform.
    HeUniform,
    /// He normal.
    HeNormal,
    /// Normal.
    Normal {
        /// Its standard deviation.
        stddev: f64,
    },
    /// Normal, with values beyond two standard deviations drawn again.
    TruncatedNormal {
        /// The standard deviation before truncation.
        stddev: f64,
    },
    /// All zero.
    Zeros,
}

impl Initializer {
    // ANCHOR: sample
    /// Weights of `shape`, which is that of a layer's kernel in the table above, drawn from `random` and rounded to f32, so
    /// that every device starts alike.
    pub fn sample(self, shape: Shape, random: &mut Random, device: Device) -> Tensor {
        let [fan_in, fan_out] = fans(shape);
        let values = match self {
            Initializer::GlorotUniform => uniform(6.0 / (fan_in + fan_out), shape, random),
            Initializer::GlorotNormal => normal((2.0 / (fan_in + fan_out)).sqrt(), shape, random),
            Initializer::HeUniform => uniform(6.0 / fan_in, shape, random),
            Initializer::HeNormal => normal((2.0 / fan_in).sqrt(), shape, random),
            Initializer::Normal { stddev } => normal(stddev, shape, random),
            Initializer::TruncatedNormal { stddev } => truncated_normal(stddev, shape, random),
            Initializer::Zeros => vec![0.0; shape.numel()],
        };
        Tensor::from_f32(&values, shape, device)
    }
    // ANCHOR_END: sample
}

/// `[fan_in, fan_out]` of a kernel of `shape`, as Keras has them: see the module. A vector has its length as both.
fn fans(shape: Shape) -> [f64; 2] {
    let fans = match *shape.dims() {
        [] => [1, 1],
        [n] => [n, n],
        [ref window @ .., a, b] => {
            let window: usize = window.iter().product();
            [window * a, window * b]
        }
    };
    fans.map(|fan| fan as f64)
}

/// U(-l, l) with l² = `limit_squared`.
fn uniform(limit_squared: f64, shape: Shape, random: &mut Random) -> Vec<f32> {
    let limit = limit_squared.sqrt();
    let mut values = Vec::with_capacity(shape.numel());
    for length in chunks(shape.numel()) {
        let drawn = random.uniform(length).into_iter();
        values.extend(drawn.map(|u| ((2.0 * u - 1.0) * limit) as f32));
    }
    values
}

/// N(0, `stddev`²).
fn normal(stddev: f64, shape: Shape, random: &mut Random) -> Vec<f32> {
    let mut values = Vec::with_capacity(shape.numel());
    for length in chunks(shape.numel()) {
        let drawn = random.normal(length).into_iter();
        values.extend(drawn.map(|v| (v * stddev) as f32));
    }
    values
}

/// N(0, `stddev`²) without what lies beyond 2 · `stddev`: as many rounds as it takes, each as long as what is
/// missing.
fn truncated_normal(stddev: f64, shape: Shape, random: &mut Random) -> Vec<f32> {
    let count = shape.numel();
    let mut values = Vec::with_capacity(count);
    while values.len() < count {
        for length in chunks(count - values.len()) {
            let drawn = random.normal(length).into_iter();
            let kept = drawn.filter(|v| v.abs() <= 2.0);
            values.extend(kept.map(|v| (v * stddev) as f32));
        }
    }
    values
}

/// `count` in parts that are small beside a layer's weights, so that what is drawn takes no memory to speak
/// of. Each but the last is of whole blocks of random numbers: the numbers are the same as in one go.
fn chunks(count: usize) -> impl Iterator<Item = usize> {
    const CHUNK: usize = 1 << 14;
    (0..count).step_by(CHUNK).map(move |at| CHUNK.min(count - at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    /// The standard deviation of `values` about 0, and the largest of their absolute values.
    fn spread(values: &[f64]) -> [f64; 2] {
        let squares: f64 = values.iter().map(|v| v * v).sum();
        let largest = values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        [(squares / values.len() as f64).sqrt(), largest]
    }

    #[test]
    fn weights_have_the_spread_that_the_formulas_say() {
        use Initializer::*;
        let mut random = Random::new(4, Purpose::CHECK);
        let mut sampled = |initializer: Initializer| {
            let w = initializer.sample([200, 300].into(), &mut random, Device::Reference);
            spread(&w.to_f64())
        };
        // A normal cut at two standard deviations keeps 0.8796 of its own.
        let cut = TruncatedNormal { stddev: 0.02 };
        for (initializer, stddev, limit) in [
            (GlorotUniform, (2.0f64 / 500.0).sqrt(), (6.0f64 / 500.0).sqrt()),
            (GlorotNormal, (2.0f64 / 500.0).sqrt(), f64::INFINITY),
            (HeUniform, 0.1, 0.03f64.sqrt()),
            (HeNormal, 0.1, f64::INFINITY),
            (Normal { stddev: 0.02 }, 0.02, f64::INFINITY),
            (cut, 0.02 * 0.8796, 0.04 + 1e-9),
        ] {
            let [found, largest] = sampled(initializer);
            assert!((found / stddev - 1.0).abs() < 0.01 && largest <= limit, "{initializer:?}: {found}, {largest}");
        }
        assert_eq!(sampled(Zeros)[1], 0.0);
    }

    /// What Keras 3.15 (`compute_fans`) gives for these shapes.
    #[test]
    fn fans_are_those_of_keras() {
        for (shape, expected) in [
            (&[100, 784][..], [100.0, 784.0]),
            (&[5, 5, 16, 128], [400.0, 3200.0]),
            (&[3, 4, 1, 64], [12.0, 768.0]),
            (&[7], [7.0, 7.0]),
            (&[], [1.0, 1.0]),
        ] {
            assert_eq!(fans(Shape::new(shape)), expected, "{shape:?}");
        }
    }

    /// The numbers are those of Keras 3.15's layers of these sizes, to the three digits that so many draws fix.
    #[test]
    fn every_kind_of_layer_hands_over_its_fans() {
        use crate::nn::{Conv2d, ConvTranspose2d, Convolution, Dense, Layer};
        use Initializer::*;
        let random = &mut Random::new(5, Purpose::CHECK);
        let device = Device::Reference;
        let mut spread_of = |kind: &str, initializer| {
            let layer: Box<dyn Layer> = match kind {
                "dense" => Box::new(Dense::from_random(256, 400, false, initializer, random, device)),
                "conv2d" => {
                    Box::new(Conv2d::from_random(16, &Convolution::new(128, [5, 5]), initializer, random, device))
                }
                _ => Box::new(ConvTranspose2d::from_random(
                    16,
                    &Convolution::new(128, [5, 5]),
                    initializer,
                    random,
                    device,
                )),
            };
            spread(&layer.variables()[0].tensor.to_f64())[0]
        };
        for (kind, initializer, stddev) in [
            ("dense", HeNormal, 0.0884),
            ("dense", HeUniform, 0.0884),
            ("dense", GlorotUniform, 0.0552),
            ("dense", GlorotNormal, 0.0552),
            ("conv2d", HeNormal, 0.0707),
            ("conv2d", HeUniform, 0.0707),
            ("conv2d", GlorotUniform, 0.0236),
            ("conv2d", GlorotNormal, 0.0236),
            ("conv_transpose2d", HeNormal, 0.0250),
            ("conv_transpose2d", HeUniform, 0.0250),
            ("conv_transpose2d", GlorotUniform, 0.0236),
            ("conv_transpose2d", GlorotNormal, 0.0236),
        ] {
            let found = spread_of(kind, initializer);
            assert!((found / stddev - 1.0).abs() < 0.015, "{kind}, {initializer:?}: {found}, not {stddev}");
        }
    }
}
