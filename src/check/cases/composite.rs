//! Ops put together as networks put them: a small critic, and the gradient penalty of WGAN-GP,
//! whose own gradients are second-order gradients of the critic.

use super::{Case, Input, normal};
use crate::autograd::grad;
use crate::ops::*;
use crate::shape::Padding;
use crate::tensor::Tensor;

/// The cases of this family.
pub fn cases() -> Vec<Case> {
    vec![
        Case::new("critic", "conv, leaky, dense", &critic_inputs(), critic).kinks(convolved),
        Case::new("critic", "conv, batch norm, leaky, dense", &normalised_inputs(), normalised_critic)
            .kinks(normalised),
        Case::new("gradient_penalty", "WGAN-GP", &critic_inputs(), |t| gradient_penalty(t, critic)).kinks(convolved),
        Case::new("gradient_penalty", "smooth critic with batch norm", &normalised_inputs(), |t| {
            gradient_penalty(t, smooth_critic)
        }),
    ]
}

const IMAGE: [usize; 4] = [3, 5, 5, 2];

/// x, the convolution's weights, the dense layer's weights and bias.
fn critic_inputs() -> [Input; 4] {
    let x = normal(IMAGE);
    [x, normal([3, 3, 2, 3]), normal([27, 1]), normal([1])]
}

/// The same with γ and β.
fn normalised_inputs() -> [Input; 6] {
    let [x, conv, weight, bias] = critic_inputs();
    [x, conv, weight, bias, normal([3]), normal([3])]
}

/// What the leaky ReLU of a critic reads, and so what its kinks are at 0 of.
fn convolved(t: &[Tensor]) -> Tensor {
    let padding = Padding::same([5, 5], [3, 3], [2, 2]);
    conv2d(&t[0], &t[1], [2, 2], padding)
}

/// The same with batch normalisation.
fn normalised(t: &[Tensor]) -> Tensor {
    batch_norm(&convolved(t), &t[4], &t[5], 1e-3).y
}

/// The scores `[n, 1]` of hidden maps.
fn scores(hidden: &Tensor, t: &[Tensor]) -> Tensor {
    dense(&reshape(hidden, [IMAGE[0], 27]), &t[2], &t[3])
}

fn critic(t: &[Tensor]) -> Tensor {
    scores(&leaky_relu(&convolved(t), 0.3), t)
}

fn normalised_critic(t: &[Tensor]) -> Tensor {
    scores(&leaky_relu(&normalised(t), 0.3), t)
}

fn smooth_critic(t: &[Tensor]) -> Tensor {
    scores(&tanh(&normalised(t)), t)
}

/// mean((‖∂D/∂x‖ - 1)²), the norm taken image by image (Gulrajani et al., "Improved training of
/// Wasserstein GANs", 2017).
fn gradient_penalty(t: &[Tensor], critic: fn(&[Tensor]) -> Tensor) -> Tensor {
    let score = sum(&critic(t), &[0, 1]);
    let slope = &grad(&score, &[&t[0]], true)[0];
    let norm = sqrt(&sum(&square(slope), &[1, 2, 3]));
    mean(&square(&(&norm - 1.0)), &[0])
}
