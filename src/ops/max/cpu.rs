//! As [`crate::cpu::reduce`] says.

use crate::cpu::pool::Buffer;
use crate::cpu::reduce::{Operation, reduce};
use crate::ops::sum::Reduction;
use crate::shape::Shape;

/// The largest of `x` over the axes of `reduction`.
pub fn max(x: &[f32], shape: Shape, reduction: &Reduction) -> Buffer {
    reduce::<Max>(x, &reduction.runs(shape))
}

struct Max;

impl Operation for Max {
    const IDENTITY: f32 = f32::NEG_INFINITY;

    /// In two steps, the sum only to be NaN: of one choice between what is there and what comes the compiler makes a
    /// store by a mask, for which the next load has to wait.
    #[inline(always)]
    fn combine(a: f32, b: f32) -> f32 {
        let larger = if b > a { b } else { a };
        if b.is_nan() { a + b } else { larger }
    }
}
