//! What gradients of gradients are good for: Newton's method, and a gradient penalty.
//!
//! ```text
//! cargo run --release --example second_order
//! ```

use minimax::nn::{Activation, Dense, Layer, Pass, Sequential};
use minimax::optim::{Adam, Optimizer};
use minimax::random::{Purpose, Random};
use minimax::{Device, Tensor, grad, ops};

fn main() {
    newton();
    penalty();
}

/// The minimum of x - ln x, which is at 1, by x ← x - f′ / f″: each step doubles the digits that are right.
fn newton() {
    let mut x = Tensor::new(&[0.4], [1], Device::Reference);
    for step in 0..6 {
        println!("step {step}: x = {:.15}", x.item());
        let at = x.parameter();
        let first = grad(&(&at - at.log()).sum(..), &[&at], true).remove(0);
        let second = grad(&first.sum(..), &[&at], false).remove(0);
        x = &at.detach() - first.detach() / second;
    }
}

/// A critic D is to tell N(2, 1) from N(-2, 1), and its slope is held near 1 by λ (|∂D/∂x| - 1)² (Gulrajani et al., 2017), with
/// λ = 10. The best slope s has the largest 4s - λ (s - 1)²: it is 1 + 4 / 2λ = 1.2. By a slope of 1, what it tells apart is
/// the Wasserstein distance, 4.
fn penalty() {
    let mut critic = Sequential::default().add(Dense::new(1, 64)).add(Activation::Tanh).add(Dense::new(64, 1));
    let mut optimizer = Optimizer::new(Adam::new(1e-2), &critic.parameters());
    let mut random = Random::new(1, Purpose::named("samples"));
    for step in 0..=600 {
        let [right, left] = [2.0, -2.0].map(|mean| mean + ops::random_normal(&mut random, [256, 1], Device::Cpu));
        let share = ops::random_uniform(&mut random, [256, 1], Device::Cpu);
        let between = (&share * &right + (1.0 - &share) * &left).parameter();

        let mut pass = Pass::training(&mut random);
        let distance = critic.forward(&right, &mut pass).mean(..) - critic.forward(&left, &mut pass).mean(..);
        let slope = grad(&critic.forward(&between, &mut pass).sum(..), &[&between], true).remove(0);
        let penalty = (slope.abs() - 1.0).square().mean(..);
        if step % 200 == 0 {
            let mean = slope.abs().mean(..).item();
            println!("step {step}: slope {mean:.3}, distance by a slope of 1 {:.3}", distance.item() / mean);
        }
        optimizer.minimize(10.0 * penalty - distance, &mut critic);
    }
}
