//! One after the other.

use crate::ops::dropout;
use crate::ops::leaky_relu::{self, Rectifier};

/// dropout(leaky_relu(z + bias)), the bias along the last axis.
pub fn finish(mut z: Vec<f64>, bias: Option<&[f64]>, rectifier: &Rectifier) -> Vec<f64> {
    if let Some(bias) = bias {
        z.iter_mut().enumerate().for_each(|(i, z)| *z += bias[i % bias.len()]);
    }
    let y = leaky_relu::reference::leaky_relu(&z, rectifier.slope);
    match &rectifier.mask {
        Some(mask) => dropout::reference::dropout(&y, mask),
        None => y,
    }
}
