//! Which function answers a case, with which of its arrays.

use super::text::Function;
use exercise::max_gradient;

/// The functions of src/lib.rs by their names.
pub const FUNCTIONS: &[(&str, Function)] = &[("max_gradient", |case| {
    let [axis] = case.sizes("axis");
    vec![("x_grad", max_gradient(case.values("x"), case.shape("x"), axis, case.values("y_grad")))]
})];
