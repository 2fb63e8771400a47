//! A tensor and autodiff engine with handwritten kernels, and the GANs built on it.
#![warn(missing_docs)]

pub mod cli;
pub mod error;
pub mod gan;
pub mod random;

pub use error::{Error, Result};
