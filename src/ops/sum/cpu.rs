//! As [`crate::cpu::reduce`] says.

use super::Reduction;
use crate::cpu::pool::Buffer;
use crate::cpu::reduce::{Operation, reduce};
use crate::cpu::simd;
use crate::shape::Shape;

/// The sum of `x` over the axes of `reduction`, divided by `divisor`.
pub fn sum(x: &[f32], shape: Shape, reduction: &Reduction, divisor: f32) -> Buffer {
    let sums = match x.is_empty() {
        true => Buffer::zeros(reduction.reduced.numel()),
        false => reduce::<Sum>(x, &reduction.runs(shape)),
    };
    if divisor == 1.0 {
        return sums;
    }
    let mut divided = Buffer::unspecified(sums.len());
    simd::map(&sums, &mut divided, |sum| sum / divisor);
    divided
}

struct Sum;

impl Operation for Sum {
    const IDENTITY: f32 = 0.0;

    #[inline(always)]
    fn combine(a: f32, b: f32) -> f32 {
        a + b
    }
}
