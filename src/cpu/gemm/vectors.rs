//! Products in which one of the three sizes is 1, or C has very few columns. No value is used often enough
//! for packing to pay; what matters is that memory is read and written only once, in long runs.

use super::blocks::{Packed, multiply};
use super::dots;
use super::matrix::Matrix;
use super::microkernel::Start;
use super::table::Microkernels;
use super::walk::Walk;
use crate::cpu::simd::widest;
use crate::cpu::{TASK_LENGTH, rows_per_task};
use rayon::prelude::*;
use std::borrow::Cow;

/// A product with fewer values is finished before a second thread would begin.
const PARALLEL_FROM: usize = 4 * TASK_LENGTH;

/// Columns of a sum of rows that are made at a time: their sums stay in the L1 cache.
const RUN: usize = 512;

/// Rows that are added at a time.
const ROWS: usize = 8;

/// c_ij = start_ij + a_i · b_j, for a column and a row.
pub(super) fn outer(column: Matrix, row: Matrix, c: &mut [f32], start: Start) {
    let (n, b) = (row.columns, side_by_side(row));
    let b = &b[..n];
    let rows = match c.len() {
        0..PARALLEL_FROM => column.rows,
        _ => rows_per_task(n),
    };
    c.par_chunks_mut(rows * n).enumerate().for_each(|(i, c)| {
        let column = column.row_block(i * rows, c.len() / n);
        widest(
            #[inline(always)]
            move || {
                let values = column.values.iter().step_by(column.row_stride);
                for (c, &a) in c.chunks_exact_mut(n).zip(values) {
                    match start {
                        Start::Zero => c.iter_mut().zip(b).for_each(|(c, &b)| *c = a * b),
                        Start::Sum => c.iter_mut().zip(b).for_each(|(c, &b)| *c += a * b),
                        Start::Bias(bias) => {
                            let b = b.iter().zip(&bias[..n]);
                            c.iter_mut().zip(b).for_each(|(c, (&b, &z))| *c = z + a * b);
                        }
                    }
                }
            },
        );
    });
}

/// c_j = start_j + Σ_i a_i · b_ij, for a row and a row-major matrix.
pub(super) fn sum_of_rows(row: Matrix, b: Matrix, c: &mut [f32], start: Start) {
    let a = side_by_side(row);
    let a = &a[..b.rows];
    let runs_per_task = match a.len() * b.columns {
        0..PARALLEL_FROM => usize::MAX,
        _ => 1,
    };
    let parts = c.par_chunks_mut(RUN).enumerate();
    let parts = parts.with_min_len(runs_per_task);
    parts.for_each(|(i, c)| {
        match start {
            Start::Zero => c.fill(0.0),
            Start::Sum => {}
            Start::Bias(bias) => c.copy_from_slice(&bias[i * RUN..][..c.len()]),
        }
        let b = b.column_block(i * RUN, c.len());
        widest(
            #[inline(always)]
            move || add_rows(a, b, c),
        );
    });
}

/// c_j += Σ_i a_i · b_ij.
#[inline(always)]
fn add_rows(a: &[f32], b: Matrix, c: &mut [f32]) {
    let n = c.len();
    let (groups, rest) = a.as_chunks::<ROWS>();
    for (group, a) in groups.iter().enumerate() {
        let rows: [&[f32]; ROWS] = std::array::from_fn(|i| b.row(group * ROWS + i, n));
        for j in 0..n {
            let mut sum = c[j];
            for i in 0..ROWS {
                sum += a[i] * rows[i][j];
            }
            c[j] = sum;
        }
    }
    for (i, &a) in rest.iter().enumerate() {
        let row = b.row(groups.len() * ROWS + i, n);
        c.iter_mut().zip(row).for_each(|(c, &b)| *c += a * b);
    }
}

/// C = start + A · B for a row-major A and a B of at most [`dots::COLUMNS`] columns.
pub(super) fn few_columns(kernels: &'static Microkernels, a: Matrix, b: Matrix, c: &mut [f32], start: Start) {
    let n = b.columns;
    let packed = Packed::of(kernels, b, Walk::straight(a.columns, 1));
    let rows = match a.rows * a.columns {
        0..PARALLEL_FROM => a.rows,
        _ => rows_per_task(a.columns).next_multiple_of(dots::ROWS),
    };
    c.par_chunks_mut(rows * n).enumerate().for_each(|(i, c)| {
        let a = a.row_block(i * rows, c.len() / n);
        let c_rows: Vec<usize> = (0..a.rows).map(|row| row * n).collect();
        multiply(a.values, &a.row_offsets(), &packed, c, &c_rows, start);
    });
}

/// The values of a matrix of one row.
fn side_by_side(row: Matrix) -> Cow<[f32]> {
    match row.column_stride {
        1 => Cow::Borrowed(row.values),
        stride => row.values.iter().step_by(stride).take(row.columns).copied().collect(),
    }
}
