//! A tensor and autodiff engine with handwritten kernels, and the GANs built on it.
#![warn(missing_docs)]

pub mod cli;
pub mod data;
pub mod error;
pub mod files;
pub mod random;
pub mod report;

pub use error::{Error, Result};
