//! Along rows, whose sums have lanes of their own, or down columns, a row of columns at a time. Groups are shared out.

use crate::cpu::columns::add_assign;
use crate::cpu::pool::Buffer;
use crate::cpu::simd::widest;
use crate::cpu::{math, rows_per_task};
use rayon::prelude::*;

/// Softmax along the middle axis of x `[outer, length, inner]`.
pub fn softmax(x: &[f32], length: usize, inner: usize) -> Buffer {
    let mut y = Buffer::unspecified(x.len());
    if y.is_empty() {
        return y;
    }
    let group = length * inner;
    let task = group * rows_per_task(group);
    let tasks = y.par_chunks_mut(task).zip(x.par_chunks(task));
    if inner == 1 {
        tasks.for_each(|(y, x)| {
            widest(
                #[inline(always)]
                move || {
                    let rows = y.chunks_exact_mut(length).zip(x.chunks_exact(length));
                    rows.for_each(|(y, x)| of_row(x, y));
                },
            );
        });
    } else {
        tasks.for_each_init(
            || [(); 3].map(|()| Buffer::unspecified(inner)),
            |[largest, totals, run], (y, x)| {
                let (largest, totals, run) = (&mut largest[..], &mut totals[..], &mut run[..]);
                widest(
                    #[inline(always)]
                    move || {
                        let groups = y.chunks_exact_mut(group).zip(x.chunks_exact(group));
                        groups.for_each(|(y, x)| of_columns(x, y, largest, totals, run));
                    },
                );
            },
        );
    }
    y
}

/// Partial sums of a row that are made side by side and become vectors.
const LANES: usize = 16;

#[inline(always)]
fn of_row(x: &[f32], y: &mut [f32]) {
    // A NaN need not be found here: the exponential of it is one.
    let largest = x.iter().fold(f32::NEG_INFINITY, |largest, &x| if x > largest { x } else { largest });
    for (y, &x) in y.iter_mut().zip(x) {
        *y = math::exp(x - largest);
    }
    let mut lanes = [0.0; LANES];
    y.chunks(LANES).for_each(|y| add_assign(&mut lanes, y));
    let total: f32 = lanes.iter().sum();
    y.iter_mut().for_each(|y| *y /= total);
}

/// Rows that are added up one after the other; such runs then are, so that an error grows with the length and the number
/// of runs, not with their product.
const RUN: usize = 16;

/// Of `[length, inner]` in all columns at once; `largest`, `totals` and `run` have a place for each column.
#[inline(always)]
fn of_columns(x: &[f32], y: &mut [f32], largest: &mut [f32], totals: &mut [f32], run: &mut [f32]) {
    let inner = largest.len();
    largest.fill(f32::NEG_INFINITY);
    for x in x.chunks_exact(inner) {
        for (largest, &x) in largest.iter_mut().zip(x) {
            *largest = if x > *largest { x } else { *largest };
        }
    }
    totals.fill(0.0);
    for (y, x) in y.chunks_mut(RUN * inner).zip(x.chunks(RUN * inner)) {
        run.fill(0.0);
        for (y, x) in y.chunks_exact_mut(inner).zip(x.chunks_exact(inner)) {
            for ((y, &x), &largest) in y.iter_mut().zip(x).zip(&*largest) {
                *y = math::exp(x - largest);
            }
            add_assign(run, y);
        }
        add_assign(totals, run);
    }
    for y in y.chunks_exact_mut(inner) {
        for (y, &total) in y.iter_mut().zip(&*totals) {
            *y /= total;
        }
    }
}
