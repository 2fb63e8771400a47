//! `conv2d-gradient`: both gradients of a convolution.

use super::conv2d::{ROWS, Row, further_rows};
use super::text::{Array, Case};
use super::{Exercise, Files, attribute, draw};
use crate::grad;
use crate::ops::conv2d;
use crate::shape::Conv2dGeometry;

/// The exercise.
pub const EXERCISE: Exercise = Exercise {
    name: "conv2d-gradient",
    chapter: 5,
    task: "the gradients of a convolution by its input and by its kernel",
    files: Files::rust(include_str!("stub.rs"), include_str!("call.rs")),
    cases,
    further_cases,
    tolerance: 1e-9,
    hints: &[
        "Write the loops of the convolution itself: over b, oy, ox, i, j, c and o. In the innermost, find the places of \
         x[p], w[q] and y[r]. Everything else is which of the three you add to.",
        "A gradient has the shape of what it is the gradient of, and starts as zeros. Never turn the formula round by \
         solving for the output pixel: adding to x̄[p] from wherever p occurs does it without a division.",
        "usize has no negative numbers: before subtracting `top`, check that oy·sy + i is at least that. \
         `(oy * sy + i).checked_sub(top)` gives None where it isn't. A product whose pixel lies outside is left out.",
    ],
    solution: "src/ops/conv_transpose2d/reference.rs and src/ops/conv2d_weight_grad/reference.rs",
};

fn cases() -> Vec<Case> {
    ROWS.map(|(name, row)| case(name, row)).to_vec()
}

fn further_cases() -> Vec<Case> {
    further_rows().into_iter().map(|(name, row)| case(&name, row)).collect()
}

fn case(name: &str, (x, w, stride, padding): Row) -> Case {
    let sizes = Conv2dGeometry::new("conv2d", x.into(), w.into(), stride, padding);
    let [x, w] = [draw(name, "x", &x), draw(name, "w", &w)];
    let y_grad = draw(name, "y_grad", sizes.output().dims());
    let [xt, wt] = [&x, &w].map(|array| array.tensor().parameter());
    let loss = (conv2d(&xt, &wt, stride, padding) * y_grad.tensor()).sum(..);
    let grads = grad(&loss, &[&xt, &wt], false);
    let wanted = [("x_grad", &x), ("w_grad", &w)].into_iter().zip(&grads);
    Case {
        name: name.to_string(),
        wanted: wanted.map(|((name, of), grad)| Array::new(name, &of.shape, grad.to_f64())).collect(),
        given: vec![
            x,
            w,
            y_grad,
            attribute("stride", &stride.map(|s| s as f64)),
            attribute("top_left", &[padding.top as f64, padding.left as f64]),
        ],
    }
}
