//! A tensor and autodiff engine with handwritten kernels, and the GANs built on it.
#![warn(missing_docs)]

pub mod autograd;
pub mod check;
pub mod cli;
pub mod cpu;
pub mod error;
pub mod ops;
pub mod random;
pub mod shape;
pub mod storage;
pub mod tensor;

pub use autograd::{grad, no_grad};
pub use error::{Error, Result};
pub use shape::{Padding, Shape};
pub use storage::Device;
pub use tensor::Tensor;
