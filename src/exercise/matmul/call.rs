//! Which functions answer a case, with which of its arrays.

use super::text::{Case, Function};
use exercise::{a_gradient, b_gradient, product};

/// The functions of src/lib.rs by their names.
pub const FUNCTIONS: &[(&str, Function)] = &[
    ("product", |case| vec![("c", product(case.values("a"), case.values("b"), sizes(case)))]),
    ("a_gradient", |case| vec![("a_grad", a_gradient(case.values("b"), case.values("c_grad"), sizes(case)))]),
    ("b_gradient", |case| vec![("b_grad", b_gradient(case.values("a"), case.values("c_grad"), sizes(case)))]),
];

fn sizes(case: &Case) -> [usize; 3] {
    let (a, b) = (case.shape("a"), case.shape("b"));
    [a[0], a[1], b[1]]
}
