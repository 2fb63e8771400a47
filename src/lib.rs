//! A tensor and autodiff engine written from scratch, with handwritten kernels, and generative
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
//! # To read the code in an evening
//!
//! About 2,000 lines, in this order. Everything that isn't named can be skipped; nothing here depends on it.
//!
//! 1. [`tensor`]: a shape, values on a device, and how they were computed. (`src/tensor.rs`, 242 lines; it is enough to
//!    know that [`shape`] and [`storage`] exist.)
//! 2. [`ops::unary`]: one op is one row of a table, its function on each device and its derivative. (The first 57
//!    lines of `src/ops/unary.rs`, and from `apply` to its end; the other rows are like these.)
//! 3. [`autograd`]: what an op records, and the walk that turns it into gradients, with a graph worked out in numbers.
//!    (`src/autograd/mod.rs`, 298 lines, and `src/autograd/walk.rs`, 193 lines.)
//! 4. [`ops::binary`]: two inputs, which may be stretched to one shape. (The first 104 lines of `src/ops/binary.rs`,
//!    then `apply` and the `impl Op`, which stretch the inputs and sum their gradients back.)
//! 5. [`ops::matmul`](mod@ops::matmul): a product, whose derivatives are products too. (`src/ops/matmul/mod.rs`, 87
//!    lines, and `src/ops/matmul/reference.rs`, 22 lines.)
//! 6. [`ops::conv2d`](mod@ops::conv2d): the formula, and the plainest loops that follow it. (`src/ops/conv2d/mod.rs`,
//!    105 lines, and `src/ops/conv2d/reference.rs`, 43 lines. Stop there: `cpu.rs` uses 4,400 lines of [`cpu`] that
//!    do the same fast, and `cuda.rs` those of [`cuda`].)
//! 7. [`nn::Dense`] and [`nn::Sequential`]: an op with its parameters, and layers one after the other.
//!    (`src/nn/mod.rs`, 167 lines, `src/nn/dense.rs`, 84 lines, `src/nn/sequential.rs`, 102 lines, and the first 46
//!    lines of `src/nn/fusion.rs`, where the loop is.)
//! 8. [`optim::Adam`]: the formula and its `reference`. (The first 73 lines of `src/optim/adam.rs`.)
//! 9. [`gan::loss`]: what each network minimises. (`src/gan/loss.rs`, 186 lines.)
//! 10. [`gan::step`]: one step of the game. (`src/gan/step.rs`, 166 lines; D's part in it is in
//!     `src/gan/judgement.rs`.)
//!
//! Then, if you want more: [`check`] compares every op with the reference and with finite differences; [`recipe`] says
//! which networks play, and [`run`] turns steps into a training run; with [`random`] the same seed gives the same bits
//! for any number of threads; [`profile`] shows where the time goes; [`ops`] has all derivative rules in one table.
//! In [`exercise`] are pieces of the engine to write yourself, and their grader.
//!
//! # Features
//!
//! With `--no-default-features` the crate is only the engine: tensors, autodiff, ops, layers, optimisers, checks, and
//! readers of IDX files and of folders of PNG and JPEG pictures. `gan` adds recipes, games, runs, metrics, reports and
//! exports, and `app`, the default, the command.

#![cfg_attr(not(feature = "app"), allow(rustdoc::broken_intra_doc_links))]
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod autograd;
pub mod check;
#[cfg(feature = "app")]
pub mod cli;
pub mod cpu;
pub mod cuda;
pub mod data;
mod display;
pub mod error;
#[cfg(feature = "app")]
pub mod exercise;
#[cfg(feature = "gan")]
pub mod export;
pub mod files;
#[cfg(feature = "gan")]
pub mod gan;
#[cfg(feature = "gan")]
pub mod judge;
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
pub mod unsaid;
pub mod unwind;
#[cfg(feature = "gan")]
pub mod weights;

pub use autograd::{grad, no_grad};
pub use error::{Error, Result};
pub use shape::{Padding, Shape};
pub use storage::Device;
pub use tensor::Tensor;

/// The code in the book's chapters, run as these examples are.
#[cfg(doctest)]
mod book {
    #[doc = include_str!("../docs/book/src/introduction.md")]
    mod introduction {}
    #[doc = include_str!("../docs/book/src/01-tensors.md")]
    mod tensors {}
    #[doc = include_str!("../docs/book/src/02-reverse-mode.md")]
    mod reverse_mode {}
    #[doc = include_str!("../docs/book/src/03-gradients-of-gradients.md")]
    mod gradients_of_gradients {}
    #[doc = include_str!("../docs/book/src/04-how-to-be-sure.md")]
    mod how_to_be_sure {}
    #[doc = include_str!("../docs/book/src/05-convolution.md")]
    mod convolution {}
    #[doc = include_str!("../docs/book/src/06-batch-norm.md")]
    mod batch_norm {}
    #[doc = include_str!("../docs/book/src/07-dropout-initialisers-adam.md")]
    mod dropout_initialisers_adam {}
    #[cfg(feature = "gan")]
    #[doc = include_str!("../docs/book/src/08-the-game.md")]
    mod the_game {}
    #[doc = include_str!("../docs/book/src/09-making-a-product-fast.md")]
    mod making_a_product_fast {}
    #[doc = include_str!("../docs/book/src/10-winograd.md")]
    mod winograd {}
    #[doc = include_str!("../docs/book/src/11-gpu.md")]
    mod gpu {}
    #[cfg(feature = "gan")]
    #[doc = include_str!("../docs/book/src/12-how-good.md")]
    mod how_good {}
}
