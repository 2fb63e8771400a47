//! In lanes, with a select in place of a branch.

use crate::cpu::pool::Buffer;
use crate::cpu::simd;
use wide::f32x8;

/// x where it is positive, `slope` · x elsewhere.
pub fn leaky_relu(x: &[f32], slope: f32) -> Buffer {
    let mut y = Buffer::unspecified(x.len());
    let slope = f32x8::splat(slope);
    simd::map(x, &mut y, |x| {
        x.simd_gt(f32x8::ZERO).bitselect(x, slope * x)
    });
    y
}

/// ȳ where y > 0, `slope` · ȳ elsewhere.
pub fn leaky_relu_grad(y: &[f32], grad: &[f32], slope: f32) -> Buffer {
    let mut x_grad = Buffer::unspecified(y.len());
    let slope = f32x8::splat(slope);
    simd::zip(y, grad, &mut x_grad, |y, g| {
        y.simd_gt(f32x8::ZERO).bitselect(g, slope * g)
    });
    x_grad
}
