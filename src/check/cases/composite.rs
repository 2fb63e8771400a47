//! Ops put together as networks put them: a small critic, a residual layer, and penalties on a critic's
//! slope, whose own gradients are second-order gradients of the critic.

use super::{Case, Input, normal};
use crate::autograd::grad;
use crate::nn::{
    Activation, Attention, BatchNorm, Conv2d, Convolution, GlobalAveragePool2d, GroupNorm, Initializer, Layer,
    MinibatchStddev, Pass, PixelShuffle, Residual,
};
use crate::ops::*;
use crate::random::{Purpose, Random};
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
        Case::new("zero_centred", "R1 of a smooth critic with batch norm", &normalised_inputs(), |t| {
            mean(&squared_slopes(t, smooth_critic), &[0])
        }),
        Case::new("residual", "conv, tanh, and one inside of its shortcut", &residual_inputs(), residual),
        Case::new("gradient_penalty", "residual critic", &residual_critic_inputs(), |t| {
            gradient_penalty(t, residual_critic)
        }),
        group_normalised(&[2, 3, 2, 6], 3),
        group_normalised(&[2, 2, 2, 5], 1),
        group_normalised(&[3, 2, 3, 4], 4),
        group_normalised(&[3, 6], 2),
        Case::new("pixel_shuffle", "by 2", &[normal([2, 2, 3, 12])], |t| {
            PixelShuffle { factor: 2 }.forward(&t[0], &mut Pass::evaluation())
        }),
        differing([6, 2, 1, 3], 3),
        differing([3, 2, 2, 2], 4),
        Case::new("attention", "c16", &attention_inputs(), attention).kinks(between_pooled),
        Case::new("gradient_penalty", "critic with attention", &attentive_inputs(), |t| {
            gradient_penalty(t, attentive_critic)
        })
        .kinks(between_pooled),
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

/// The input of a critic's leaky ReLU, whose kinks are where this is 0.
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

/// x, and the variables of the layer below in its order.
fn residual_inputs() -> [Input; 7] {
    let kernel = |size: usize, from: usize, to: usize| normal([size, size, from, to]);
    [normal(IMAGE), kernel(3, 2, 3), normal([3]), normal([3]), kernel(1, 3, 3), kernel(1, 2, 3), kernel(3, 3, 3)]
}

/// The same with the weights of a dense layer. They differ from place to place: a plain sum of batch norm's output
/// would be a constant, whose slope is only rounding.
fn residual_critic_inputs() -> Vec<Input> {
    residual_inputs().into_iter().chain([normal([27, 1])]).collect()
}

/// The means `[n, 3]` of a residual layer's images.
fn residual(t: &[Tensor]) -> Tensor {
    GlobalAveragePool2d.forward(&residual_layer(t), &mut Pass::evaluation())
}

/// A residual layer under a dense one, `[n, 1]`.
fn residual_critic(t: &[Tensor]) -> Tensor {
    let y = residual_layer(&t[..7]);
    matmul(&reshape(&y, [IMAGE[0], 27]), &t[7], Transpose::NONE)
}

/// A residual layer of convolutions that halves the size. Its layers end in batch norm and a convolution; its shortcut
/// ends in a residual without a shortcut: `[n, 3, 3, 3]`.
fn residual_layer(t: &[Tensor]) -> Tensor {
    let device = t[0].device();
    let mut random = Random::new(0, Purpose::CHECK);
    let mut conv = |from: usize, filters: usize, size: usize, stride: usize| -> Box<dyn Layer> {
        let attributes = Convolution { stride: [stride; 2], bias: false, ..Convolution::new(filters, [size; 2]) };
        Box::new(Conv2d::from_random(from, &attributes, Initializer::Zeros, &mut random, device))
    };
    let tanh = || -> Box<dyn Layer> { Box::new(Activation::Tanh) };
    let layers = vec![conv(2, 3, 3, 2), Box::new(BatchNorm::new(3).momentum(0.9).to(device)), tanh(), conv(3, 3, 1, 1)];
    let halved = conv(2, 3, 1, 2);
    let inner = Residual::new(vec![tanh(), conv(3, 3, 3, 1)], vec![]);
    let mut layer = Residual::new(layers, vec![halved, Box::new(inner)]);
    let learned = layer.variables_mut().into_iter().filter(|variable| variable.trainable);
    for (variable, value) in learned.zip(&t[1..]) {
        *variable.tensor = value.clone();
    }
    layer.forward(&t[0], &mut Pass::training(&mut Random::new(0, Purpose::DROPOUT)))
}

