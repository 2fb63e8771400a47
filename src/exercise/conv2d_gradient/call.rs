//! Which functions answer a case, with which of its arrays.

use super::text::{Case, Function};
use exercise::{Convolution, input_gradient, kernel_gradient};

/// The functions of src/lib.rs by their names.
pub const FUNCTIONS: &[(&str, Function)] = &[
    ("input_gradient", |case| {
        vec![("x_grad", input_gradient(case.values("w"), case.values("y_grad"), &convolution(case)))]
    }),
    ("kernel_gradient", |case| {
        vec![("w_grad", kernel_gradient(case.values("x"), case.values("y_grad"), &convolution(case)))]
    }),
];

fn convolution(case: &Case) -> Convolution {
    let &[n, h, w, c_in] = case.shape("x") else { panic!("x has four axes") };
    let &[kh, kw, _, c_out] = case.shape("w") else { panic!("w has four axes") };
    let &[_, out_h, out_w, _] = case.shape("y_grad") else { panic!("y_grad has four axes") };
    let [top, left] = case.sizes("top_left");
    Convolution { n, h, w, c_in, kh, kw, c_out, out_h, out_w, stride: case.sizes("stride"), top, left }
}
