//! Batch normalisation (Ioffe and Szegedy, 2015) over all axes but the last, for `[n, c]` and
//! `[n, h, w, c]` alike:
//!
//! ```text
//! μ = mean(x)   σ² = mean((x - μ)²)   x̂ = (x - μ) / √(σ² + ε)   y = γ x̂ + β
//!
//! β̄ = Σ ȳ   γ̄ = Σ ȳ x̂   x̄ = γ / √(σ² + ε) · (ȳ - mean(ȳ) - x̂ · mean(ȳ x̂))
//! ```
//!
//! The rule is fused into two passes when the walk is not recorded, and made of tensor ops when it
//! is, so that second derivatives follow; a test holds the two together.

mod cpu;
mod reference;

use super::{different_devices, mean, sqrt, square, sum};
use crate::autograd::{Call, Op, record, recording};
use crate::shape::Shape;
use crate::storage::Storage;
use crate::tensor::Tensor;

/// What normalising a batch gives.
pub struct Normalized {
    /// The normalised batch, in the shape of x.
    pub y: Tensor,
    /// The batch's mean, `[c]`; a constant.
    pub mean: Tensor,
    /// The batch's variance (divided by the count, not the count less one), `[c]`; a constant.
    pub variance: Tensor,
}

/// Normalises `x` `[..., c]` by the statistics of the batch, then scales by `gamma` `[c]` and
/// shifts by `beta` `[c]`.
///
/// # Panics
/// If the shapes don't fit.
#[track_caller]
pub fn batch_norm(x: &Tensor, gamma: &Tensor, beta: &Tensor, epsilon: f64) -> Normalized {
    let channels = check_shapes(x, &[gamma, beta]);
    let (y, mean, variance) = match (x.storage(), gamma.storage(), beta.storage()) {
        (Storage::Reference(x), Storage::Reference(gamma), Storage::Reference(beta)) => {
            let (y, mean, variance) = reference::batch_norm(x, gamma, beta, epsilon);
            (
                Storage::Reference(y),
                Storage::Reference(mean),
                Storage::Reference(variance),
            )
        }
        (Storage::Cpu(x), Storage::Cpu(gamma), Storage::Cpu(beta)) => {
            let (y, mean, variance) = cpu::batch_norm(x, gamma, beta, epsilon as f32);
            (Storage::Cpu(y), Storage::Cpu(mean), Storage::Cpu(variance))
        }
        _ => different_devices("batch_norm", &[x, gamma, beta]),
    };
    let mean = Tensor::from_storage(mean, [channels]);
    let variance = Tensor::from_storage(variance, [channels]);
    let rule = BatchNorm {
        epsilon,
        mean: mean.clone(),
        variance: variance.clone(),
    };
    Normalized {
        y: record(rule, &[x, gamma, beta], x.shape(), y),
        mean,
        variance,
    }
}

/// As [`batch_norm`], by given statistics: for evaluation, with running ones.
///
/// # Panics
/// If the shapes don't fit.
#[track_caller]
pub fn batch_norm_evaluate(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    mean: &Tensor,
    variance: &Tensor,
    epsilon: f64,
) -> Tensor {
    check_shapes(x, &[gamma, beta, mean, variance]);
    let scale = gamma / sqrt(&(variance + epsilon));
    let shift = beta - mean * &scale;
    x * scale + shift
}

#[track_caller]
fn check_shapes(x: &Tensor, per_channel: &[&Tensor]) -> usize {
    let channels = x.dims().last().copied().unwrap_or(0);
    let shapes: Vec<Shape> = per_channel.iter().map(|t| t.shape()).collect();
    assert!(
        x.numel() > 0 && shapes.iter().all(|shape| shape.dims() == [channels]),
        "batch_norm: x {} with {shapes:?} per channel",
        x.shape()
    );
    channels
}

struct BatchNorm {
    epsilon: f64,
    mean: Tensor,
    variance: Tensor,
}

impl Op for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        let (x, gamma) = (call.input(0), call.input(1));
        let grads = if recording() {
            composed_vjp(&x, &gamma, grad, self.epsilon)
        } else {
            self.fused_vjp(&x, &gamma, grad)
        };
        grads.into_iter().map(Some).collect()
    }
}

impl BatchNorm {
    fn fused_vjp(&self, x: &Tensor, gamma: &Tensor, grad: &Tensor) -> [Tensor; 3] {
        let (mean, variance) = (self.mean.storage(), self.variance.storage());
        let (dx, dgamma, dbeta) =
            match (x.storage(), gamma.storage(), grad.storage(), mean, variance) {
                (
                    Storage::Reference(x),
                    Storage::Reference(gamma),
                    Storage::Reference(grad),
                    Storage::Reference(mean),
                    Storage::Reference(variance),
                ) => {
                    let (dx, dgamma, dbeta) =
                        reference::batch_norm_grad(x, gamma, grad, mean, variance, self.epsilon);
                    (
                        Storage::Reference(dx),
                        Storage::Reference(dgamma),
                        Storage::Reference(dbeta),
                    )
                }
                (
                    Storage::Cpu(x),
                    Storage::Cpu(gamma),
                    Storage::Cpu(grad),
                    Storage::Cpu(mean),
                    Storage::Cpu(variance),
                ) => {
                    let epsilon = self.epsilon as f32;
                    let (dx, dgamma, dbeta) =
                        cpu::batch_norm_grad(x, gamma, grad, mean, variance, epsilon);
                    (Storage::Cpu(dx), Storage::Cpu(dgamma), Storage::Cpu(dbeta))
                }
                _ => different_devices("batch_norm_grad", &[x, gamma, grad]),
            };
        [
            Tensor::from_storage(dx, x.shape()),
            Tensor::from_storage(dgamma, gamma.shape()),
            Tensor::from_storage(dbeta, gamma.shape()),
        ]
    }
}

/// The rule in tensor ops, with the batch's statistics as functions of `x`.
fn composed_vjp(x: &Tensor, gamma: &Tensor, grad: &Tensor, epsilon: f64) -> [Tensor; 3] {
    let rows: Vec<usize> = (0..x.shape().rank() - 1).collect();
    let centred = x - mean(x, &rows);
    let deviation = sqrt(&(mean(&square(&centred), &rows) + epsilon));
    let normalised = &centred / &deviation;

    let dbeta = sum(grad, &rows);
    let dgamma = sum(&(grad * &normalised), &rows);
    let count = (x.numel() / gamma.numel()) as f64;
    let correction = normalised * (&dgamma / count) + &dbeta / count;
    let dx = (grad - correction) * (gamma / deviation);
    [dx, dgamma, dbeta]
}
