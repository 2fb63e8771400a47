//! Along rows value by value, down columns a row of columns at a time. Groups are shared out.

use crate::cpu::pool::Buffer;
use crate::cpu::simd::widest;
use rayon::prelude::*;

/// The index along the middle axis of the largest of x `[outer, length, inner]`.
pub fn argmax(x: &[f32], length: usize, inner: usize) -> Buffer {
    let mut y = Buffer::zeros(x.len() / length);
    let groups = y.par_chunks_mut(inner).zip(x.par_chunks(length * inner));
    groups.for_each_init(
        || Buffer::unspecified(inner),
        |best, (y, x)| {
            let best = &mut best[..];
            widest(
                #[inline(always)]
                move || {
                    best.copy_from_slice(&x[..inner]);
                    for (r, row) in x.chunks_exact(inner).enumerate().skip(1) {
                        for ((y, best), &x) in y.iter_mut().zip(&mut *best).zip(row) {
                            let larger = x > *best || (x.is_nan() && !best.is_nan());
                            *y = if larger { r as f32 } else { *y };
                            *best = if larger { x } else { *best };
                        }
                    }
                },
            );
        },
    );
    y
}
