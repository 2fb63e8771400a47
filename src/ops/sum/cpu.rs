//! One run of axes after the other, each a reduction of `[outer, reduced, inner]` in blocks of
//! [`TASK_LENGTH`] values, which threads share. Blocks, and the leaves that they are made of, are added in pairs
//! ([`add_in_pairs`]), so that errors stay small and threads change no bits.

use super::Reduction;
use crate::cpu::columns::{add_assign, add_in_pairs, tile_sums};
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
        y.par_chunks_mut(rows).zip(x.par_chunks(rows * reduced)).for_each(|(y, x)| {
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
    /// Columns that fill vectors.
    const WIDE: usize = 64;
    // Rows narrower than that are taken several at a time, as one row each.
    let joined = (WIDE / width).max(1);
    let (whole, left) = x.split_at(rows / joined * joined * width);
    let sums = tile_sums(rows / joined, joined * width, 1, |leaf, sums| {
        widest(
            #[inline(always)]
            move || {
                for row in leaf.rows.clone() {
                    add_assign(sums, &whole[row * joined * width..][leaf.columns.clone()]);
                }
            },
        );
    });
    let mut wide = sums.total();
    add_in_pairs(&mut wide, width, width);
    let mut total = Buffer::zeros(width);
    left.chunks_exact(width).for_each(|row| add_assign(&mut total, row));
    add_assign(&mut total, &wide);
    total
}

/// The sum of one contiguous row.
fn sum_row(x: &[f32]) -> f32 {
    if x.len() <= TASK_LENGTH {
        return sum_block(x);
    }
    let mut sums = Buffer::unspecified(x.len().div_ceil(TASK_LENGTH));
    sums.par_iter_mut().zip(x.par_chunks(TASK_LENGTH)).for_each(|(sum, block)| *sum = sum_block(block));
    add_in_pairs(&mut sums, 1, 1);
    sums[0]
}

/// Partial sums that are made side by side and become vectors.
const LANES: usize = 32;

/// Values of which each lane adds up its share one after the other.
const LEAF: usize = 32 * LANES;

/// The sum of one block of at most [`TASK_LENGTH`] values.
fn sum_block(x: &[f32]) -> f32 {
    if x.len() <= LEAF {
        return sum_lanes(widest(
            #[inline(always)]
            move || leaf_lanes(x),
        ));
    }
    let mut leaves = [[0.0; LANES]; TASK_LENGTH / LEAF];
    let leaves = &mut leaves[..x.len().div_ceil(LEAF)];
    widest(
        #[inline(always)]
        || {
            for (lanes, x) in leaves.iter_mut().zip(x.chunks(LEAF)) {
                *lanes = leaf_lanes(x);
            }
            add_in_pairs(leaves.as_flattened_mut(), LANES, LANES);
        },
    );
    sum_lanes(leaves[0])
}

/// What the lanes come to over one leaf.
#[inline(always)]
fn leaf_lanes(x: &[f32]) -> [f32; LANES] {
    let (pieces, tail) = x.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    pieces.iter().for_each(|piece| add_assign(&mut lanes, piece));
    add_assign(&mut lanes, tail);
    lanes
}

/// The lanes' sum, by halves.
fn sum_lanes(mut lanes: [f32; LANES]) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        let (left, right) = lanes.split_at_mut(half);
        add_assign(left, &right[..half]);
        half /= 2;
    }
    lanes[0]
}
