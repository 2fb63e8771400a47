//! `adam`: a few updates of a few parameters.

use super::text::{Array, Case};
use super::{Exercise, Files, draw, number};
use crate::optim::{Adam, Part, UpdateRule};

/// The exercise.
pub const EXERCISE: Exercise = Exercise {
    name: "adam",
    chapter: 7,
    task: "Adam's update, with the paper's epsilon",
    files: Files::rust(include_str!("stub.rs"), include_str!("call.rs")),
    cases,
    further_cases,
    tolerance: 1e-10,
    hints: &[
        "Go through the parameters one by one: first the new m and v, then m̂ and v̂ in variables of their own, then p. \
         `b.powi(t)` is bᵗ.",
        "If the first row is right and later ones are not, look at what is kept from one update to the next: m and v, \
         not m̂ and v̂. If the first digits of p are right and later ones are not, look at where ε is added.",
    ],
    solution: "src/optim/adam.rs (reference)",
};

fn cases() -> Vec<Case> {
    let adam = Adam::new(0.1);
    vec![
        case("the first update", adam, &[1.0, -2.0], &[0.5, -3.0]),
        case("a gradient that stays", adam, &[1.0], &[2.0, 2.0, 2.0, 2.0]),
        case("three updates", adam, &[1.0, 0.0], &[0.5, -1.0, 0.25, 1.0, -2.0, 0.0]),
        case("a gradient of 0", adam, &[3.0], &[0.0, 0.0]),
        case("tiny gradients", adam, &[1.0, 1.0], &[1e-8, 1e-9, -1e-8, 2e-9]),
        case("a GAN's betas", Adam::new(2e-4).betas([0.5, 0.999]), &[0.5], &[1.0, -1.0, 3.0]),
    ]
}

fn further_cases() -> Vec<Case> {
    let name = "many updates";
    let g = draw(name, "g", &[12, 3]).values;
    vec![case(name, Adam::new(0.01).betas([0.0, 0.9]), &[1.0, 2.0, 3.0], &g)]
}

/// As many updates as `g` has rows.
fn case(name: &str, adam: Adam, start: &[f64], g: &[f64]) -> Case {
    let mut p = start.to_vec();
    let [mut m, mut v] = [vec![0.0; p.len()], vec![0.0; p.len()]];
    let mut rows = [Vec::new(), Vec::new(), Vec::new()];
    for (t, g) in (1..).zip(g.chunks(p.len())) {
        adam.reference(t, Part { p: &mut p, g, slots: [&mut m, &mut v] });
        rows.iter_mut().zip([&m, &v, &p]).for_each(|(rows, row)| rows.extend(row));
    }
    let shape = [g.len() / p.len(), p.len()];
    let [beta1, beta2] = adam.betas;
    Case {
        name: name.to_string(),
        given: vec![
            Array::new("p", &[p.len()], start.to_vec()),
            Array::new("g", &shape, g.to_vec()),
            number("learning_rate", adam.learning_rate),
            number("beta1", beta1),
            number("beta2", beta2),
            number("epsilon", adam.epsilon),
        ],
        wanted: ["m", "v", "p"].into_iter().zip(rows).map(|(name, rows)| Array::new(name, &shape, rows)).collect(),
    }
}
