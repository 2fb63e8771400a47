//! What is done to each value: batch norm, leaky ReLU with dropout, and Adam over all of dcgan-mnist's
//! parameters.

use super::{Pair, Row, fastest, normal};
use crate::subjects::common::{EPSILON, Elementwise, RATE, SLOPE, UPDATED, adam_name, passes};
use crate::subjects::{random, recipe};
use crate::torch::layout::{Layout, values};
use crate::torch::network::Network;
use crate::torch::optimizer::Adam;
use crate::torch::shim;
use minimax::autograd::vjp;
use minimax::gan::model::Gan;
use minimax::ops::dropout::Mask;
use minimax::{Device, Tensor, no_grad, ops};
use tch::Tensor as Torch;

/// Images of a batch.
const BATCH: usize = 256;

/// Forward and backward of each.
pub fn rows() -> Vec<Row> {
    let rows = passes(BATCH).into_iter().map(|pass| {
        let build = match (pass.what, pass.backward) {
            (Elementwise::BatchNorm, false) => batch_norm_forward,
            (Elementwise::BatchNorm, true) => batch_norm_backward,
            (Elementwise::LeakyDropout, false) => leaky_dropout_forward,
            (Elementwise::LeakyDropout, true) => leaky_dropout_backward,
        };
        Row::new(pass.name(), None, move || build(&pass.shape))
    });
    rows.chain([Row::new(adam_name(), None, adam)]).collect()
}

/// Images in `layout`, vectors as they are.
fn in_layout(x: &Tensor, layout: Layout) -> Torch {
    match x.dims().len() {
        4 => layout.images(x),
        _ => values(x),
    }
}

/// Gamma and beta for the last axis of `shape`.
fn affine(shape: &[usize]) -> [Tensor; 2] {
    let channels = shape[shape.len() - 1];
    [1.0, 0.0].map(|value| Tensor::full(value, [channels], Device::Cpu))
}

fn batch_norm_forward(shape: &[usize]) -> Result<Pair, String> {
    let x = normal(shape, &mut random());
    let [gamma, beta] = affine(shape);
    let (libtorch, layout) = fastest(|layout| {
        let x = in_layout(&x, layout);
        let (gamma, beta) = (values(&gamma), values(&beta));
        Ok(move || drop(normalized(&x, &gamma, &beta)))
    })?;
    let ours = move || {
        no_grad(|| ops::batch_norm(&x, &gamma, &beta, EPSILON));
    };
    Ok(Pair::new(ours, libtorch).with_layout(layout))
}

fn batch_norm_backward(shape: &[usize]) -> Result<Pair, String> {
    let mut random = random();
    let (x, grad) = (normal(shape, &mut random), normal(shape, &mut random));
    let [gamma, beta] = affine(shape);
    let (libtorch, layout) = fastest(|layout| {
        let (x, grad) = (in_layout(&x, layout), in_layout(&grad, layout));
        let (gamma, beta) = (values(&gamma), values(&beta));
        let (_, mean, inverse_deviation) = normalized(&x, &gamma, &beta);
        Ok(move || {
            let saved = [&mean, &inverse_deviation];
            drop(shim::batch_norm_backward(&grad, &x, &gamma, saved, EPSILON));
        })
    })?;
    let parameters = [x.parameter(), gamma.parameter(), beta.parameter()];
    let [x, gamma, beta] = &parameters;
    let y = ops::batch_norm(x, gamma, beta, EPSILON).y;
    let ours = move || {
        vjp(y.clone(), grad.clone(), &parameters.each_ref(), false);
    };
    Ok(Pair::new(ours, libtorch).with_layout(layout))
}

/// libtorch's y, mean and 1 / √(variance + ε).
fn normalized(x: &Torch, gamma: &Torch, beta: &Torch) -> (Torch, Torch, Torch) {
    let none = None::<&Torch>;
    x.native_batch_norm(Some(gamma), Some(beta), none, none, true, 0.01, EPSILON)
}

fn leaky_dropout_forward(shape: &[usize]) -> Result<Pair, String> {
    let mut random = random();
    let x = normal(shape, &mut random);
    let their_x = values(&x);
    Ok(Pair::new(
        move || {
            let mask = Mask::new(RATE, random.reserve(x.numel()));
            no_grad(|| ops::leaky_relu_dropout(&x, SLOPE, mask));
        },
        move || {
            drop(tch::no_grad(|| shim::leaky_relu(&their_x, SLOPE).dropout(RATE, true)));
        },
    ))
}

/// libtorch keeps the mask, so it is made before.
fn leaky_dropout_backward(shape: &[usize]) -> Result<Pair, String> {
    let mut random = random();
    let (x, grad) = (normal(shape, &mut random), normal(shape, &mut random));
    let (their_x, their_grad) = (values(&x), values(&grad));
    let mask = their_x.ones_like().dropout(RATE, true);
    let x = x.parameter();
    let our_mask = Mask::new(RATE, random.reserve(x.numel()));
    let y = ops::leaky_relu_dropout(&x, SLOPE, our_mask);
    Ok(Pair::new(
        move || {
            vjp(y.clone(), grad.clone(), &[&x], false);
        },
        move || {
            let grad = &their_grad * &mask;
            drop(their_x.leaky_relu_backward(&grad, SLOPE, false));
        },
    ))
}

/// A step of each network's optimiser.
fn adam() -> Result<Pair, String> {
    let recipe = recipe(UPDATED);
    let mut gan = Gan::new(&recipe, Device::Cpu);
    let mut theirs = Vec::new();
    for (spec, ours) in [(&recipe.generator, &gan.generator), (&recipe.discriminator, &gan.discriminator)] {
        let network = Network::new(spec, ours, Layout::ChannelsLast)?;
        let grads: Vec<Torch> = network.parameters.iter().map(Torch::randn_like).collect();
        theirs.push((Adam::new(&spec.optimizer, &network)?, network, grads));
    }
    let mut random = random();
    let mut grads = |parameters: Vec<&Tensor>| -> Vec<Tensor> {
        let draw = |p: &&Tensor| normal(p.shape(), &mut random);
        parameters.iter().map(draw).collect()
    };
    let g_grads = grads(gan.generator.parameters());
    let d_grads = grads(gan.discriminator.parameters());
    Ok(Pair::new(
        move || {
            let parameters = gan.generator.parameters_mut();
            gan.generator_optimizer.step(parameters, &g_grads);
            let parameters = gan.discriminator.parameters_mut();
            gan.discriminator_optimizer.step(parameters, &d_grads);
        },
        move || {
            for (adam, network, grads) in &mut theirs {
                adam.step(&network.parameters, grads);
            }
        },
    ))
}
