//! Every input is written where its indices, in their new order, point.

use crate::shape::Shape;

/// The values of `x` with axis k of the result being axis `axes[k]` of `shape`.
pub fn permute(x: &[f64], shape: Shape, axes: &[usize]) -> Vec<f64> {
    let lengths: Vec<usize> = axes.iter().map(|&axis| shape.dims()[axis]).collect();
    let (strides, new_strides) = (shape.strides(), Shape::new(&lengths).strides());
    let mut y = vec![0.0; x.len()];
    for (i, &x) in x.iter().enumerate() {
        let index = |axis: usize| i / strides[axis] % shape.dims()[axis];
        let at: usize = (0..axes.len()).map(|k| index(axes[k]) * new_strides[k]).sum();
        y[at] = x;
    }
    y
}
