//! A strided copy with the strides in their new order.

use crate::cuda::Buffer;
use crate::cuda::geometry::View;
use crate::cuda::strided::gather;
use crate::shape::Shape;

/// The values of `x` with axis k of the result being axis `axes[k]` of `shape`.
pub fn permute(x: &Buffer, shape: Shape, axes: &[usize]) -> Buffer {
    let lengths: Vec<usize> = axes.iter().map(|&axis| shape.dims()[axis]).collect();
    let old = shape.strides();
    let strides: Vec<usize> = axes.iter().map(|&axis| old[axis]).collect();
    let mut y = x.like();
    gather(x, View::new(Shape::new(&lengths), &strides, 0), &mut y);
    y
}
