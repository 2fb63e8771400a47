//! Batch normalisation (Ioffe and Szegedy, 2015) over all axes but the last, for `[n, c]` and
//! `[n, h, w, c]` alike:
//!
//! ```text
//! μ = mean(x)   σ² = mean((x - μ)²)   x̂ = (x - μ) / √(σ² + ε)   y = γ x̂ + β
//!
//! dβ = Σ ȳ   dγ = Σ ȳ x̂   x̄ = γ / √(σ² + ε) · (ȳ - mean(ȳ) - x̂ · mean(ȳ x̂))
//! ```
//!
//! A leaky ReLU, and dropout after it, may be part of the op: they are applied when y is stored, and their derivative
//! when ȳ is read.
//!
//! An infinity or NaN in a channel makes all outputs of the channel NaN. In f32, σ² is infinite where values are more
//! than about 1e19 apart, and y is β then; PyTorch, which sums in f64, normalises those too.
//!
//! The rule is fused into two passes over memory when the walk is not recorded. When it is, the rule is made of tensor
//! ops, so that second derivatives follow. A test checks that both give the same.

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::dropout::{self, Mask};
use super::leaky_relu::{self, Rectifier, rectify_grad};
use super::{different_devices, mean, sqrt, square, sum};
use crate::autograd::{Call, Keeps, Op, Remake, record, recording};
use crate::cpu::simd;
use crate::profile::{Cost, span};
use crate::shape::Shape;
use crate::storage::{Device, Storage};
use crate::tensor::Tensor;

/// What normalising a batch gives: see [`batch_norm`].
pub struct Normalized {
    /// The normalised batch, in the shape of x.
    pub y: Tensor,
    /// The batch's mean, `[c]`; a constant.
    pub mean: Tensor,
    /// The batch's variance (divided by the count, not the count less one), `[c]`; a constant.
    pub variance: Tensor,
}

/// Running statistics, which each batch moves towards its own:
///
/// ```text
/// running mean ← momentum · running mean + (1 - momentum) · μ
/// running variance ← momentum · running variance + (1 - momentum) · correction · σ²
/// ```
pub struct Running<'a> {
    /// The running mean, `[c]`.
    pub mean: &'a mut Tensor,
    /// The running variance, `[c]`.
    pub variance: &'a mut Tensor,
    /// The share of the old statistics that is kept.
    pub momentum: f64,
    /// A factor for the batch's variance σ²; n / (n - 1) makes it unbiased.
    pub correction: f64,
}

/// Normalises `x` `[..., c]` by the statistics of the batch, then scales by `gamma` `[c]` and
/// shifts by `beta` `[c]`. The [module](mod@self) has the formula and the gradients.
///
/// ```
/// use minimax::{Device, Tensor, ops};
///
/// let x = Tensor::new(&[1.0, 3.0], [2, 1], Device::Cpu);
/// let normalised = ops::batch_norm(&x, &Tensor::ones([1], Device::Cpu), &Tensor::zeros([1], Device::Cpu), 0.0);
/// assert_eq!(normalised.y.to_f64(), [-1.0, 1.0]);
/// assert_eq!((normalised.mean.item(), normalised.variance.item()), (2.0, 1.0));
/// ```
///
/// # Panics
/// If the shapes don't fit.
#[track_caller]
pub fn batch_norm(x: &Tensor, gamma: &Tensor, beta: &Tensor, epsilon: f64) -> Normalized {
    normalise(x, gamma, beta, epsilon, Rectifier::IDENTITY, None)
}

/// [`batch_norm`], then [`leaky_relu`](fn@super::leaky_relu) with this slope, then, if there is a mask,
/// [`dropout`](fn@super::dropout) by it, in one op.
///
/// # Panics
/// If the shapes don't fit or `slope` is negative.
#[track_caller]
pub fn batch_norm_leaky_relu(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    epsilon: f64,
    slope: f64,
    mask: Option<Mask>,
) -> Normalized {
    normalise(x, gamma, beta, epsilon, Rectifier::new(slope, mask), None)
}

/// As [`batch_norm_leaky_relu`], where a slope of 1 stands for no leaky ReLU; it moves the running statistics too.
///
/// # Panics
/// If the shapes don't fit or `slope` is negative.
#[track_caller]
pub fn batch_norm_training(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    epsilon: f64,
    slope: f64,
    mask: Option<Mask>,
    running: Running,
) -> Tensor {
    check_shapes(x, &[running.mean, running.variance]);
    normalise(x, gamma, beta, epsilon, Rectifier::new(slope, mask), Some(running)).y
}

