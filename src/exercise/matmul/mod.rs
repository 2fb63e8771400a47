//! `matmul`: a product of matrices and its gradients.

use super::text::{Array, Case};
use super::{Exercise, Files, draw};
use crate::check::cases::products::SIZES;
use crate::grad;
use crate::ops::{Transpose, matmul};

/// The exercise.
pub const EXERCISE: Exercise = Exercise {
    name: "matmul",
    chapter: 2,
    task: "a product of two matrices, and its gradient by each",
    files: Files::rust(include_str!("stub.rs"), include_str!("call.rs")),
    cases,
    further_cases,
    tolerance: 1e-10,
    hints: &[
        "Three nested loops, over i, p and j, serve for all of it. The product of two elements is added to the third: \
         c[i · n + j], a_grad[i · k + p] or b_grad[p · n + j].",
        "A has rows of k, B of n and C of n elements. If square matrices are right and others are not, one of these \
         lengths is taken for another.",
    ],
    solution: "src/ops/matmul/reference.rs, with the rules in src/ops/matmul/mod.rs",
};

fn cases() -> Vec<Case> {
    [
        ("two numbers", [1, 1, 1]),
        ("a row by a column", [1, 3, 1]),
        ("a column by a row", [3, 1, 2]),
        ("square matrices", [2, 2, 2]),
        ("no two sizes equal", [2, 3, 4]),
    ]
    .map(|(name, sizes)| case(name, sizes))
    .to_vec()
}

/// The sizes that the engine's own product is checked with.
fn further_cases() -> Vec<Case> {
    SIZES.map(|sizes @ [m, k, n]| case(&format!("{m} by {k} by {n}"), sizes)).to_vec()
}

fn case(name: &str, [m, k, n]: [usize; 3]) -> Case {
    let [a, b, c_grad] = [("a", [m, k]), ("b", [k, n]), ("c_grad", [m, n])].map(|(of, shape)| draw(name, of, &shape));
    let [at, bt] = [&a, &b].map(|array| array.tensor().parameter());
    let c = matmul(&at, &bt, Transpose::NONE);
    let grads = grad(&(&c * c_grad.tensor()).sum(..), &[&at, &bt], false);
    let wanted = vec![
        Array::new("c", c.dims(), c.to_f64()),
        Array::new("a_grad", &a.shape, grads[0].to_f64()),
        Array::new("b_grad", &b.shape, grads[1].to_f64()),
    ];
    Case { name: name.to_string(), given: vec![a, b, c_grad], wanted }
}
