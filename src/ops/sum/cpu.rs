//! One run of axes after the other, each a reduction of `[outer, reduced, inner]` in blocks of
//! [`TASK_LENGTH`] values: the blocks are summed apart and then added in order, so threads change no
//! bits.

use super::Reduction;
use crate::cpu::columns::{add_assign, column_sums};
use crate::cpu::pool::Buffer;
use crate::cpu::{TASK_LENGTH, rows_per_task};
use crate::shape::Shape;
use rayon::prelude::*;
use wide::f32x8;

/// The sum of `x` over the axes of `reduction`.
pub fn sum(x: &[f32], shape: Shape, reduction: &Reduction) -> Buffer {
    let mut result: Option<Buffer> = None;
    for [outer, reduced, inner] in reduction.runs(shape) {
        let from: &[f32] = result.as_deref().unwrap_or(x);
        // What later runs reduce is still part of the outer length here.
        let mut out = Buffer::unspecified(outer * inner);
        sum_run(from, reduced, inner, &mut out);
        result = Some(out);
    }
    result.expect("a reduction has at least one axis")
}

/// y: `[outer, inner]` from x: `[outer, reduced, inner]`.
fn sum_run(x: &[f32], reduced: usize, inner: usize, y: &mut [f32]) {
    let group = reduced * inner;
    if group == 0 {
        return y.fill(0.0);
    }
    if inner == 1 {
        let rows = rows_per_task(reduced);
        y.par_chunks_mut(rows)
            .zip(x.par_chunks(rows * reduced))
            .for_each(|(y, x)| {
                for (y, x) in y.iter_mut().zip(x.chunks_exact(reduced)) {
                    *y = sum_row(x);
                }
            });
    } else {
        y.par_chunks_mut(inner)
            .zip(x.par_chunks(group))
            .for_each(|(y, x)| {
                let row = |r: usize| &x[r * inner..][..inner];
                y.copy_from_slice(&column_sums(reduced, inner, 1, |r, sum| {
                    add_assign(sum, row(r))
                }));
            });
    }
}

/// The sum of one contiguous row.
fn sum_row(x: &[f32]) -> f32 {
    if x.len() <= TASK_LENGTH {
        return sum_block(x);
    }
    let mut sums = Buffer::unspecified(x.len().div_ceil(TASK_LENGTH));
    sums.par_iter_mut()
        .zip(x.par_chunks(TASK_LENGTH))
        .for_each(|(sum, block)| *sum = sum_block(block));
    sums.iter().sum()
}

/// The sum of one block: a partial sum per lane, the lanes, and what is left over.
fn sum_block(x: &[f32]) -> f32 {
    let (lanes, tail) = x.as_chunks();
    let mut sum = f32x8::ZERO;
    for &x in lanes {
        sum += f32x8::new(x);
    }
    sum.reduce_add() + tail.iter().sum::<f32>()
}
