//! Batch normalisation, dropout and losses.

use super::{Case, Input, normal, positive, probability};
use crate::ops::batch_norm::Running;
use crate::ops::dropout::Mask;
use crate::ops::*;
use crate::random::{Position, Purpose, Random};
use crate::shape::Shape;
use crate::storage::Device;
use crate::tensor::Tensor;

type Loss = fn(&Tensor, &Tensor) -> Tensor;
type Along = fn(&Tensor, usize) -> Tensor;
type Argument = fn([usize; 2]) -> Input;

/// The cases of this family.
pub fn cases() -> Vec<Case> {
    let batches: [&[usize]; 7] = [&[5, 3], &[4, 1], &[9, 17], &[1, 3], &[2, 4, 3, 3], &[1, 3, 3, 17], &[3, 1, 1, 2]];
    let mut all = Vec::new();
    all.extend(batches.map(|shape| normalised(shape, 1e-3)));
    all.push(normalised(&[6, 2], 1e-5));
    for (shape, slope, rate) in
        [(&[5, 3][..], 0.3, None), (&[9, 17], 0.0, None), (&[2, 4, 3, 3], 0.3, Some(0.4)), (&[7, 5], 0.1, Some(0.3))]
    {
        let kinks = |t: &[Tensor]| batch_norm(&t[0], &t[1], &t[2], 1e-3).y;
        all.push(normalised_and_rectified(shape, slope, rate, |beta| beta.clone()).kinks(kinks));
    }
    all.extend(batches.map(normalised_by_running_statistics));
    all.extend(batches.map(normalised_in_training));
    for (shape, rate) in [(&[3, 17][..], 0.3), (&[2, 3, 3, 5], 0.5), (&[1], 0.9), (&[7], 0.0)] {
        all.push(dropped(shape, rate));
        all.push(rectified_and_dropped(shape, rate).kinks(|t| t[0].clone()));
        all.push(noisy("random_normal", random_normal, shape));
        all.push(noisy("random_uniform", random_uniform, shape));
    }

    // A row: the loss, and its two arguments.
    let losses: [(&str, Loss, Argument, Argument); 5] = [
        ("binary_cross_entropy", binary_cross_entropy, probability, target),
        ("binary_cross_entropy_with_logits", binary_cross_entropy_with_logits, normal, target),
        ("cross_entropy", cross_entropy, normal, target),
        ("mean_squared_error", mean_squared_error, normal, normal),
        ("wasserstein", wasserstein, normal, normal),
    ];
    // One target for all values, and one for each column, each with a gradient of its own.
    for (op, f, x, _) in &losses[..2] {
        for targets in [&[][..], &[17]] {
            let inputs = [x([4, 17]), probability(targets)];
            let f = *f;
            all.push(Case::new(op, format!("[4, 17] {targets:?}"), &inputs, move |t| f(&t[0], &t[1])));
        }
    }
    for shape in [[5, 1], [1, 1], [4, 17]] {
        let name = format!("{shape:?}");
        all.extend(losses.map(|(op, f, x, target)| {
            let inputs = [x(shape), target(shape)];
            Case::new(op, name.clone(), &inputs, move |t| f(&t[0], &t[1]))
        }));
        let x = normal(shape);
        all.push(Case::new("log_softmax", name, &[x], |t| log_softmax(&t[0], 1)));
    }
    for (op, f) in [("softmax", softmax as Along), ("log_softmax", log_softmax)] {
        for (shape, axis) in [(&[7][..], 0), (&[4, 50], 1), (&[50, 4], 0), (&[2, 3, 4, 5], 1), (&[2, 3, 1, 5], 2)] {
            all.push(along(op, f, shape, axis));
        }
    }
    all
}

/// `f` along an axis.
pub fn along(op: &'static str, f: fn(&Tensor, usize) -> Tensor, shape: &[usize], axis: usize) -> Case {
    Case::new(op, format!("{shape:?} along {axis}"), &[normal(shape)], move |t| f(&t[0], axis))
}

