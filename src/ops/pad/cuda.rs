//! A strided copy into zeros.

use crate::cuda::Buffer;
use crate::cuda::geometry::View;
use crate::cuda::strided::scatter;
use crate::shape::Shape;

/// The values of `x`, of shape `from`, inside an array `to` of zeros.
pub fn pad(x: &Buffer, from: Shape, to: Shape, zeros: &[[usize; 2]]) -> Buffer {
    let strides = to.strides();
    let before = zeros.iter().map(|[before, _]| before);
    let offset = before.zip(strides).map(|(n, s)| n * s).sum();
    let mut y = Buffer::full(to.numel(), 0.0, x.context());
    scatter(x, View::new(from, &strides, offset), &mut y);
    y
}