/// Group normalisation of x by γ and β.
fn group_normalised(shape: &[usize], groups: usize) -> Case {
    let channels = shape[shape.len() - 1];
    let inputs = [normal(shape), normal([channels]), normal([channels])];
    Case::new("group_norm", format!("{shape:?} in {groups}"), &inputs, move |t| {
        let mut layer = GroupNorm::new(channels, groups, 1e-5, t[0].device());
        for (variable, value) in layer.variables_mut().into_iter().zip(&t[1..]) {
            *variable.tensor = value.clone();
        }
        layer.forward(&t[0], &mut Pass::evaluation())
    })
}

/// Minibatch standard deviation.
fn differing(shape: [usize; 4], group: usize) -> Case {
    Case::new("minibatch_stddev", format!("{shape:?} by {group}"), &[normal(shape)], move |t| {
        MinibatchStddev { group }.forward(&t[0], &mut Pass::evaluation())
    })
}

const MAPS: [usize; 4] = [2, 2, 4, 16];

/// x, and the variables of an attention layer in its order.
fn attention_inputs() -> [Input; 6] {
    let kernel = |from: usize, to: usize| normal([1, 1, from, to]);
    [normal(MAPS), kernel(16, 2), kernel(16, 2), kernel(16, 8), kernel(8, 16), normal([1])]
}

/// The same with the weights of a dense layer.
fn attentive_inputs() -> Vec<Input> {
    attention_inputs().into_iter().chain([normal([MAPS[1..].iter().product(), 1])]).collect()
}

/// The attention layer. Kernels are made smaller, so that softmax isn't all but one-hot.
fn attention(t: &[Tensor]) -> Tensor {
    let mut layer = Attention::new(16, Initializer::Zeros, &mut Random::new(0, Purpose::CHECK), t[0].device());
    for (variable, value) in layer.variables_mut().into_iter().zip(&t[1..6]) {
        *variable.tensor = value * 0.25;
    }
    layer.forward(&t[0], &mut Pass::evaluation())
}

fn attentive_critic(t: &[Tensor]) -> Tensor {
    let y = tanh(&attention(t));
    matmul(&reshape(&y, [MAPS[0], MAPS[1..].iter().product()]), &(&t[6] * 0.1), Transpose::NONE)
}

/// The difference of each two values of one window of the pooled keys and values: the kinks of pooling are where it is
/// 0.
fn between_pooled(t: &[Tensor]) -> Tensor {
    let windows = |kernel: &Tensor| {
        let maps = conv2d(&t[0], kernel, [1, 1], Padding::VALID);
        let [n, h, w, c] = [MAPS[0], MAPS[1], MAPS[2], kernel.dims()[3]];
        let blocks = permute(&reshape(&maps, [n, h / 2, 2, w / 2, 2, c]), &[2, 4, 0, 1, 3, 5]);
        reshape(&blocks, [4, n * h * w * c / 4])
    };
    let all = concat(&[&windows(&t[2]), &windows(&t[3])], 1);
    let row = |i: usize| slice(&all, &[i..i + 1, 0..all.dims()[1]]);
    let pairs = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)];
    let apart: Vec<Tensor> = pairs.map(|(i, j)| row(i) - row(j)).into();
    concat(&apart.iter().collect::<Vec<_>>(), 0)
}

/// mean((‖∂D/∂x‖ - 1)²), the norm taken image by image (Gulrajani et al., "Improved training of
/// Wasserstein GANs", 2017).
fn gradient_penalty(t: &[Tensor], critic: fn(&[Tensor]) -> Tensor) -> Tensor {
    let norm = sqrt(&squared_slopes(t, critic));
    mean(&square(&(&norm - 1.0)), &[0])
}

/// ‖∂D/∂x‖², image by image.
fn squared_slopes(t: &[Tensor], critic: fn(&[Tensor]) -> Tensor) -> Tensor {
    let score = sum(&critic(t), &[0, 1]);
    let slope = &grad(&score, &[&t[0]], true)[0];
    sum(&square(slope), &[1, 2, 3])
}
