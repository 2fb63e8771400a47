//! By the engine.

use minimax::{Device, Tensor, grad, ops};

pub fn max_gradient(x: &[f64], shape: &[usize], axis: usize, y_grad: &[f64]) -> Vec<f64> {
    let x = Tensor::new(x, shape, Device::Reference).parameter();
    let y = ops::max(&x, &[axis]);
    let loss = (&y * Tensor::new(y_grad, y.shape(), Device::Reference)).sum(..);
    grad(&loss, &[&x], false)[0].to_f64()
}
