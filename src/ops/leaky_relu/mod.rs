//! Leaky ReLU, y = x where x > 0 and slope · x elsewhere (Maas, Hannun and Ng, 2013), and ReLU, its
//! slope 0.
//!
//! Its gradient x̄ = ȳ · (1 or slope) is linear in ȳ, so the gradient op is its own derivative;
//! with respect to x it is 0 wherever it has one. y > 0 exactly where x > 0, so the rule reads y,
//! which the next layer keeps anyway.

mod cpu;
mod reference;

use super::different_devices;
use crate::autograd::{Call, Keeps, Op, record};
use crate::storage::Storage;
use crate::tensor::Tensor;

/// x where it is positive, `slope` · x elsewhere.
///
/// # Panics
/// If `slope` is negative.
#[track_caller]
pub fn leaky_relu(x: &Tensor, slope: f64) -> Tensor {
    assert!(
        slope >= 0.0,
        "leaky_relu: slope {slope} must not be negative"
    );
    let storage = match x.storage() {
        Storage::Reference(x) => Storage::Reference(reference::leaky_relu(x, slope)),
        Storage::Cpu(x) => Storage::Cpu(cpu::leaky_relu(x, slope as f32)),
    };
    record(LeakyRelu { slope }, &[x], x.shape(), storage)
}

/// x where it is positive, 0 elsewhere.
pub fn relu(x: &Tensor) -> Tensor {
    leaky_relu(x, 0.0)
}

/// ȳ where y > 0, `slope` · ȳ elsewhere.
fn leaky_relu_grad(y: &Tensor, grad: &Tensor, slope: f64) -> Tensor {
    let storage = match (y.storage(), grad.storage()) {
        (Storage::Reference(y), Storage::Reference(grad)) => {
            Storage::Reference(reference::leaky_relu_grad(y, grad, slope))
        }
        (Storage::Cpu(y), Storage::Cpu(grad)) => {
            Storage::Cpu(cpu::leaky_relu_grad(y, grad, slope as f32))
        }
        _ => different_devices("leaky_relu_grad", &[y, grad]),
    };
    let op = LeakyReluGrad {
        slope,
        y: y.detach(),
    };
    record(op, &[grad], grad.shape(), storage)
}

struct LeakyRelu {
    slope: f64,
}

impl Op for LeakyRelu {
    fn name(&self) -> &'static str {
        "leaky_relu"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Output
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(leaky_relu_grad(&call.output(), grad, self.slope))]
    }
}

struct LeakyReluGrad {
    slope: f64,
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
        vec![Some(leaky_relu_grad(&self.y, grad, self.slope))]
    }
}
