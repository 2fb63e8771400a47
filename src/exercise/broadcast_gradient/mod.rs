//! `broadcast-gradient`: what was repeated is summed.

use super::text::{Array, Case};
use super::{Exercise, Files, attribute, draw};
use crate::check::cases::elementwise::PAIRS;
use crate::ops::broadcast_to;
use crate::storage::Device;
use crate::tensor::Tensor;
use crate::{Shape, grad};
use std::collections::BTreeSet;

/// The exercise.
pub const EXERCISE: Exercise = Exercise {
    name: "broadcast-gradient",
    chapter: 1,
    task: "the gradient of stretching an array to a larger shape",
    files: Files::rust(include_str!("stub.rs"), include_str!("call.rs")),
    cases,
    further_cases,
    tolerance: 1e-12,
    hints: &[
        "Go over the places of y. For each, find the place of x that it is a copy of, and add ȳ there.",
        "From the place of y get its index along each axis. x lacks the first `to.len() - from.len()` axes, so drop \
         those. Where x has length 1, the index into x is 0 whatever it is in y.",
        "In numbers: with `missing = to.len() - from.len()`, the place in x is the sum over the axes a of x of \
         x's stride times (0 if from[a] is 1, else place / y's stride[missing + a] % to[missing + a]).",
    ],
    solution: "src/ops/sum/mod.rs (sum_to) and src/ops/broadcast/reference.rs",
};

fn cases() -> Vec<Case> {
    let pairs: [(&str, &[usize], &[usize]); 7] = [
        ("nothing is stretched", &[3], &[3]),
        ("a number to a row", &[], &[4]),
        ("a row to two rows", &[3], &[2, 3]),
        ("a column to three columns", &[2, 1], &[2, 3]),
        ("a bias on an image", &[2], &[2, 2, 2]),
        ("a missing axis and one of length 1", &[3, 1], &[2, 3, 4]),
        ("ones between other axes", &[1, 3, 1], &[2, 3, 2]),
    ];
    pairs.map(|(name, from, to)| case(name, from, to)).to_vec()
}

/// The shapes that the engine's own ops of two inputs are checked with: each to the shape that both are stretched to.
fn further_cases() -> Vec<Case> {
    let both = PAIRS.iter().flat_map(|[a, b]| [(a, b), (b, a)]);
    let stretched = both.filter_map(|(from, other)| Some((*from, Shape::new(from).broadcast(Shape::new(other))?)));
    let pairs: BTreeSet<(&[usize], Vec<usize>)> = stretched.map(|(from, to)| (from, to.dims().to_vec())).collect();
    let pairs = pairs.into_iter().filter(|(from, to)| from != to);
    pairs.map(|(from, to)| case(&format!("{from:?} to {to:?}"), from, &to)).collect()
}

fn case(name: &str, from: &[usize], to: &[usize]) -> Case {
    let x = Tensor::zeros(from, Device::Reference).parameter();
    let y_grad = draw(name, "y_grad", to);
    let loss = (broadcast_to(&x, to) * y_grad.tensor()).sum(..);
    let x_grad = grad(&loss, &[&x], false)[0].to_f64();
    let lengths: Vec<f64> = from.iter().map(|&length| length as f64).collect();
    Case {
        name: name.to_string(),
        given: vec![y_grad, attribute("from", &lengths)],
        wanted: vec![Array::new("x_grad", from, x_grad)],
    }
}
