//! By the engine's gradients of gradients.

use minimax::{Device, Tensor, grad};

pub fn penalty(x: &[f64], d: usize, w: &[f64], v: &[f64], lambda: f64) -> f64 {
    recorded(x, d, w, v, lambda).0.item()
}

pub fn weight_gradient(x: &[f64], d: usize, w: &[f64], v: &[f64], lambda: f64) -> Vec<f64> {
    let (penalty, w) = recorded(x, d, w, v, lambda);
    grad(&penalty, &[&w], false)[0].to_f64()
}

/// The penalty and the weights that it is made of.
fn recorded(x: &[f64], d: usize, w: &[f64], v: &[f64], lambda: f64) -> (Tensor, Tensor) {
    let x = Tensor::new(x, [x.len() / d, d], Device::Reference).parameter();
    let w = Tensor::new(w, [d, v.len()], Device::Reference).parameter();
    let v = Tensor::new(v, [v.len(), 1], Device::Reference);
    let output = x.matmul(&w).tanh().matmul(&v);
    let slopes = grad(&output.sum(..), &[&x], true)[0].square().sum(1).sqrt();
    (lambda * (slopes - 1.0).square().mean(..), w)
}
