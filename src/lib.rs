//! A tensor and autodiff engine written from nothing, with handwritten kernels, and the generative
//! adversarial networks built on it.
//!
//! ```
//! use minimax::{Device, Tensor, grad, ops};
//!
//! let x = Tensor::new(&[1.0, 2.0, 3.0], [3], Device::Cpu).parameter();
//! let cubes = &ops::square(&x) * &x;
//! let loss = ops::sum(&cubes, &[0]);
//!
//! let first = grad(&loss, &[&x], true); // 3x², itself recorded
//! assert_eq!(first[0].to_f64(), [3.0, 12.0, 27.0]);
//! let second = grad(&ops::sum(&first[0], &[0]), &[&x], false); // 6x
//! assert_eq!(second[0].to_f64(), [6.0, 12.0, 18.0]);
//! ```
//!
//! # To read it in an evening
//!
//! 1. [`tensor`]: a shape, values on a device, and how they came to be ([`shape`], [`storage`]).
//! 2. [`autograd`]: what an op records, and the walk that turns it into gradients.
//! 3. One op: [`ops::conv2d`](mod@ops::conv2d), its formula and derivative rule in `mod.rs`, the
//!    plainest loops in `reference.rs`, the fast kernel in `cpu.rs`, the launcher of the CUDA kernel in
//!    `cuda.rs`. Every op with a kernel of its own is laid out like it, and what takes one number or two
//!    is a row of a table ([`ops`]); [`cpu`] and [`cuda`] have what the kernels share.
//! 4. A layer: [`nn::Conv2d`], an op with its parameters, and [`nn::Sequential`]; [`optim`]
//!    changes those parameters.
//! 5. A step of the game: [`gan::model::Gan::step`], for networks that a [`recipe`]
//!    describes.
//!
//! Then [`check`], which holds every op to the reference and to finite differences, and
//! [`run`], which makes a step a training run. [`random`] is why the same seed gives the same
//! bits with any number of threads, [`profile`] where its time goes.

#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod autograd;
pub mod check;
#[cfg(feature = "app")]
pub mod cli;
pub mod cpu;
pub mod cuda;
pub mod data;
pub mod error;
#[cfg(feature = "gan")]
pub mod export;
pub mod files;
#[cfg(feature = "gan")]
pub mod gan;
pub mod limits;
pub mod memory;
#[cfg(feature = "gan")]
pub mod metrics;
pub mod nn;
pub mod ops;
pub mod optim;
pub mod profile;
pub mod random;
#[cfg(feature = "gan")]
pub mod recipe;
#[cfg(feature = "gan")]
pub mod report;
#[cfg(feature = "gan")]
pub mod run;
pub mod shape;
pub mod storage;
#[cfg(feature = "app")]
pub mod sweep;
pub mod tensor;
pub mod terminal;
pub mod unwind;

pub use autograd::{grad, no_grad};
pub use error::{Error, Result};
pub use shape::{Padding, Shape};
pub use storage::Device;
pub use tensor::Tensor;
