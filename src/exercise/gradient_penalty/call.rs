//! Which functions answer a case, with which of its arrays.

use super::text::Function;
use exercise::{penalty, weight_gradient};

/// The functions of src/lib.rs by their names.
pub const FUNCTIONS: &[(&str, Function)] = &[
    ("penalty", |case| {
        let [x, w, v] = ["x", "w", "v"].map(|name| case.values(name));
        vec![("penalty", vec![penalty(x, case.shape("x")[1], w, v, case.number("lambda"))])]
    }),
    ("weight_gradient", |case| {
        let [x, w, v] = ["x", "w", "v"].map(|name| case.values(name));
        vec![("w_grad", weight_gradient(x, case.shape("x")[1], w, v, case.number("lambda")))]
    }),
];