#[track_caller]
fn normalise(
    x: &Tensor,
    gamma: &Tensor,
    beta: &Tensor,
    epsilon: f64,
    activation: Rectifier,
    mut running: Option<Running>,
) -> Normalized {
    let channels = check_shapes(x, &[gamma, beta]);
    let _span = span("batch_norm", || Cost::pass(3 * x.numel()));
    let (y, mean, variance) = match (x.storage(), gamma.storage(), beta.storage()) {
        (Storage::Reference(x), Storage::Reference(gamma), Storage::Reference(beta)) => {
            let (z, mean, variance) = reference::batch_norm(x, gamma, beta, epsilon);
            let y = leaky_relu::reference::leaky_relu(&z, activation.slope);
            let dropped = activation.mask.map(|mask| dropout::reference::dropout(&y, &mask));
            (Storage::Reference(dropped.unwrap_or(y)), Storage::Reference(mean), Storage::Reference(variance))
        }
        (Storage::Cpu(x), Storage::Cpu(gamma), Storage::Cpu(beta)) => {
            let (mean, variance) = cpu::statistics(x, channels);
            let affine = cpu::Affine::new(gamma, beta, &mean, &variance, epsilon as f32);
            let y = cpu::normalise(x, &affine, &activation);
            (Storage::Cpu(y), Storage::Cpu(mean), Storage::Cpu(variance))
        }
        (Storage::Cuda(x), Storage::Cuda(gamma), Storage::Cuda(beta)) => {
            let running = running.take().map(Running::on_cuda);
            let (mean, variance, affine) = cuda::statistics(x, gamma, beta, epsilon as f32, running);
            let y = cuda::normalise(x, &affine, &activation);
            let [y, mean, variance] = [y, mean, variance].map(Storage::Cuda);
            (y, mean, variance)
        }
        _ => different_devices("batch_norm", &[x, gamma, beta]),
    };
    if let Some(running) = running {
        running.blend(&mean, &variance);
    }
    let mean = Tensor::from_storage(mean, [channels]);
    let variance = Tensor::from_storage(variance, [channels]);
    let rule = BatchNorm { epsilon, mean: mean.clone(), variance: variance.clone(), activation };
    Normalized { y: record(rule, &[x, gamma, beta], x.shape(), y), mean, variance }
}

impl<'a> Running<'a> {
    /// Moves them by a batch's `mean` and `variance`: on the processor.
    fn blend(self, mean: &Storage, variance: &Storage) {
        let momentum = self.momentum;
        for (running, batch, correction) in [(self.mean, mean, 1.0), (self.variance, variance, self.correction)] {
            match (running.storage_mut(), batch) {
                (Storage::Reference(running), Storage::Reference(batch)) => {
                    for (running, batch) in running.iter_mut().zip(batch) {
                        *running = momentum * *running + (1.0 - momentum) * (batch * correction);
                    }
                }
                (Storage::Cpu(running), Storage::Cpu(batch)) => {
                    let [kept, share, correction] = [momentum, 1.0 - momentum, correction].map(|factor| factor as f32);
                    simd::update(running, batch, |running, batch| kept * running + share * (batch * correction));
                }
                _ => different_devices("batch_norm", &[running]),
            }
        }
    }

    /// As the launcher takes them.
    fn on_cuda(self) -> cuda::Running<'a> {
        let values = |running: &'a mut Tensor| match running.storage_mut() {
            Storage::Cuda(values) => values,
            _ => panic!("batch_norm: the running statistics must be on the device of x"),
        };
        cuda::Running {
            mean: values(self.mean),
            variance: values(self.variance),
            momentum: self.momentum as f32,
            share: (1.0 - self.momentum) as f32,
            correction: self.correction as f32,
        }
    }
}

/// As [`batch_norm`], by the given statistics instead of the batch's: for evaluation, with the running ones. No
/// gradient goes to the statistics.
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
    if !recording() {
        let per_channel = [gamma, beta, mean, variance];
        match x.storage() {
            Storage::Cpu(values) => {
                let [gamma, beta, mean, variance] = per_channel.map(cpu_values);
                let affine = cpu::Affine::new(gamma, beta, mean, variance, epsilon as f32);
                let y = cpu::normalise(values, &affine, &Rectifier::IDENTITY);
                return Tensor::from_storage(Storage::Cpu(y), x.shape());
            }
            Storage::Cuda(values) => {
                let [gamma, beta, mean, variance] = per_channel.map(cuda_values);
                let affine = cuda::Affine::new(gamma, beta, mean, variance, epsilon as f32);
                let y = cuda::normalise(values, &affine, &Rectifier::IDENTITY);
                return Tensor::from_storage(Storage::Cuda(y), x.shape());
            }
            Storage::Reference(_) => {}
        }
    }
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
    activation: Rectifier,
}

