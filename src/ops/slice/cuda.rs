//! A strided copy that begins at the first value inside the box.

use crate::cuda::Buffer;
use crate::cuda::geometry::View;
use crate::cuda::strided::gather;
use crate::shape::Shape;
use std::ops::Range;

/// The values of `x`, of shape `shape`, within `ranges`.
pub fn slice(x: &Buffer, shape: Shape, ranges: &[Range<usize>]) -> Buffer {
    let lengths: Vec<usize> = ranges.iter().map(ExactSizeIterator::len).collect();
    let (inside, strides) = (Shape::new(&lengths), shape.strides());
    let offset = ranges.iter().zip(strides).map(|(r, s)| r.start * s).sum();
    let mut y = Buffer::unspecified(inside.numel(), x.context());
    gather(x, View::new(inside, &strides, offset), &mut y);
    y
}
