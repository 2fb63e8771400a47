//! The operations on tensors, or ops. Each family of them is a module, called a stem.
//!
//! A stem is a folder, such as [`conv2d`](mod@conv2d):
//!
//! - `mod.rs` has the public function with its formula, the check of the shapes, the choice of device and the
//!   derivative rule;
//! - `reference.rs` has the plainest loops that are right ([`conv2d::reference`]);
//! - `cpu.rs` has the fast kernel ([`conv2d::cpu`]);
//! - `cuda.rs` launches a kernel of the folder `kernels/` ([`conv2d::cuda`]).
//!
//! Some stems are single files: [`unary`] and [`binary`] are tables with one row per function, [`loss`] and
//! [`stack`](mod@stack) are made of other ops, and [`reshape`](mod@reshape) computes nothing.
//!
//! # Every rule
//!
//! The table has the derivative rule of each op, where x̄ stands for ∂loss/∂x and ȳ for ∂loss/∂y. A rule is made of ops,
//! so it can be differentiated in turn.
//!
//! - Where broadcasting has stretched an input, [`sum_to`] sums the input's gradient back to its shape.
//! - The rule of [`batch_norm`](fn@batch_norm) runs as one fused kernel, unless the walk is recorded.
//! - An op without a row ([`mean`], [`relu`], [`clamp`], [`stack`](fn@stack), the other losses, ...) is made of ops
//!   that have one, or does the work of two rows in one pass.
//! - Convolutions in groups ([`grouped_conv2d`], ...) have the same rules as those in one group. What [`Finish`] names
//!   may be part of a convolution.
//! - Rules use a few ops that are not public: `sign`, whose gradient is 0; `masked` (ȳ where a mask is 1) and
//!   `leaky_relu_grad`, which are linear in ȳ, so that each is its own rule; and `max_pool2d_grad` and
//!   `max_pool2d_pick` (which reads ȳ at the places of the maxima), which are each other's rule.
//!
//! | op | y | x̄ from ȳ |
//! |---|---|---|
//! | [`neg`] | -x | -ȳ |
//! | [`exp`] | eˣ | ȳ · y |
//! | [`log`] | ln x | ȳ / x |
//! | [`sqrt`] | √x | ȳ / (2y) |
//! | [`square`] | x² | 2ȳ · x |
//! | [`abs`] | \|x\| | ȳ · sign x |
//! | [`tanh`] | tanh x | ȳ · (1 - y²) |
//! | [`sigmoid`] | 1 / (1 + e⁻ˣ) | ȳ · y (1 - y) |
//! | [`softplus`] | ln(1 + eˣ) | ȳ · sigmoid x |
//! | [`erf`] | 2/√π ∫₀ˣ e^(-t²) dt | ȳ · 2/√π e^(-x²) |
//! | [`gelu`] | x Φ(x), Φ(x) = (1 + erf(x/√2)) / 2 | ȳ · (Φ(x) + x e^(-x²/2) / √(2π)) |
//! | [`silu`] | x · sigmoid x | ȳ · s (1 + x (1 - s)), s = sigmoid x |
//! | [`elu`] | x where x > 0, else α (eˣ - 1) | ȳ where x > 0, else ȳ · (y + α) |
//! | [`leaky_relu`](fn@leaky_relu) | s · x where x ≤ 0, else x (s the slope) | s · ȳ where y ≤ 0, else ȳ |
//! | [`dropout`](fn@dropout) | x · m / (1 - rate), m 1 where kept, else 0 | ȳ · m / (1 - rate) |
//! | [`add`], [`sub`] | a ± b | ā = ȳ, b̄ = ±ȳ |
//! | [`mul`] | a · b | ā = ȳ · b, b̄ = ȳ · a |
//! | [`div`] | a / b | ā = ȳ / b, b̄ = -ȳ · y / b |
//! | [`pow`] | aᵇ | ā = ȳ · b aᵇ⁻¹, b̄ = ȳ · y ln a |
//! | [`maximum`], [`minimum`] | the larger, the smaller | ȳ goes to the one that was taken, and to a where they are equal |
//! | `tanh_grad` | g (1 - y²) | ḡ = `tanh_grad`(ȳ, y), that of y is -2 ȳ g y |
//! | `sigmoid_grad` | g y (1 - y) | ḡ = `sigmoid_grad`(ȳ, y), that of y is ȳ g (1 - 2y) |
//! | [`binary_cross_entropy`] of each value | -t ln p - (1 - t) ln(1 - p) | p̄ = ȳ · s(p, t), t̄ = ȳ · (ln(1 - p) - ln p) |
//! | `binary_cross_entropy_slope`, s(p, t) | (1 - t) / (1 - p) - t / p | p̄ = ȳ · ((1 - t) s(p, 0)² + t s(p, 1)²), t̄ = ȳ · (s(p, 1) - s(p, 0)) |
//! | [`greater`], [`greater_equal`], [`equal`] | 1 or 0 | none |
//! | [`select`](fn@select) by c | a where c is not 0, else b | ā = ȳ where c is not 0, else 0; b̄ the other way round |
//! | [`broadcast_to`] | x repeated | [`sum_to`] of ȳ |
//! | [`sum`](fn@sum) | Σ x over axes | ȳ repeated |
//! | [`max`](fn@max) | max x over axes | ȳ goes to the largest value, shared equally where several tie |
//! | [`argmax`](fn@argmax) | where x is largest along an axis | none |
//! | [`one_hot`](fn@one_hot) | 1 in the column x names, else 0 | none |
//! | [`gather`](fn@gather) | the rows of x that the indices name | [`scatter_add`] of ȳ |
//! | [`scatter_add`] | Σ of the rows of x that have the same index | [`gather`](fn@gather) of ȳ |
//! | [`softmax`](fn@softmax) | eˣ / Σ eˣ along an axis | y · (ȳ - Σ ȳ y) |
//! | [`reshape`](fn@reshape) | x in another shape | ȳ in x's shape |
//! | [`permute`](fn@permute) | x, its axes in another order | ȳ, permuted back |
//! | [`slice`](fn@slice) | a box of x | [`pad`](fn@pad) of ȳ |
//! | [`pad`](fn@pad) | x, with zeros around it | [`slice`](fn@slice) of ȳ |
//! | [`concat`](fn@concat) | the inputs one after the other | for each input, its [`slice`](fn@slice) of ȳ |
//! | [`upsample_nearest`] | each pixel repeated as a block | [`upsample_nearest_grad`] of ȳ |
//! | [`upsample_nearest_grad`] | Σ x over each block | [`upsample_nearest`] of ȳ |
//! | [`bilinear`](fn@bilinear) | images resampled to another size | [`bilinear_grad`] of ȳ |
//! | [`bilinear_grad`] | x shared out among the pixels that it was mixed from | [`bilinear`](fn@bilinear) of ȳ |
//! | [`max_pool2d`](fn@max_pool2d) | max x over each window | ȳ where the largest value first occurs (`max_pool2d_grad`) |
//! | [`avg_pool2d`](fn@avg_pool2d) | mean x over each window | [`avg_pool2d_grad`] of ȳ |
//! | [`avg_pool2d_grad`] | x spread over each window | [`avg_pool2d`](fn@avg_pool2d) of ȳ |
//! | [`matmul`](fn@matmul) | A · B | Ā = Ȳ · Bᵀ, B̄ = Aᵀ · Ȳ |
//! | [`batched_matmul`](fn@batched_matmul) | A_i · B_i | as [`matmul`](fn@matmul)'s, for every i |
//! | [`dense`](fn@dense) | x W + b | x̄ = ȳ Wᵀ, W̄ = xᵀ ȳ, b̄ = Σ ȳ over the batch |
//! | [`conv2d`](fn@conv2d) | x ∗ w | x̄ = [`conv_transpose2d`](fn@conv_transpose2d)(ȳ, w), w̄ = [`conv2d_weight_grad`](fn@conv2d_weight_grad)(x, ȳ) |
//! | [`conv_transpose2d`](fn@conv_transpose2d) | the input gradient of [`conv2d`](fn@conv2d) | x̄ = [`conv2d`](fn@conv2d)(ȳ, w), w̄ = [`conv2d_weight_grad`](fn@conv2d_weight_grad)(ȳ, x) |
//! | [`conv2d_weight_grad`](fn@conv2d_weight_grad) of x and z | the weight gradient of [`conv2d`](fn@conv2d) | x̄ = [`conv_transpose2d`](fn@conv_transpose2d)(z, ȳ), z̄ = [`conv2d`](fn@conv2d)(x, ȳ) |
//! | [`batch_norm`](fn@batch_norm) | γ x̂ + β | x̄ = γ / √(σ² + ε) · (ȳ - mean ȳ - x̂ · mean(ȳ x̂)), dγ = Σ ȳ x̂, dβ = Σ ȳ |
//!
//! # An op of your own
//!
//! An op computes its values and hands them to [`record`](crate::autograd::record), with an [`Op`](crate::autograd::Op)
//! that has the derivative rule. This one is the cube, y = x³ with x̄ = 3x² ȳ:
//!
//! ```
//! use minimax::autograd::{Call, Keeps, Op, grad, record};
//! use minimax::storage::Storage;
//! use minimax::{Device, Tensor};
//!
//! struct Cube;
//!
//! impl Op for Cube {
//!     fn name(&self) -> &'static str {
//!         "cube"
//!     }
//!
//!     fn keeps(&self) -> Keeps {
//!         Keeps::Inputs
//!     }
//!
//!     fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
//!         vec![Some(grad * call.input(0).square() * 3.0)]
//!     }
//! }
//!
//! fn cube(x: &Tensor) -> Tensor {
//!     let y: Vec<f64> = x.to_f64().iter().map(|x| x * x * x).collect();
//!     record(Cube, &[x], x.shape(), Storage::from_f64(&y, x.device()))
//! }
//!
//! let x = Tensor::new(&[2.0], [], Device::Cpu).parameter();
//! let first = grad(&cube(&x), &[&x], true);
//! let second = grad(&first[0], &[&x], false);
//! assert_eq!((first[0].item(), second[0].item()), (12.0, 12.0));
//! ```
//!
//! `examples/custom_op.rs` has another one, with a check of its rule.
//!
//! # Mistakes
//!
//! Shapes that don't fit, and inputs on different devices, are a programmer's mistakes: the op panics at the caller's
//! line, with a message that has the op's name and every shape.

