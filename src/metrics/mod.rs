//! How good samples are, by numbers that need no trained network.

mod nearest_class;
mod points;
mod sliced_wasserstein;

pub use nearest_class::{ClassShares, nearest_classes};
pub use points::Points;
pub use sliced_wasserstein::sliced_wasserstein;

use crate::random::Purpose;

/// Random numbers for which images samples are compared with, and along which directions.
pub const COMPARISON: Purpose = Purpose::new(10);
