//! The length of a moving average of the generator's weights.

use super::sizes::{check_number, check_positive};
use serde::{Deserialize, Serialize};
use std::f64::consts::LN_2;

/// A moving average of the generator's weights (see [`crate::gan::average`]). Its length is given by one of two keys,
/// `half_life` or `decay`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct AverageSpec {
    /// The number of images after which weights count half.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half_life: Option<f64>,
    /// The share of the average that is kept in an update of the generator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay: Option<f64>,
    /// The half-life is at most this share of the training so far; default: 0.05. 0 means no warm-up.
    #[serde(default = "warm_up")]
    pub warm_up: f64,
}

impl AverageSpec {
    /// An average of which an update keeps the share `decay`, with the usual warm-up.
    pub fn of_decay(decay: f64) -> AverageSpec {
        AverageSpec { half_life: None, decay: Some(decay), warm_up: warm_up() }
    }

    /// The number of updates, on batches of this size, after which weights count half.
    ///
    /// # Panics
    /// If neither key is given.
    pub fn updates(&self, batch_size: usize) -> f64 {
        match (self.half_life, self.decay) {
            (Some(images), None) => images / batch_size as f64,
            (None, Some(decay)) => -LN_2 / libm::log(decay),
            _ => panic!("a checked average has either a half-life or a decay"),
        }
    }

    /// Checks every number, and that exactly one of the two keys is given.
    pub(super) fn check(&self) -> Result<(), String> {
        match (self.half_life, self.decay) {
            (Some(images), None) => check_positive("training.average.half_life", images)?,
            (None, Some(decay)) => {
                let is_share = 0.0 < decay && decay < 1.0;
                check_number("training.average.decay", decay, is_share, "between 0 and 1")?;
            }
            _ => return Err("training.average: give either half_life, in images, or decay, of an update".into()),
        }
        let warm_up = self.warm_up;
        check_number("training.average.warm_up", warm_up, (0.0..=1.0).contains(&warm_up), "in [0, 1]")
    }
}

fn warm_up() -> f64 {
    0.05
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decay_and_a_half_life_are_two_ways_to_say_one_thing() {
        let spec = |half_life, decay| AverageSpec { half_life, decay, warm_up: 0.0 };
        assert_eq!(spec(Some(640.0), None).updates(64), 10.0);
        assert!((spec(None, Some(0.5)).updates(64) - 1.0).abs() < 1e-12);
        // As 2^(-1 / 692.8) is.
        assert!((spec(None, Some(0.999)).updates(1) - 692.8).abs() < 0.1);
    }
}
