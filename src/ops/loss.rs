//! Losses, each made of other ops, so that their derivatives of any order follow. All are means
//! over every value, or over the batch where a row is one example.

use super::{clamp, exp, log, max, mean, mean_all, reshape, softplus, square, sum};
use crate::tensor::Tensor;

/// Binary cross-entropy of `logits` x against `targets` t in [0, 1], which overflows nowhere:
///
/// ```text
/// -t ln σ(x) - (1 - t) ln(1 - σ(x)) = softplus(x) - x t
/// ```
///
/// Of an infinite logit it is NaN, as PyTorch's is; of a finite one it is right to a rounding of x, so that in f32 the
/// loss of a target 1 is 0 from x = 17 on (PyTorch's is where the target is 0 and x below -17).
///
/// # Panics
/// If the shapes don't broadcast.
#[track_caller]
pub fn binary_cross_entropy_with_logits(logits: &Tensor, targets: &Tensor) -> Tensor {
    mean_all(&(softplus(logits) - logits * targets))
}

/// Binary cross-entropy of probabilities p: -t ln p - (1 - t) ln(1 - p), with p held to [ε, 1 - ε],
/// ε = 10⁻⁷, as Keras does, and no gradient beyond. (PyTorch holds the logarithms to at least -100 in place of p.)
///
/// # Panics
/// If the shapes don't broadcast.
#[track_caller]
pub fn binary_cross_entropy(probabilities: &Tensor, targets: &Tensor) -> Tensor {
    const EPSILON: f64 = 1e-7;
    // Holds 1 - p by itself: in f32, 1 less the bound of p would be 1.19 ε.
    let held_log = |p: &Tensor| log(&clamp(p, EPSILON, 1.0 - EPSILON));
    let hit = targets * held_log(probabilities);
    let miss = (1.0 - targets) * held_log(&(1.0 - probabilities));
    -mean_all(&(hit + miss))
}

/// The critic's estimate of the Wasserstein distance (Arjovsky, Chintala and Bottou, 2017), mean
/// D(x) - mean D(G(z)). The critic minimises its negative, the generator -mean D(G(z)).
#[track_caller]
pub fn wasserstein(real_scores: &Tensor, fake_scores: &Tensor) -> Tensor {
    mean_all(real_scores) - mean_all(fake_scores)
}

/// mean((a - b)²).
///
/// # Panics
/// If the shapes don't broadcast.
#[track_caller]
pub fn mean_squared_error(a: &Tensor, b: &Tensor) -> Tensor {
    mean_all(&square(&(a - b)))
}

/// ln [`softmax`](fn@super::softmax) of `x` along `axis`: x - m - ln Σ e^(x - m), with m the largest along it. The result
/// does not depend on m, so no gradient goes through it.
///
/// # Panics
/// If there is no such axis, or `x` is empty.
#[track_caller]
pub fn log_softmax(x: &Tensor, axis: usize) -> Tensor {
    let shape = x.shape();
    assert!(axis < shape.rank() && x.numel() > 0, "log_softmax: axis {axis} of an input of shape {shape}");
    let kept = shape.with_axis(axis, 1);
    let shifted = x - reshape(&max(&x.detach(), &[axis]), kept);
    let total = log(&sum(&exp(&shifted), &[axis]));
    shifted - reshape(&total, kept)
}

/// Cross-entropy of `logits` `[n, classes]` against `targets`, rows of probabilities (one-hot for
/// labels): the mean over the batch of -Σ t ln softmax(x). A logit of -∞ makes it NaN, also where its target is 0.
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn cross_entropy(logits: &Tensor, targets: &Tensor) -> Tensor {
    assert!(
        logits.shape() == targets.shape(),
        "cross_entropy: logits {} and targets {}",
        logits.shape(),
        targets.shape()
    );
    -mean(&sum(&(targets * log_softmax(logits, 1)), &[1]), &[0])
}
