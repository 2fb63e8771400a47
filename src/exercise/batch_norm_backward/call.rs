//! Which function answers a case, with which of its arrays.

use super::text::Function;
use exercise::backward;

/// The functions of src/lib.rs by their names.
pub const FUNCTIONS: &[(&str, Function)] = &[("backward", |case| {
    let [x, gamma, y_grad] = ["x", "gamma", "y_grad"].map(|name| case.values(name));
    let found = backward(x, gamma, case.number("epsilon"), y_grad);
    vec![("beta_grad", found.beta), ("gamma_grad", found.gamma), ("x_grad", found.x)]
})];
