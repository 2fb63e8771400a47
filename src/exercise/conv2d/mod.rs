//! `conv2d`: the convolution, and how large its result is.

use super::text::{Array, Case};
use super::{Exercise, Files, attribute, draw};
use crate::check::cases::products::PADDED;
use crate::ops::conv2d;
use crate::shape::Padding;

/// The exercise.
pub const EXERCISE: Exercise = Exercise {
    name: "conv2d",
    chapter: 5,
    task: "a convolution with strides and padding, and the size of its result",
    files: Files::rust(include_str!("stub.rs"), include_str!("call.rs")),
    cases,
    further_cases,
    tolerance: 1e-10,
    hints: &[
        "Seven nested loops, over b, oy, ox, i, j, c and o, with one product and one addition in the innermost.",
        "usize has no negative numbers: before subtracting `top`, check that oy·sy + i is at least that. \
         `(oy * sy + i).checked_sub(top)` gives None where it isn't. A pixel outside adds nothing, so leave it out.",
    ],
    solution: "src/ops/conv2d/reference.rs",
};

/// Shapes of x and the kernel, with stride and padding.
pub type Row = ([usize; 4], [usize; 4], [usize; 2], Padding);

/// From the simplest to the hardest; `conv2d-gradient` has the same.
pub const ROWS: [(&str, Row); 9] = [
    ("one pixel", ([1, 1, 1, 1], [1, 1, 1, 1], [1, 1], Padding::VALID)),
    ("a kernel of one row", ([1, 1, 4, 1], [1, 2, 1, 1], [1, 1], Padding::VALID)),
    ("a square kernel", ([1, 3, 3, 1], [2, 2, 1, 1], [1, 1], Padding::VALID)),
    ("two channels in", ([1, 2, 2, 2], [2, 2, 2, 1], [1, 1], Padding::VALID)),
    ("channels in and out", ([1, 2, 2, 2], [1, 2, 2, 3], [1, 1], Padding::VALID)),
    ("two images", ([2, 2, 2, 1], [2, 1, 1, 1], [1, 1], Padding::VALID)),
    ("a stride of two rows", ([1, 5, 2, 1], [2, 2, 1, 1], [2, 1], Padding::VALID)),
    ("zeros around the image", ([1, 3, 3, 1], [3, 3, 1, 1], [2, 2], Padding::symmetric(1))),
    ("zeros on two sides", ([1, 2, 3, 1], [2, 2, 1, 1], [1, 1], Padding { top: 0, bottom: 1, left: 2, right: 0 })),
];

fn cases() -> Vec<Case> {
    ROWS.map(|(name, row)| case(name, row)).to_vec()
}

/// The convolutions that the engine's own are checked with, as far as they are small.
pub fn further_rows() -> Vec<(String, Row)> {
    let rows = PADDED.iter().filter(|(x, ..)| x.iter().product::<usize>() <= 100);
    let rows = rows.map(|&(x, [kh, kw], c_out, stride, padding)| (x, [kh, kw, x[3], c_out], stride, padding));
    rows.map(|row @ (x, w, ..)| (format!("{w:?} on {x:?}"), row)).collect()
}

fn further_cases() -> Vec<Case> {
    further_rows().into_iter().map(|(name, row)| case(&name, row)).collect()
}

fn case(name: &str, (x, w, stride, padding): Row) -> Case {
    let [x, w] = [draw(name, "x", &x), draw(name, "w", &w)];
    let y = conv2d(&x.tensor(), &w.tensor(), stride, padding);
    let size = y.dims()[1..3].iter().map(|&length| length as f64).collect::<Vec<_>>();
    let Padding { top, bottom, left, right } = padding;
    Case {
        name: name.to_string(),
        given: vec![
            x,
            w,
            attribute("stride", &stride.map(|s| s as f64)),
            attribute("top_bottom_left_right", &[top, bottom, left, right].map(|p| p as f64)),
        ],
        wanted: vec![attribute("size", &size), Array::new("y", y.dims(), y.to_f64())],
    }
}