pub mod argmax;
pub mod avg_pool2d;
pub mod batch_norm;
pub mod batched_matmul;
pub mod bilinear;
pub mod binary;
pub mod broadcast;
pub mod concat;
pub mod conv2d;
pub mod conv2d_weight_grad;
pub mod conv_transpose2d;
pub mod dense;
pub mod dropout;
pub mod finish;
pub mod gather;
pub(crate) mod gradient_sums;
pub mod index;
pub mod leaky_relu;
pub mod loss;
pub mod matmul;
pub mod max;
pub mod max_pool2d;
mod mean_cross_entropy;
mod methods;
pub mod one_hot;
pub mod operators;
pub mod pad;
pub mod permute;
pub mod random;
pub mod reshape;
pub mod select;
pub mod slice;
pub mod softmax;
pub mod stack;
pub mod sum;
pub mod unary;
pub mod upsample;

pub use argmax::argmax;
pub use avg_pool2d::{avg_pool2d, avg_pool2d_grad};
pub use batch_norm::{batch_norm, batch_norm_evaluate, batch_norm_leaky_relu, batch_norm_training};
pub use batched_matmul::batched_matmul;
pub use bilinear::{bilinear, bilinear_grad};
pub use binary::{add, clamp, div, equal, greater, greater_equal, maximum, minimum, mul, pow, sub};
pub use broadcast::broadcast_to;
pub use concat::concat;
pub use conv_transpose2d::{conv_transpose2d, finished_conv_transpose2d, grouped_conv_transpose2d};
pub use conv2d::{conv2d, finished_conv2d, grouped_conv2d};
pub use conv2d_weight_grad::{conv2d_weight_grad, grouped_conv2d_weight_grad};
pub use dense::dense;
pub use dropout::dropout;
pub use finish::Finish;
pub use gather::{gather, scatter_add};
pub use leaky_relu::{leaky_relu, leaky_relu_dropout, relu};
pub use loss::{
    binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy, log_softmax, mean_squared_error, wasserstein,
};
pub use matmul::{Transpose, matmul};
pub use max::max;
pub use max_pool2d::max_pool2d;
pub use methods::Axes;
pub use one_hot::one_hot;
pub use pad::pad;
pub use permute::permute;
pub use random::{random_normal, random_uniform};
pub use reshape::reshape;
pub use select::select;
pub use slice::slice;
pub use softmax::softmax;
pub use stack::stack;
pub(crate) use sum::mean_all;
pub use sum::{mean, sum, sum_to};
pub use unary::{abs, elu, erf, exp, gelu, log, neg, sigmoid, silu, softplus, sqrt, square, tanh};
pub use upsample::{upsample_nearest, upsample_nearest_grad};

use crate::tensor::Tensor;

/// The end of a `match` on storages that holds only when every input is on one device.
///
/// # Panics
/// Always, with the op's name and its inputs.
#[track_caller]
fn different_devices(op: &str, inputs: &[&Tensor]) -> ! {
    let inputs = inputs.iter().map(|x| format!("{} on {}", x.shape(), x.device()));
    let inputs: Vec<String> = inputs.collect();
    panic!("{op}: the inputs must be on one device, not {}", inputs.join(" and "))
}
