//! One run of axes after the other, each a reduction of `[outer, reduced, inner]`.

use crate::cpu::pool::Buffer;
use crate::ops::sum::Reduction;
use crate::shape::Shape;
use rayon::prelude::*;

/// The largest of `x` over the axes of `reduction`.
pub fn max(x: &[f32], shape: Shape, reduction: &Reduction) -> Buffer {
    let mut result: Option<Buffer> = None;
    for [outer, reduced, inner] in reduction.runs(shape) {
        let from: &[f32] = result.as_deref().unwrap_or(x);
        let mut out = Buffer::full(outer * inner, f32::NEG_INFINITY);
        out.par_chunks_mut(inner).zip(from.par_chunks(reduced * inner)).for_each(|(y, x)| {
            for row in x.chunks_exact(inner) {
                for (y, &x) in y.iter_mut().zip(row) {
                    *y = if x > *y || x.is_nan() { x } else { *y };
                }
            }
        });
        result = Some(out);
    }
    result.expect("a reduction has at least one axis")
}
