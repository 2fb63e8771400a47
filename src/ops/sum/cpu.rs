//! As [`crate::cpu::reduce`] says.

use super::Reduction;
use crate::cpu::pool::Buffer;
use crate::cpu::reduce::{Operation, reduce};
use crate::shape::Shape;

/// The sum of `x` over the axes of `reduction`.
pub fn sum(x: &[f32], shape: Shape, reduction: &Reduction) -> Buffer {
    if x.is_empty() {
        return Buffer::zeros(reduction.reduced.numel());
    }
    reduce::<Sum>(x, &reduction.runs(shape))
}

struct Sum;

impl Operation for Sum {
    const IDENTITY: f32 = 0.0;

    #[inline(always)]
    fn combine(a: f32, b: f32) -> f32 {
        a + b
    }
}
