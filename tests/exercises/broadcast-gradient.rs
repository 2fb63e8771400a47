//! By the engine: what was repeated is summed.

use minimax::{Device, Tensor, ops};

pub fn broadcast_gradient(y_grad: &[f64], from: &[usize], to: &[usize]) -> Vec<f64> {
    ops::sum_to(&Tensor::new(y_grad, to, Device::Reference), from.into()).to_f64()
}