impl Op for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn keeps(&self) -> Keeps {
        match self.activation.is_identity() {
            true => Keeps::Inputs,
            false => Keeps::Both,
        }
    }

    /// Normalising again is one pass over x, as the statistics are known. With dropout it is not worth it: the random
    /// numbers would be drawn again, and the rule reads the output anyway. On a CUDA device a launch less is worth
    /// more.
    fn remake(&self) -> Option<&dyn Remake> {
        (self.mean.device() == Device::Cpu && self.activation.mask.is_none()).then_some(self)
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        let [x, gamma, beta] = [0, 1, 2].map(|i| call.input(i));
        // A fused pass reads x anyway, and x tells the slopes; it doesn't tell what was dropped.
        let fused = !recording() && x.device() != Device::Reference;
        let reads_y = if fused { self.activation.mask.is_some() } else { !self.activation.is_identity() };
        let y = reads_y.then(|| call.output());
        let grads = if recording() {
            let slopes = self.activation.slopes();
            let z_grad = y.map_or_else(|| grad.clone(), |y| rectify_grad(&y, grad, slopes));
            composed_vjp(&x, &gamma, &z_grad, self.epsilon)
        } else {
            let _span = span("batch_norm_grad", || Cost::pass(5 * x.numel()));
            match x.device() {
                Device::Reference => self.reference_vjp(&x, &gamma, y.as_ref(), grad),
                Device::Cpu => self.cpu_vjp([&x, &gamma, &beta], y.as_ref(), grad),
                Device::Cuda(_) => self.cuda_vjp([&x, &gamma, &beta], y.as_ref(), grad),
            }
        };
        grads.into_iter().map(Some).collect()
    }
}

impl Remake for BatchNorm {
    fn output(&self, call: &Call) -> Storage {
        let [x, gamma, beta] = [0, 1, 2].map(|i| call.input(i));
        let _span = span("batch_norm", || Cost::pass(2 * x.numel()));
        let affine = self.affine(&gamma, &beta);
        Storage::Cpu(cpu::normalise(cpu_values(&x), &affine, &self.activation))
    }
}

impl BatchNorm {
    /// The factor and the shift of each channel.
    fn affine(&self, gamma: &Tensor, beta: &Tensor) -> cpu::Affine {
        let [gamma, beta, mean, variance] = [gamma, beta, &self.mean, &self.variance].map(cpu_values);
        cpu::Affine::new(gamma, beta, mean, variance, self.epsilon as f32)
    }

    fn reference_vjp(&self, x: &Tensor, gamma: &Tensor, y: Option<&Tensor>, grad: &Tensor) -> [Tensor; 3] {
        let slopes = self.activation.slopes();
        let z_grad = y.map_or_else(|| grad.clone(), |y| rectify_grad(y, grad, slopes));
        let (dx, dgamma, dbeta) = reference::batch_norm_grad(
            reference_values(x),
            reference_values(gamma),
            reference_values(&z_grad),
            reference_values(&self.mean),
            reference_values(&self.variance),
            self.epsilon,
        );
        [
            Tensor::from_storage(Storage::Reference(dx), x.shape()),
            Tensor::from_storage(Storage::Reference(dgamma), gamma.shape()),
            Tensor::from_storage(Storage::Reference(dbeta), gamma.shape()),
        ]
    }

    fn cpu_vjp(&self, [x, gamma, beta]: [&Tensor; 3], y: Option<&Tensor>, grad: &Tensor) -> [Tensor; 3] {
        let epsilon = self.epsilon as f32;
        let (mean, variance) = (cpu_values(&self.mean), cpu_values(&self.variance));
        let forward = cpu::Forward {
            x: cpu_values(x),
            y: y.map(cpu_values),
            affine: &self.affine(gamma, beta),
            slopes: self.activation.slopes().into(),
        };
        let (dx, dgamma, dbeta) = forward.grad(cpu_values(gamma), cpu_values(grad), mean, variance, epsilon);
        [
            Tensor::from_storage(Storage::Cpu(dx), x.shape()),
            Tensor::from_storage(Storage::Cpu(dgamma), gamma.shape()),
            Tensor::from_storage(Storage::Cpu(dbeta), gamma.shape()),
        ]
    }

