//! By the engine's reference.

use minimax::ops::batch_norm::reference::{batch_norm, batch_norm_grad};

#[derive(Clone, Debug)]
pub struct Gradients {
    pub x: Vec<f64>,
    pub gamma: Vec<f64>,
    pub beta: Vec<f64>,
}

pub fn backward(x: &[f64], gamma: &[f64], epsilon: f64, y_grad: &[f64]) -> Gradients {
    let (_, mean, variance) = batch_norm(x, gamma, &vec![0.0; gamma.len()], epsilon);
    let (x, gamma, beta) = batch_norm_grad(x, gamma, y_grad, &mean, &variance, epsilon);
    Gradients { x, gamma, beta }
}
