//! Batch normalisation, dropout and losses.

use super::{Case, Input, normal, positive, probability};
use crate::ops::*;
use crate::random::{Position, Purpose};
use crate::tensor::Tensor;

type Loss = fn(&Tensor, &Tensor) -> Tensor;
type Argument = fn([usize; 2]) -> Input;

/// The cases of this family.
pub fn cases() -> Vec<Case> {
    let batches: [&[usize]; 7] = [
        &[5, 3],
        &[4, 1],
        &[9, 17],
        &[1, 3],
        &[2, 4, 3, 3],
        &[1, 3, 3, 17],
        &[3, 1, 1, 2],
    ];
    let mut all = Vec::new();
    all.extend(batches.map(|shape| normalised(shape, 1e-3)));
    all.push(normalised(&[6, 2], 1e-5));
    all.extend(batches.map(normalised_by_running_statistics));
    for (shape, rate) in [
        (&[3, 17][..], 0.3),
        (&[2, 3, 3, 5], 0.5),
        (&[1], 0.9),
        (&[7], 0.0),
    ] {
        all.push(dropped(shape, rate));
    }

    // A row: the loss, and its two arguments.
    let losses: [(&str, Loss, Argument, Argument); 5] = [
        (
            "binary_cross_entropy",
            binary_cross_entropy,
            probability,
            target,
        ),
        (
            "binary_cross_entropy_with_logits",
            binary_cross_entropy_with_logits,
            normal,
            target,
        ),
        ("cross_entropy", cross_entropy, normal, target),
        ("mean_squared_error", mean_squared_error, normal, normal),
        ("wasserstein", wasserstein, normal, normal),
    ];
    for shape in [[5, 1], [1, 1], [4, 17]] {
        let name = format!("{shape:?}");
        all.extend(losses.map(|(op, f, x, target)| {
            let inputs = [x(shape), target(shape)];
            Case::new(op, name.clone(), &inputs, move |t| f(&t[0], &t[1]))
        }));
        let x = normal(shape);
        all.push(Case::new("log_softmax", name, &[x], |t| log_softmax(&t[0])));
    }
    all
}

/// Batch normalisation as in training: the normalised batch as a function of x, γ and β.
pub fn normalised(shape: &[usize], epsilon: f64) -> Case {
    let channels = [shape[shape.len() - 1]];
    let inputs = [normal(shape), normal(channels), normal(channels)];
    let name = format!("{shape:?} epsilon {epsilon}");
    Case::new("batch_norm", name, &inputs, move |t| {
        batch_norm(&t[0], &t[1], &t[2], epsilon).y
    })
}

/// Batch normalisation as in evaluation: x, γ, β, mean and variance.
fn normalised_by_running_statistics(shape: &[usize]) -> Case {
    let c = [shape[shape.len() - 1]];
    let inputs = [normal(shape), normal(c), normal(c), normal(c), positive(c)];
    Case::new("batch_norm_evaluate", format!("{shape:?}"), &inputs, |t| {
        batch_norm_evaluate(&t[0], &t[1], &t[2], &t[3], &t[4], 1e-3)
    })
}

/// Dropout by a mask that stands still.
pub fn dropped(shape: &[usize], rate: f64) -> Case {
    let position = Position {
        seed: 11,
        stream: Purpose::Dropout as u64,
        block: 3,
    };
    let name = format!("{shape:?} rate {rate}");
    Case::new("dropout", name, &[normal(shape)], move |t| {
        dropout(&t[0], rate, position)
    })
}

/// What a prediction is held to: a probability, and a constant.
fn target(shape: [usize; 2]) -> Input {
    probability(shape).constant()
}
