//! Every input is compared with the output that its kept indices name.

use crate::ops::sum::{Reduction, reference::output_index};
use crate::shape::Shape;

/// The largest of `x` over the axes of `reduction`.
pub fn max(x: &[f64], shape: Shape, reduction: &Reduction) -> Vec<f64> {
    let mut y = vec![f64::NEG_INFINITY; reduction.reduced.numel()];
    for (i, &x) in x.iter().enumerate() {
        let y = &mut y[output_index(i, shape, reduction)];
        if x > *y || x.is_nan() {
            *y = x;
        }
    }
    y
}