    fn cuda_vjp(&self, [x, gamma, beta]: [&Tensor; 3], y: Option<&Tensor>, grad: &Tensor) -> [Tensor; 3] {
        let forward = cuda::Forward {
            x: cuda_values(x),
            y: y.map(cuda_values),
            gamma: cuda_values(gamma),
            beta: cuda_values(beta),
            mean: cuda_values(&self.mean),
            variance: cuda_values(&self.variance),
            epsilon: self.epsilon as f32,
            slopes: self.activation.slopes(),
        };
        let (dx, dgamma, dbeta) = forward.grad(cuda_values(grad));
        [
            Tensor::from_storage(Storage::Cuda(dx), x.shape()),
            Tensor::from_storage(Storage::Cuda(dgamma), gamma.shape()),
            Tensor::from_storage(Storage::Cuda(dbeta), gamma.shape()),
        ]
    }
}

#[track_caller]
fn reference_values(t: &Tensor) -> &[f64] {
    match t.storage() {
        Storage::Reference(values) => values,
        _ => different_devices("batch_norm", &[t]),
    }
}

#[track_caller]
fn cpu_values(t: &Tensor) -> &[f32] {
    match t.storage() {
        Storage::Cpu(values) => values,
        _ => different_devices("batch_norm", &[t]),
    }
}

#[track_caller]
fn cuda_values(t: &Tensor) -> &crate::cuda::Buffer {
    match t.storage() {
        Storage::Cuda(values) => values,
        _ => different_devices("batch_norm", &[t]),
    }
}

// ANCHOR: composed
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
// ANCHOR_END: composed

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{grad, no_grad};
    use crate::check::cases::{check_random, normal_like};
    use crate::ops::dropout::Mask;
    use crate::ops::reshape;
    use std::sync::Arc;

    /// As a network is trained through, and in one pass as it is sampled from.
    #[test]
    fn both_ways_to_evaluate_agree() {
        let mut random = check_random();
        let mut draw = |shape: &[usize]| normal_like(&Tensor::zeros(shape, Device::Cpu), &mut random);
        let x = draw(&[70, 3, 5, 17]);
        let [gamma, beta, mean, spread] = [(); 4].map(|()| draw(&[17]));
        let variance = square(&spread);
        let evaluate = || batch_norm_evaluate(&x, &gamma, &beta, &mean, &variance, 1e-3).to_f64();
        for (recorded, fused) in evaluate().into_iter().zip(no_grad(evaluate)) {
            assert!((recorded - fused).abs() < 1e-5 * (1.0 + recorded.abs()));
        }
    }
    /// What a network normalises is read by the next layer's rule, which has it made once more.
    #[test]
    fn what_is_normalised_is_made_once_more_and_not_kept() {
        let mut random = check_random();
        let mut draw = |shape: &[usize]| normal_like(&Tensor::zeros(shape, Device::Cpu), &mut random);
        let x = draw(&[6, 5, 3]).parameter();
        let (gamma, beta) = (draw(&[3]), draw(&[3]));
        for mask in [None, Some(Mask::new(0.5, check_random().reserve(x.numel())))] {
            let y = batch_norm_leaky_relu(&x, &gamma, &beta, 1e-3, 0.2, mask).y;
            let values = Arc::downgrade(&y.shared_storage());
            let flat = reshape(&y, [90]);
            let loss = sum(&(&flat * &flat), &[0]);
            let want = grad(&loss, &[&y], false).remove(0);
            assert_eq!(want.to_f32(), y.to_f32().into_iter().map(|y| 2.0 * y).collect::<Vec<_>>());
            let before = grad(&loss, &[&x], false).remove(0);
            drop((y, flat));
            assert_eq!(values.upgrade().is_some(), mask.is_some());
            assert_eq!(grad(&loss, &[&x], false)[0].to_f32(), before.to_f32());
            // The recorded walk has y made once more, too, and the rule made of tensor ops.
            let recorded = grad(&loss, &[&x], true).remove(0).to_f32();
            let largest = before.to_f32().into_iter().fold(0.0, |largest: f32, value| largest.max(value.abs()));
            assert!(largest > 0.0);
            for (recorded, fused) in recorded.into_iter().zip(before.to_f32()) {
                assert!((recorded - fused).abs() < 1e-4 * largest, "{recorded} {fused}");
            }
        }
    }
}
