//! One run of axes after the other, each a reduction of `[outer, reduced, inner]` in blocks of
//! [`TASK_LENGTH`] values: the blocks are summed apart and then added in order, so threads change no
//! bits.

use super::Reduction;
use crate::cpu::columns::{add_assign, tile_sums};
use crate::cpu::pool::Buffer;
use crate::cpu::simd::widest;
use crate::cpu::{TASK_LENGTH, rows_per_task};
use crate::shape::Shape;
use rayon::prelude::*;

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
            .for_each(|(y, x)| y.copy_from_slice(&sum_columns(x, reduced, inner)));
    }
}

/// The sum of each column of x `[rows, width]`.
fn sum_columns(x: &[f32], rows: usize, width: usize) -> Buffer {
    let sums = tile_sums(rows, width, 1, |tile, sums| {
        widest(
            #[inline(always)]
            move || {
                for row in tile.rows.clone() {
                    add_assign(sums, &x[row * width..][tile.columns.clone()]);
                }
            },
        );
    });
    sums.total()
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

/// The sum of one block: 32 partial sums, which become vectors, those, and what is left over.
fn sum_block(x: &[f32]) -> f32 {
    let (pieces, tail) = x.as_chunks::<32>();
    let mut sums = [0.0; 32];
    widest(
        #[inline(always)]
        || pieces.iter().for_each(|piece| add_assign(&mut sums, piece)),
    );
    sums.iter().sum::<f32>() + tail.iter().sum::<f32>()
}
