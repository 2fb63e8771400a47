//! Penalties on the slope of the discriminator, which the loss alone would let grow steep.
//!
//! | penalty | what it adds to D's loss | source |
//! |---|---|---|
//! | [`gradient_penalty`] | λ E(\\|∇D(x̂)\\| - 1)², between real and fake images | Gulrajani et al. 2017 |
//! | [`zero_centred`] R1 | γ/2 E\\|∇D(x)\\|², at real images | Mescheder, Geiger and Nowozin 2018 |
//! | [`zero_centred`] R2 | γ/2 E\\|∇D(G(z))\\|², at fake ones | the same |

use crate::autograd::grad;
use crate::ops::{mean_all, random_uniform, sqrt, square, sum};
use crate::random::Random;
use crate::tensor::Tensor;

/// The points between real and fake images at which a gradient penalty is taken (Gulrajani et al. 2017, algorithm 1),
/// recorded from here on:
///
/// ```text
/// x̂ = ε x + (1 - ε) G(z), ε ~ U(0, 1) drawn for each image
/// ```
pub fn between(real: &Tensor, fake: &Tensor, random: &mut Random) -> Tensor {
    // One number for each image, whatever the shape of images: [n, 1, ...].
    let mut each = vec![1; real.dims().len()];
    each[0] = real.dims()[0];
    let epsilon = random_uniform(random, &each[..], real.device());
    let between = &epsilon * &real.detach() + (1.0 - &epsilon) * fake.detach();
    between.detach().parameter()
}

// ANCHOR: gradient_penalty
/// The gradient penalty, which keeps the slope of the critic near 1 at `points`. `output` `[n, 1]` is the critic's
/// output there, recorded from `points` on:
///
/// ```text
/// λ mean((|∇D(x̂)| - 1)²)
/// ```
///
/// The norm is over all values of an image. Its gradient by D's parameters goes through ∇D: a second
/// derivative.
pub fn gradient_penalty(lambda: f64, points: &Tensor, output: &Tensor) -> Tensor {
    /// Added under the root, whose slope at 0 is infinite.
    const TINY: f64 = 1e-12;
    let norms = sqrt(&(squared_slopes(points, output) + TINY));
    lambda * &mean_all(&square(&(norms - 1.0)))
}
// ANCHOR_END: gradient_penalty

/// The zero-centred penalty at `images`, where `output` `[n, 1]` is D's output on them, recorded from `images` on:
///
/// ```text
/// γ/2 mean(|∇D|²)
/// ```
///
/// It is R1 if they are real, and R2 if they are fake. Its gradient by D's parameters is a second derivative.
pub fn zero_centred(gamma: f64, images: &Tensor, output: &Tensor) -> Tensor {
    0.5 * gamma * &mean_all(&squared_slopes(images, output))
}

// ANCHOR: squared_slopes
/// |∇D|² at each of `images` `[n, ...]`, over all values of an image.
fn squared_slopes(images: &Tensor, output: &Tensor) -> Tensor {
    let [gradient] = &grad(&sum(output, &[0, 1]), &[images], true)[..] else {
        unreachable!("one gradient for one tensor");
    };
    let values: Vec<usize> = (1..images.dims().len()).collect();
    sum(&square(gradient), &values)
}
// ANCHOR_END: squared_slopes

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::{Transpose, matmul, reshape, tanh};
    use crate::random::Purpose;
    use crate::storage::Device::Reference;

    fn random() -> Random {
        Random::new(3, Purpose::CHECK)
    }

    /// The penalty's gradient by the critic's weights, which goes through a gradient, against central
    /// differences.
    #[test]
    fn the_penalty_has_the_gradient_of_its_values() {
        let mut numbers = random();
        let mut tensor = |shape: &[usize]| {
            let count = shape.iter().product();
            Tensor::new(&numbers.normal(count), shape, Reference)
        };
        let (real, fake) = (tensor(&[3, 2, 2, 1]), tensor(&[3, 2, 2, 1]));
        let (first, last) = (tensor(&[4, 5]), tensor(&[5, 1]));
        let penalty = |first: &Tensor| {
            let points = between(&real, &fake, &mut random());
            let hidden = tanh(&matmul(&reshape(&points, [3, 4]), first, Transpose::NONE));
            gradient_penalty(10.0, &points, &matmul(&hidden, &last, Transpose::NONE))
        };
        let weights = first.parameter();
        let ours = grad(&penalty(&weights), &[&weights], false)[0].to_f64();
        let h = 1e-5;
        for (i, ours) in ours.into_iter().enumerate() {
            let moved = |by: f64| {
                let mut values = first.to_f64();
                values[i] += by;
                penalty(&Tensor::new(&values, [4, 5], Reference)).item()
            };
            let difference = (moved(h) - moved(-h)) / (2.0 * h);
            assert!((ours - difference).abs() < 1e-7 * (1.0 + difference.abs()), "weight {i}: {ours} and {difference}");
        }
    }

    /// A critic of slope 3 everywhere is penalised by λ (3 - 1)².
    #[test]
    fn the_penalty_of_a_linear_critic_is_known() {
        let images = |value: f64| Tensor::full(value, [2, 1, 1, 1], Reference);
        let (real, fake) = (images(1.0), images(-1.0));
        let points = between(&real, &fake, &mut random());
        let penalty = gradient_penalty(10.0, &points, &reshape(&(3.0 * &points), [2, 1])).item();
        assert!((penalty - 40.0).abs() < 1e-9, "{penalty}");
    }

    /// Of D = w · x², whose slope is 2 w x: γ/2 times the mean over images of the sum of 4 w² x².
    #[test]
    fn the_zero_centred_penalty_is_its_formula_and_so_is_its_gradient() {
        let x = Tensor::new(&[1.0, -2.0, 0.5, 3.0], [2, 2], Reference).parameter();
        let w = Tensor::new(&[0.5, -1.5], [2, 1], Reference).parameter();
        let output = matmul(&square(&x), &w, Transpose::NONE);
        let penalty = zero_centred(10.0, &x, &output);
        let [a, b] = [(1.0 + 0.25) * 4.0 / 2.0, (4.0 + 9.0) * 4.0 / 2.0];
        assert!((penalty.item() - 5.0 * (0.25 * a + 2.25 * b)).abs() < 1e-12);
        let by_w = grad(&penalty, &[&w], false)[0].to_f64();
        for (found, expected) in by_w.iter().zip([5.0 * 2.0 * 0.5 * a, 5.0 * 2.0 * -1.5 * b]) {
            assert!((found - expected).abs() < 1e-12, "{found}, {expected}");
        }
    }
}
