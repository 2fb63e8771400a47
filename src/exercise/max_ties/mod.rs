//! `max-ties`: the gradient of a maximum, also where it has none.

use super::text::{Array, Case};
use super::{Exercise, Files, draw, number};
use crate::grad;
use crate::ops::max;

/// The exercise.
pub const EXERCISE: Exercise = Exercise {
    name: "max-ties",
    chapter: 4,
    task: "the gradient of the largest value along an axis, shared where several tie",
    files: Files::rust(include_str!("stub.rs"), include_str!("call.rs")),
    cases,
    further_cases,
    tolerance: 1e-12,
    hints: &[
        "For each pair of a and c, go along the axis twice: first for the largest value and how many elements have it, \
         then to hand out the shares.",
        "Begin the search for the largest with f64::NEG_INFINITY or with the first element, not with 0: all values may \
         be negative.",
    ],
    solution: "src/ops/max/mod.rs",
};

fn cases() -> Vec<Case> {
    vec![
        case("no ties", &[3], &[1.0, 5.0, 2.0], 0),
        case("negative values", &[3], &[-2.0, -1.0, -3.0], 0),
        case("a tie of two", &[3], &[4.0, 0.0, 4.0], 0),
        case("all equal", &[4], &[0.0; 4], 0),
        case("along rows", &[2, 3], &[1.0, 5.0, 2.0, 4.0, 0.0, 4.0], 1),
        case("along columns", &[2, 3], &[1.0, 5.0, 2.0, 4.0, 0.0, 2.0], 0),
        case("the axis between others", &[2, 2, 2], &[1.0, 0.0, 1.0, 2.0, -1.0, 3.0, -2.0, 3.0], 1),
    ]
}

fn further_cases() -> Vec<Case> {
    let ties = |shape: &[usize], axis| {
        let name = format!("axis {axis} of {shape:?}");
        // Whole numbers, of which many are equal.
        let values: Vec<f64> = draw(&name, "x", shape).values.iter().map(|value| value.round()).collect();
        case(&name, shape, &values, axis)
    };
    vec![ties(&[3, 4, 5], 0), ties(&[3, 4, 5], 1), ties(&[3, 4, 5], 2), ties(&[5, 1, 3], 1)]
}

fn case(name: &str, shape: &[usize], values: &[f64], axis: usize) -> Case {
    let x = Array::new("x", shape, values.to_vec());
    let of = x.tensor().parameter();
    let y = max(&of, &[axis]);
    // Multiples of 12, whose shares can be looked at.
    let mut y_grad = draw(name, "y_grad", y.dims());
    y_grad.values.iter_mut().for_each(|value| *value *= 48.0);
    let x_grad = grad(&(&y * y_grad.tensor()).sum(..), &[&of], false)[0].to_f64();
    Case {
        name: name.to_string(),
        given: vec![x, number("axis", axis as f64), y_grad],
        wanted: vec![Array::new("x_grad", shape, x_grad)],
    }
}
