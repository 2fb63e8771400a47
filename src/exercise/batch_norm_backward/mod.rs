//! `batch-norm-backward`: the gradients of batch normalisation.

use super::text::{Array, Case};
use super::{Exercise, Files, draw, number};
use crate::grad;
use crate::ops::batch_norm;
use crate::storage::Device;
use crate::tensor::Tensor;

/// The exercise.
pub const EXERCISE: Exercise = Exercise {
    name: "batch-norm-backward",
    chapter: 6,
    task: "the gradients of batch normalisation, through mean and variance",
    files: Files::rust(include_str!("stub.rs"), include_str!("call.rs")),
    cases,
    further_cases,
    tolerance: 1e-9,
    hints: &[
        "Work on one channel at a time: μ, then σ², then s and the x̂ of its column. β̄ and γ̄ are two sums over it, and \
         both are needed again: mean(h) is γ · β̄ / N, and mean(x̂ · h) is γ · γ̄ / N.",
        "If x̄ is wrong where there is one example, or where a column is constant, look at ε: it is under the root, in \
         s, and nowhere else. Whatever ȳ is, the x̄ of a column must add up to 0.",
    ],
    solution: "src/ops/batch_norm/reference.rs",
};

fn cases() -> Vec<Case> {
    vec![
        case("four examples", [4, 1], 1e-5, |value| value),
        case("two examples", [2, 1], 1e-5, |value| value),
        case("two channels", [3, 2], 1e-5, |value| value),
        case("a large epsilon", [3, 2], 0.5, |value| value),
        case("one example", [1, 3], 0.1, |value| value),
        case("a column that is constant", [3, 1], 0.25, |_| 2.0),
        case("values far from 0", [4, 2], 1e-3, |value| value + 100.0),
    ]
}

fn further_cases() -> Vec<Case> {
    vec![case("many examples", [17, 3], 1e-5, |value| value), case("many channels", [2, 9], 1e-3, |value| value)]
}

fn case(name: &str, shape: [usize; 2], epsilon: f64, change: fn(f64) -> f64) -> Case {
    let channels = [shape[1]];
    let [mut x, gamma, y_grad] =
        [("x", &shape[..]), ("gamma", &channels), ("y_grad", &shape)].map(|(of, shape)| draw(name, of, shape));
    x.values.iter_mut().for_each(|value| *value = change(*value));
    let [xt, gt] = [&x, &gamma].map(|array| array.tensor().parameter());
    let beta = Tensor::zeros(channels, Device::Reference).parameter();
    let y = batch_norm(&xt, &gt, &beta, epsilon).y;
    let grads = grad(&(y * y_grad.tensor()).sum(..), &[&beta, &gt, &xt], false);
    let names = ["beta_grad", "gamma_grad", "x_grad"].into_iter().zip(&grads);
    Case {
        name: name.to_string(),
        given: vec![x, gamma, number("epsilon", epsilon), y_grad],
        wanted: names.map(|(name, grad)| Array::new(name, grad.dims(), grad.to_f64())).collect(),
    }
}
