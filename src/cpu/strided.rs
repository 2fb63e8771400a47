//! Copies between a strided view and contiguous memory, which permute, broadcast, slice and pad all are.

use super::rows_per_task;
use crate::shape::{MAX_RANK, Shape};
use rayon::prelude::*;

/// A view into a longer array: value (i0, i1, ...) is at `offset` + Σ i_a · `strides[a]`.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// The lengths of the view's axes.
    pub shape: Shape,
    /// The distance of neighbours along each axis; 0 repeats a value.
    pub strides: [usize; MAX_RANK],
    /// The place of the first value.
    pub offset: usize,
}

impl View {
    /// Where each row (a run along the last axis) begins, and how far apart the values of a row lie.
    fn row_start(&self, row: usize) -> usize {
        let mut rest = row;
        let mut at = self.offset;
        for axis in (0..self.shape.rank().saturating_sub(1)).rev() {
            let length = self.shape.dims()[axis];
            at += (rest % length) * self.strides[axis];
            rest /= length;
        }
        at
    }

    fn row(&self) -> (usize, usize) {
        match self.shape.rank() {
            0 => (1, 1),
            rank => (self.shape.dims()[rank - 1], self.strides[rank - 1]),
        }
    }
}

/// out = the values of the view `from` into `values`, row by row.
pub fn gather(values: &[f32], from: View, out: &mut [f32]) {
    let (length, stride) = from.row();
    if out.is_empty() {
        return;
    }
    let rows = rows_per_task(length);
    out.par_chunks_mut(rows * length).enumerate().for_each(|(task, out)| {
        for (i, out) in out.chunks_exact_mut(length).enumerate() {
            let start = from.row_start(task * rows + i);
            match stride {
                1 => out.copy_from_slice(&values[start..start + length]),
                0 => out.fill(values[start]),
                _ => {
                    let row = values[start..].iter().step_by(stride);
                    out.iter_mut().zip(row).for_each(|(out, &v)| *out = v);
                }
            }
        }
    });
}

/// Writes `values`, row by row, to the places of `out` that the view `to` covers; the rest of `out` stays as it is.
/// The view's last axis must be contiguous.
pub fn scatter(values: &[f32], to: View, out: &mut [f32]) {
    let (length, stride) = to.row();
    debug_assert_eq!(stride, 1, "scatter writes contiguous rows");
    if values.is_empty() {
        return;
    }
    for (row, values) in values.chunks_exact(length).enumerate() {
        let start = to.row_start(row);
        out[start..start + length].copy_from_slice(values);
    }
}
