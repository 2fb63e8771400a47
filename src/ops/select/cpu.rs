//! Value by value; what is shorter than the result is stretched before.

use crate::cpu::TASK_LENGTH;
use crate::cpu::pool::Buffer;
use crate::cpu::simd::widest;
use crate::ops::broadcast::cpu::broadcast;
use crate::shape::Shape;
use rayon::prelude::*;
use std::borrow::Cow;

/// a where c is not 0, else b.
pub fn select(values: [&Buffer; 3], shapes: [Shape; 3], shape: Shape) -> Buffer {
    let whole = |i: usize| match shapes[i] == shape {
        true => Cow::Borrowed(values[i]),
        false => Cow::Owned(broadcast(values[i], shapes[i], shape)),
    };
    let [c, a, b] = [whole(0), whole(1), whole(2)];
    let mut y = Buffer::unspecified(shape.numel());
    let tasks = y.par_chunks_mut(TASK_LENGTH).zip(c.par_chunks(TASK_LENGTH));
    let tasks = tasks.zip(a.par_chunks(TASK_LENGTH)).zip(b.par_chunks(TASK_LENGTH));
    tasks.for_each(|(((y, c), a), b)| {
        widest(
            #[inline(always)]
            move || {
                for (((y, &c), &a), &b) in y.iter_mut().zip(c).zip(a).zip(b) {
                    *y = if c == 0.0 { b } else { a };
                }
            },
        );
    });
    y
}
