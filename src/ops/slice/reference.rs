//! Every output is read from its index moved by the start of the range.

use crate::shape::Shape;
use std::ops::Range;

/// The values of `x`, of shape `shape`, within `ranges`.
pub fn slice(x: &[f64], shape: Shape, ranges: &[Range<usize>]) -> Vec<f64> {
    let lengths: Vec<usize> = ranges.iter().map(ExactSizeIterator::len).collect();
    let out = Shape::new(&lengths);
    let (strides, out_strides) = (shape.strides(), out.strides());
    let source = |i: usize| -> usize {
        let index = |axis: usize| ranges[axis].start + i / out_strides[axis] % lengths[axis];
        (0..out.rank()).map(|axis| index(axis) * strides[axis]).sum()
    };
    (0..out.numel()).map(|i| x[source(i)]).collect()
}
