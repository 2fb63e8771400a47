//! Every input is added to the output that its kept indices name.

use super::Reduction;
use crate::shape::Shape;

/// The sum of `x` over the axes of `reduction`.
pub fn sum(x: &[f64], shape: Shape, reduction: &Reduction) -> Vec<f64> {
    let mut y = vec![0.0; reduction.reduced.numel()];
    for (i, &x) in x.iter().enumerate() {
        y[output_index(i, shape, reduction)] += x;
    }
    y
}

/// Where input `i` goes: its index along each kept axis, in the strides of the result.
pub fn output_index(i: usize, shape: Shape, reduction: &Reduction) -> usize {
    let (strides, kept_strides) = (shape.strides(), reduction.kept.strides());
    (0..shape.rank())
        .filter(|&axis| !reduction.over[axis])
        .map(|axis| i / strides[axis] % shape.dims()[axis] * kept_strides[axis])
        .sum()
}
