//! Reverse-mode differentiation in a page: values, gradients, and gradients of gradients.
//!
//! ```text
//! cargo run --release --example autodiff
//! ```

use minimax::{Device, Tensor, grad};

fn main() {
    // A tensor is an array on a device. The reference device computes in f64, the CPU in f32.
    let device = Device::Reference;
    let x = Tensor::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [2, 3], device);
    println!("x =\n{x}\n\nx · xᵀ =\n{}\n", x.matmul(&x.transposed()));

    // A parameter is what gradients are asked for. What is computed from one remembers how.
    let w = Tensor::new(&[0.5, -1.0, 2.0], [3, 1], device).parameter();
    let loss = x.matmul(&w).tanh().square().sum(..);
    let gradients = grad(&loss, &[&w], false);
    println!("loss = {loss}\n∂loss/∂w =\n{}\n", gradients[0]);

    // The same by a difference quotient: the loss a little to the right less that a little to the left.
    let at = |shift: f64| {
        let moved = Tensor::new(&[0.5 + shift, -1.0, 2.0], [3, 1], device);
        x.matmul(&moved).tanh().square().sum(..).item()
    };
    let h = 1e-6;
    println!("∂loss/∂w₁ ≈ {:.8}, by a step of {h:e}\n", (at(h) - at(-h)) / (2.0 * h));

    // With `create_graph` a gradient is itself recorded, and can be differentiated: x³, 3x², 6x, 6.
    let x = Tensor::new(&[-1.0, 0.5, 2.0], [3], device).parameter();
    let mut derivative = x.pow(3.0);
    for order in 0..4 {
        println!("derivative {order} of x³ at {x}: {derivative}");
        derivative = grad(&derivative.sum(..), &[&x], true).remove(0);
    }
}
