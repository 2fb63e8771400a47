//! In one pass, with selects in place of branches.

use super::Slopes;
use crate::cpu::pool::Buffer;
use crate::cpu::simd;
use crate::ops::dropout::{self, Mask};

/// x where it is positive or NaN, `slope` · x elsewhere.
pub fn leaky_relu(x: &[f32], slope: f32) -> Buffer {
    let mut y = Buffer::unspecified(x.len());
    simd::map(x, &mut y, move |x| rectified(x, slope));
    y
}

/// The same, then dropout.
pub fn leaky_relu_dropout(x: &[f32], slope: f32, mask: &Mask) -> Buffer {
    dropout::cpu::dropout(x, mask, move |x| rectified(x, slope))
}

/// ȳ times the slope that y tells.
pub fn rectify_grad(y: &[f32], grad: &[f32], slopes: Slopes) -> Buffer {
    let slopes = SlopesF32::from(slopes);
    let mut x_grad = Buffer::unspecified(y.len());
    simd::zip(y, grad, &mut x_grad, move |y, g| slopes.times(y, g));
    x_grad
}

/// x where it is positive or NaN, `slope` · x elsewhere.
#[inline(always)]
pub fn rectified(x: f32, slope: f32) -> f32 {
    if x <= 0.0 { times(slope, x) } else { x }
}

/// slope · x; 0 where the slope is 0, whatever x is.
#[inline(always)]
fn times(slope: f32, x: f32) -> f32 {
    if slope == 0.0 { 0.0 } else { slope * x }
}

/// [`Slopes`] as a kernel multiplies by them.
#[derive(Clone, Copy)]
pub struct SlopesF32 {
    above: f32,
    below: f32,
    dropped: f32,
}

impl SlopesF32 {
    /// The gradient `grad` times the slope where the output is `y`.
    #[inline(always)]
    pub fn times(&self, y: f32, grad: f32) -> f32 {
        const DROPPED: u32 = (-0.0_f32).to_bits();
        let not_above = if y.to_bits() == DROPPED { self.dropped } else { self.below };
        times(if y <= 0.0 { not_above } else { self.above }, grad)
    }
}

impl From<Slopes> for SlopesF32 {
    fn from(slopes: Slopes) -> SlopesF32 {
        SlopesF32 { above: slopes.above as f32, below: slopes.below as f32, dropped: slopes.dropped as f32 }
    }
}
