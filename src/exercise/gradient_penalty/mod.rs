//! `gradient-penalty`: how steep a critic is, and the gradient of that by its weights.

use super::text::{Array, Case};
use super::{Exercise, Files, draw, number};
use crate::gan::penalty::gradient_penalty;
use crate::grad;

/// The exercise.
pub const EXERCISE: Exercise = Exercise {
    name: "gradient-penalty",
    chapter: 3,
    task: "a gradient penalty of a small critic, and its gradient by the weights",
    files: Files::rust(include_str!("stub.rs"), include_str!("call.rs")),
    cases,
    further_cases,
    tolerance: 1e-8,
    hints: &[
        "Write a function that makes h, s, u, g and r of one point, and have both functions use it. The penalty is then \
         one line.",
        "For the gradient, calculate q from g and r, then t from q and W, before you go over the weights. Each weight \
         gets two contributions; divide by the number of points, and multiply by λ, at the end.",
        "If one point is right and several are not, look at what is summed over points and what begins anew at each.",
    ],
    solution: "src/gan/penalty.rs, whose gradient comes of the engine's second derivatives",
};

fn cases() -> Vec<Case> {
    vec![
        case("one value, one hidden unit", [1, 1, 1], 1.0),
        case("two values", [1, 2, 1], 1.0),
        case("two hidden units", [1, 1, 2], 1.0),
        case("a lambda of ten", [1, 2, 3], 10.0),
        case("three points", [3, 2, 3], 10.0),
    ]
}

fn further_cases() -> Vec<Case> {
    vec![case("more of everything", [5, 4, 6], 10.0)]
}

/// So many points, values and hidden units.
fn case(name: &str, [points, d, hidden]: [usize; 3], lambda: f64) -> Case {
    let [x, mut w, mut v] =
        [("x", &[points, d][..]), ("w", &[d, hidden]), ("v", &[hidden])].map(|(of, shape)| draw(name, of, shape));
    // Moved off 0: where the slope is 0, its length has no derivative.
    for array in [&mut w, &mut v] {
        array.values.iter_mut().for_each(|value| *value = *value / 2.0 + 0.125);
    }
    let [xt, wt] = [&x, &w].map(|array| array.tensor().parameter());
    let vt = v.tensor().reshape([hidden, 1]);
    let penalty = gradient_penalty(lambda, &xt, &xt.matmul(&wt).tanh().matmul(&vt));
    let w_grad = grad(&penalty, &[&wt], false)[0].to_f64();
    let wanted = vec![number("penalty", penalty.item()), Array::new("w_grad", &w.shape, w_grad)];
    Case { name: name.to_string(), given: vec![x, w, v, number("lambda", lambda)], wanted }
}
