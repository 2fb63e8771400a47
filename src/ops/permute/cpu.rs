//! A strided copy with the strides in their new order.

use crate::cpu::pool::Buffer;
use crate::cpu::strided::{View, gather};
use crate::shape::{MAX_RANK, Shape};

/// The values of `x` with axis k of the result being axis `axes[k]` of `shape`.
pub fn permute(x: &[f32], shape: Shape, axes: &[usize]) -> Buffer {
    let lengths: Vec<usize> = axes.iter().map(|&axis| shape.dims()[axis]).collect();
    let old = shape.strides();
    let mut strides = [0; MAX_RANK];
    for (to, &from) in axes.iter().enumerate() {
        strides[to] = old[from];
    }
    let view = View { shape: Shape::new(&lengths), strides, offset: 0 };
    let mut y = Buffer::unspecified(x.len());
    gather(x, view, &mut y);
    y
}