/// Batch normalisation as in training: the normalised batch as a function of x, γ and β.
pub fn normalised(shape: &[usize], epsilon: f64) -> Case {
    let channels = [shape[shape.len() - 1]];
    let inputs = [normal(shape), normal(channels), normal(channels)];
    let name = format!("{shape:?} epsilon {epsilon}");
    Case::new("batch_norm", name, &inputs, move |t| batch_norm(&t[0], &t[1], &t[2], epsilon).y)
}

/// What batch normalisation gives in training: the normalised batch and the running statistics, all in one sum. The
/// statistics are constants to the derivative rule, so that it isn't compared with differences.
fn normalised_in_training(shape: &[usize]) -> Case {
    let c = [shape[shape.len() - 1]];
    let inputs = [normal(shape), normal(c), normal(c), normal(c).constant(), positive(c).constant()];
    Case::new("batch_norm_training", format!("{shape:?}"), &inputs, |t| {
        let [mut mean, mut variance] = [t[3].clone(), t[4].clone()];
        let running = Running { mean: &mut mean, variance: &mut variance, momentum: 0.7, correction: 1.25 };
        let y = batch_norm_training(&t[0], &t[1], &t[2], 1e-3, 1.0, None, running);
        y + mean + variance
    })
    .on_kinks()
}

/// Batch normalisation as in evaluation: x, γ, β, mean and variance.
fn normalised_by_running_statistics(shape: &[usize]) -> Case {
    let c = [shape[shape.len() - 1]];
    let inputs = [normal(shape), normal(c), normal(c), normal(c), positive(c)];
    Case::new("batch_norm_evaluate", format!("{shape:?}"), &inputs, |t| {
        batch_norm_evaluate(&t[0], &t[1], &t[2], &t[3], &t[4], 1e-3)
    })
}

/// Batch normalisation with leaky ReLU, and dropout at `rate`, in one op; β is `shift` of an input.
pub fn normalised_and_rectified(shape: &[usize], slope: f64, rate: Option<f64>, shift: fn(&Tensor) -> Tensor) -> Case {
    let channels = [shape[shape.len() - 1]];
    let inputs = [normal(shape), normal(channels), normal(channels)];
    let name = format!("{shape:?} slope {slope} rate {rate:?}");
    let mask = rate.map(|rate| Mask::new(rate, POSITION));
    Case::new("batch_norm_leaky_relu", name, &inputs, move |t| {
        batch_norm_leaky_relu(&t[0], &t[1], &shift(&t[2]), 1e-3, slope, mask).y
    })
}

/// The position of the random words of every mask here.
pub(super) const POSITION: Position = Position { seed: 11, stream: Purpose::DROPOUT.stream(), block: 3 };

/// Dropout by a fixed mask.
pub fn dropped(shape: &[usize], rate: f64) -> Case {
    let name = format!("{shape:?} rate {rate}");
    Case::new("dropout", name, &[normal(shape)], move |t| dropout(&t[0], rate, POSITION))
}

/// Random numbers, times an input.
fn noisy(op: &'static str, draw: fn(&mut Random, Shape, Device) -> Tensor, shape: &[usize]) -> Case {
    Case::new(op, format!("{shape:?}"), &[normal(shape)], move |t| {
        let mut random = Random::new(11, Purpose::CHECK);
        &t[0] * draw(&mut random, t[0].shape(), t[0].device())
    })
}

/// Leaky ReLU and dropout in one op.
pub fn rectified_and_dropped(shape: &[usize], rate: f64) -> Case {
    let name = format!("{shape:?} rate {rate}");
    let mask = Mask::new(rate, POSITION);
    Case::new("leaky_relu_dropout", name, &[normal(shape)], move |t| leaky_relu_dropout(&t[0], 0.3, mask))
}

/// The target of a prediction: a probability, and a constant.
fn target(shape: [usize; 2]) -> Input {
    probability(shape).constant()
}
