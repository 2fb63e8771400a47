//! Which functions answer a case, with which of its arrays.

use super::text::{Case, Function};
use exercise::{Padding, conv2d, output_size};

/// The functions of src/lib.rs by their names.
pub const FUNCTIONS: &[(&str, Function)] = &[
    ("output_size", |case| {
        let ([_, h, w, _], [kh, kw, ..]) = (shape(case, "x"), shape(case, "w"));
        let size = output_size([h, w], [kh, kw], case.sizes("stride"), padding(case));
        vec![("size", size.map(|length| length as f64).to_vec())]
    }),
    ("conv2d", |case| {
        let [x, w] = ["x", "w"].map(|name| case.values(name));
        vec![("y", conv2d(x, shape(case, "x"), w, shape(case, "w"), case.sizes("stride"), padding(case)))]
    }),
];

fn shape(case: &Case, name: &str) -> [usize; 4] {
    case.shape(name).try_into().expect("four axes")
}

fn padding(case: &Case) -> Padding {
    let [top, bottom, left, right] = case.sizes("top_bottom_left_right");
    Padding { top, bottom, left, right }
}
