//! Leaky ReLU, y = x where x > 0 and slope · x elsewhere (Maas, Hannun and Ng, 2013); ReLU, its slope 0;
//! and leaky ReLU with dropout after it, in one pass.
//!
//! The gradient x̄ = ȳ · (1 or slope) is linear in ȳ, so the gradient op is its own derivative with respect to ȳ; with
//! respect to x its derivative is 0 wherever it exists. y > 0 exactly where x > 0, and values that
//! [`dropout`](mod@super::dropout) has dropped are -0, so the rule reads y, which the next layer keeps anyway.
//!
//! A slope of 0 gives +0 for every input that isn't positive: for -∞, where a product would be NaN, for -1, where it
//! would be -0, and for an infinite ȳ. NaN passes as if it were positive: y is NaN and x̄ = ȳ. (PyTorch's `relu` does
//! the same, except that it keeps -0; its `leaky_relu` has x̄ = slope · ȳ at NaN, and with slope 0 it turns -∞ into
//! NaN.)

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::different_devices;
use super::dropout::{self, Mask};
use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::storage::Storage;
use crate::tensor::Tensor;

/// x where it is positive or NaN, `slope` · x elsewhere, in the shape of `x`. x̄ = ȳ, or `slope` · ȳ elsewhere.
///
/// ```
/// use minimax::{Device, Tensor, ops};
///
/// let x = Tensor::new(&[-2.0, 3.0], [2], Device::Cpu);
/// assert_eq!(ops::leaky_relu(&x, 0.25).to_f64(), [-0.5, 3.0]);
/// ```
///
/// # Panics
/// If `slope` is negative.
#[track_caller]
pub fn leaky_relu(x: &Tensor, slope: f64) -> Tensor {
    rectify(x, Rectifier::new(slope, None))
}

/// x where it is positive or NaN, 0 elsewhere, in the shape of `x`. x̄ = ȳ where x was kept, 0 elsewhere.
pub fn relu(x: &Tensor) -> Tensor {
    leaky_relu(x, 0.0)
}

/// [`leaky_relu`], then [`dropout`](fn@super::dropout) by `mask`.
///
/// # Panics
/// If `slope` is negative.
#[track_caller]
pub fn leaky_relu_dropout(x: &Tensor, slope: f64, mask: Mask) -> Tensor {
    rectify(x, Rectifier::new(slope, Some(mask)))
}

/// Leaky ReLU, with or without dropout after it.
#[derive(Clone, Copy)]
pub struct Rectifier {
    /// The slope below 0.
    pub slope: f64,
    /// What is dropped after that.
    pub mask: Option<Mask>,
}

impl Rectifier {
    /// The one that changes nothing.
    pub const IDENTITY: Rectifier = Rectifier { slope: 1.0, mask: None };

    /// With this slope and mask.
    ///
    /// # Panics
    /// If the slope is negative.
    #[track_caller]
    pub fn new(slope: f64, mask: Option<Mask>) -> Rectifier {
        assert!(slope >= 0.0, "leaky_relu: slope {slope} must not be negative");
        Rectifier { slope, mask }
    }

    /// True if it changes nothing.
    pub fn is_identity(&self) -> bool {
        self.slope == 1.0 && self.mask.is_none()
    }

    /// Its derivative as a function of its output.
    pub fn slopes(&self) -> Slopes {
        let scale = self.mask.map_or(1.0, |mask| mask.scale());
        let below = self.slope * scale;
        Slopes {
            above: scale,
            below,
            // Without dropout -0 is a zero like the other.
            dropped: if self.mask.is_some() { 0.0 } else { below },
        }
    }
}

/// The derivative of a [`Rectifier`] by the sign of its output.
#[derive(Clone, Copy)]
pub struct Slopes {
    /// Where it is positive or NaN.
    pub above: f64,
    /// Where it is negative or +0.
    pub below: f64,
    /// Where it is -0.
    pub dropped: f64,
}

#[track_caller]
fn rectify(x: &Tensor, rectifier: Rectifier) -> Tensor {
    let Rectifier { slope, mask } = rectifier;
    let _span = span("leaky_relu", || Cost::pass(2 * x.numel()));
    let storage = match (x.storage(), mask) {
        (Storage::Reference(x), None) => Storage::Reference(reference::leaky_relu(x, slope)),
        (Storage::Reference(x), Some(mask)) => {
            let rectified = reference::leaky_relu(x, slope);
            Storage::Reference(dropout::reference::dropout(&rectified, &mask))
        }
        (Storage::Cpu(x), None) => Storage::Cpu(cpu::leaky_relu(x, slope as f32)),
        (Storage::Cpu(x), Some(mask)) => Storage::Cpu(cpu::leaky_relu_dropout(x, slope as f32, &mask)),
        (Storage::Cuda(x), None) => Storage::Cuda(cuda::leaky_relu(x, slope as f32)),
        (Storage::Cuda(x), Some(mask)) => Storage::Cuda(cuda::leaky_relu_dropout(x, slope as f32, &mask)),
    };
    record(LeakyRelu(rectifier), &[x], x.shape(), storage)
}

/// ȳ times the slope, which follows from y.
pub(super) fn rectify_grad(y: &Tensor, grad: &Tensor, slopes: Slopes) -> Tensor {
    let _span = span("leaky_relu_grad", || Cost::pass(3 * y.numel()));
    let storage = match (y.storage(), grad.storage()) {
        (Storage::Reference(y), Storage::Reference(grad)) => {
            Storage::Reference(reference::rectify_grad(y, grad, slopes))
        }
        (Storage::Cpu(y), Storage::Cpu(grad)) => Storage::Cpu(cpu::rectify_grad(y, grad, slopes)),
        (Storage::Cuda(y), Storage::Cuda(grad)) => Storage::Cuda(cuda::rectify_grad(y, grad, slopes)),
        _ => different_devices("leaky_relu_grad", &[y, grad]),
    };
    let op = LeakyReluGrad { slopes, y: y.detach() };
    record(op, &[grad], grad.shape(), storage)
}

struct LeakyRelu(Rectifier);

impl Op for LeakyRelu {
    fn name(&self) -> &'static str {
        "leaky_relu"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Output
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(rectify_grad(&call.output(), grad, self.0.slopes()))]
    }
}

struct LeakyReluGrad {
    slopes: Slopes,
    y: Tensor,
}

impl Op for LeakyReluGrad {
    fn name(&self) -> &'static str {
        "leaky_relu_grad"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn vjp(&self, _: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(rectify_grad(&self.y, grad, self.slopes))]
    }
}
