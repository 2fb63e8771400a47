//! What can be done to tensors, one stem per op family.
//!
//! A stem has its public function with the formula, the shape check, the choice of device and the derivative rule in
//! `mod.rs`, the plainest right loops in `reference.rs` and the fast kernel in `cpu.rs`. Where a stem is one file, it
//! is a table of scalar functions or is made of other ops and has no kernel of its own.

pub mod batch_norm;
pub mod binary;
pub mod broadcast;
pub mod concat;
pub mod conv2d;
pub mod conv2d_weight_grad;
pub mod conv_transpose2d;
pub mod dense;
pub mod dropout;
pub mod leaky_relu;
pub mod loss;
pub mod matmul;
pub mod max;
pub mod pad;
pub mod permute;
pub mod reshape;
pub mod slice;
pub mod sum;
pub mod unary;
pub mod upsample;

pub use batch_norm::{batch_norm, batch_norm_evaluate};
pub use binary::{add, clamp, div, equal, greater, greater_equal, maximum, minimum, mul, sub};
pub use broadcast::broadcast_to;
pub use concat::concat;
pub use conv_transpose2d::conv_transpose2d;
pub use conv2d::conv2d;
pub use conv2d_weight_grad::conv2d_weight_grad;
pub use dense::dense;
pub use dropout::dropout;
pub use leaky_relu::{leaky_relu, relu};
pub use loss::{
    binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy, log_softmax,
    mean_squared_error, wasserstein,
};
pub use matmul::{Transpose, matmul};
pub use max::max;
pub use pad::pad;
pub use permute::permute;
pub use reshape::reshape;
pub use slice::slice;
pub use sum::{mean, sum, sum_to};
pub use unary::{abs, exp, log, neg, sigmoid, softplus, sqrt, square, tanh};
pub use upsample::{upsample_nearest, upsample_nearest_grad};

use crate::tensor::Tensor;

/// The end of a `match` on storages that holds only when every input is on one device.
///
/// # Panics
/// Always, with the op's name and its inputs.
fn different_devices(op: &str, inputs: &[&Tensor]) -> ! {
    panic!("{op}: the inputs must be on one device: {inputs:?}")
}
