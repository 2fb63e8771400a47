//! How weights start.
//!
//! | | distribution | from |
//! |---|---|---|
//! | Glorot uniform | U(-l, l), l = √(6 / (fan_in + fan_out)) | Glorot and Bengio, 2010 |
//! | He normal | N(0, 2 / fan_in) | He, Zhang, Ren and Sun, 2015 |
//! | truncated normal | N(0, σ²), values beyond 2σ drawn again | |

use crate::random::Random;
use crate::shape::Shape;
use crate::storage::Device;
use crate::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// The distribution that weights are drawn from. In a recipe: `"glorot_uniform"`, `"he_normal"`,
/// `"zeros"`, `{ normal = { stddev = 0.02 } }` or `{ truncated_normal = { stddev = 0.02 } }`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Initializer {
    /// Glorot uniform.
    #[default]
    GlorotUniform,
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
    /// Weights of `shape` for a layer with these `[fan_in, fan_out]`, rounded to f32 so that every
    /// device starts alike.
    pub fn draw(
        self,
        shape: Shape,
        [fan_in, fan_out]: [usize; 2],
        random: &mut Random,
        device: Device,
    ) -> Tensor {
        let count = shape.numel();
        let mut values: Vec<f32> = Vec::with_capacity(count);
        match self {
            Initializer::GlorotUniform => {
                let limit = (6.0 / (fan_in + fan_out) as f64).sqrt();
                for length in chunks(count) {
                    let drawn = random.uniform(length).into_iter();
                    values.extend(drawn.map(|u| ((2.0 * u - 1.0) * limit) as f32));
                }
            }
            Initializer::HeNormal => {
                let stddev = (2.0 / fan_in as f64).sqrt();
                return Initializer::Normal { stddev }.draw(
                    shape,
                    [fan_in, fan_out],
                    random,
                    device,
                );
            }
            Initializer::Normal { stddev } => {
                for length in chunks(count) {
                    let drawn = random.normal(length).into_iter();
                    values.extend(drawn.map(|v| (v * stddev) as f32));
                }
            }
            // As many rounds as it takes, each as long as what is missing.
            Initializer::TruncatedNormal { stddev } => {
                while values.len() < count {
                    for length in chunks(count - values.len()) {
                        let drawn = random.normal(length).into_iter();
                        let kept = drawn.filter(|v| v.abs() <= 2.0);
                        values.extend(kept.map(|v| (v * stddev) as f32));
                    }
                }
            }
            Initializer::Zeros => values.resize(count, 0.0),
        }
        Tensor::from_f32(&values, shape, device)
    }
}

/// `count` in parts that are small beside a layer's weights, so that what is drawn takes no memory to speak
/// of. Each but the last is of whole blocks of random numbers: the numbers are the same as in one go.
fn chunks(count: usize) -> impl Iterator<Item = usize> {
    const CHUNK: usize = 1 << 14;
    (0..count)
        .step_by(CHUNK)
        .map(move |at| CHUNK.min(count - at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn weights_have_the_spread_that_the_formulas_say() {
        let mut random = Random::new(4, Purpose::Check);
        let mut deviation = |initializer: Initializer| {
            let w = initializer.draw(
                [200, 300].into(),
                [200, 300],
                &mut random,
                Device::Reference,
            );
            let w = w.to_f64();
            let largest = w.iter().fold(0.0f64, |m, v| m.max(v.abs()));
            (
                (w.iter().map(|v| v * v).sum::<f64>() / w.len() as f64).sqrt(),
                largest,
            )
        };
        let limit = (6.0f64 / 500.0).sqrt();
        let (std, largest) = deviation(Initializer::GlorotUniform);
        assert!((std - limit / 3f64.sqrt()).abs() < 0.01 * limit && largest <= limit);
        let (std, _) = deviation(Initializer::HeNormal);
        assert!((std - 0.1).abs() < 1e-3);
        let (std, largest) = deviation(Initializer::TruncatedNormal { stddev: 0.02 });
        // A normal cut at two standard deviations keeps 0.8796 of its own.
        assert!((std - 0.02 * 0.8796).abs() < 2e-4 && largest <= 0.04 + 1e-9);
        assert_eq!(deviation(Initializer::Zeros).1, 0.0);
    }
}
