//! A strided copy into zeros.

use crate::cpu::pool::Buffer;
use crate::cpu::strided::{View, scatter};
use crate::shape::Shape;

/// The values of `x`, of shape `from`, inside an array `to` of zeros.
pub fn pad(x: &[f32], from: Shape, to: Shape, zeros: &[[usize; 2]]) -> Buffer {
    let strides = to.strides();
    let inside =
        View { shape: from, strides, offset: zeros.iter().zip(strides).map(|([before, _], s)| before * s).sum() };
    let mut y = Buffer::zeros(to.numel());
    scatter(x, inside, &mut y);
    y
}
