//! The augmentation of what the discriminator sees.

use super::sizes::{check_number, check_positive};
use crate::unsaid::is_false;
use serde::{Deserialize, Serialize};

/// Augmentation of all that the discriminator sees, real and fake (see [`crate::gan::augment`]).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct AugmentSpec {
    /// Brightness, saturation and contrast.
    #[serde(default, skip_serializing_if = "is_false")]
    pub color: bool,
    /// Translation by up to an eighth of the sides.
    #[serde(default, skip_serializing_if = "is_false")]
    pub translation: bool,
    /// Cutout of a square of half the sides.
    #[serde(default, skip_serializing_if = "is_false")]
    pub cutout: bool,
    /// With a target, each is applied with a probability that adapts: it rises while the share of real images on which
    /// the discriminator's output is positive, less the share on which it is negative, is above the target, and falls
    /// while it is below. Default: each is always applied. The paper's target is 0.6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
    /// The number of images in which the probability can go from 0 to 1; default: 500,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<f64>,
}

impl AugmentSpec {
    pub(super) fn check(&self) -> Result<(), String> {
        if !(self.color || self.translation || self.cutout) {
            return Err("training.augment does nothing; set color, translation or cutout to true".into());
        }
        if let Some(target) = self.target {
            check_number("training.augment.target", target, (-1.0..=1.0).contains(&target), "in [-1, 1]")?;
        }
        match (self.images, self.target) {
            (Some(_), None) => Err("training.augment.images is for a target, and there is none; remove it".into()),
            _ => check_positive("training.augment.images", self.images()),
        }
    }

    /// The number of images in which the probability can go from 0 to 1.
    pub fn images(&self) -> f64 {
        self.images.unwrap_or(500_000.0)
    }
}
