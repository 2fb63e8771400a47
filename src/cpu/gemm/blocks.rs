//! The loops around the microkernel: C's rows × all of k × C's columns, cut so that values are still in cache when they
//! are used again.
//!
//! ```text
//! for 192 rows of C         (a block)
//!   for 512 of k            (Walk::pieces)  192 × 512 of A stay in the L2 cache
//!     for 64 columns of C   (a panel)       512 × 64 of B, packed side by side, stay in the L2 cache
//!       for 6 rows of C                     the microkernel
//! ```
//!
//! A panel is read through once for every 6 rows, 256 bytes in 12 cycles, which the L2 cache gives; A's 6
//! rows and the sums meanwhile stay in the L1 cache and in registers. A isn't packed, as the microkernel reads
//! it one value at a time, from wherever it is. The loops fix the order of the sum over k, whichever thread works on
//! which rows, so the bits are the same for any number of threads.

use super::dots::{self, Dots};
use super::matrix::Matrix;
use super::microkernel::{MAX_COLUMNS, ROWS, Start, Tile};
use super::prefetch::{Ahead, into_l1};
use super::rows::Rows;
use super::sets::microkernels;
use super::table::Microkernels;
use super::transpose::transpose;
use super::walk::{DEPTH, Piece, Walk};
use crate::cpu::LINE;
use crate::cpu::pool::Buffer;
use crate::cpu::simd::{copy_few, widest};
use rayon::prelude::*;

/// Rows of C in a block.
pub(super) const BLOCK_ROWS: usize = 32 * ROWS;

/// Columns of B that a task packs.
const TASK_COLUMNS: usize = 4 * MAX_COLUMNS;

/// B is fetched into the L1 cache this many rows ahead of the one that is packed. More would not help, as rows that are
/// 4 KiB apart all share the few lines of one set.
const PACK_AHEAD: usize = 8;

/// A piece of B with at least this many values doesn't stay in the L1 cache from one block to the next.
const FETCH_FROM: usize = 1 << 13;

/// B `[k, n]` in the order in which the microkernels read it: by the pieces of a walk, each piece panel by panel, and
/// the rows of a panel one after another, filled up with zeros to whole vectors. A B of very few columns, for steps of
/// 1, is stored column by column instead.
pub struct Packed {
    /// The microkernels for which it is packed.
    kernels: &'static Microkernels,
    values: Buffer,
    walk: Walk,
    columns: usize,
}

impl Packed {
    /// B packed for rows of A that `walk` runs through.
    ///
    /// # Panics
    /// If the number of B's rows isn't that of the walk's steps.
    pub fn new(b: Matrix, walk: Walk) -> Packed {
        Packed::of(microkernels(), b, walk)
    }

    /// As [`Packed::new`], for the microkernels `kernels`.
    pub(super) fn of(kernels: &'static Microkernels, b: Matrix, walk: Walk) -> Packed {
        assert_eq!(b.rows, walk.len(), "gemm: rows of B");
        if is_narrow(b.columns, walk) {
            let mut values = Buffer::unspecified(walk.len() * b.columns);
            for j in 0..b.columns {
                let column = values[j * walk.len()..].iter_mut().take(walk.len());
                let from = b.values[j * b.column_stride..].iter();
                column.zip(from.step_by(b.row_stride)).for_each(|(to, &v)| *to = v);
            }
            return Packed { kernels, values, walk, columns: b.columns };
        }
        let width = whole_vectors(kernels, b.columns);
        let mut values = Buffer::unspecified(walk.len() * width);
        let mut tasks = Vec::new();
        let mut rest = &mut values[..];
        for piece in walk.pieces(DEPTH) {
            let rows = b.row_block(piece.k, piece.walk.len());
            for from in (0..b.columns).step_by(TASK_COLUMNS) {
                let part = rows.column_block(from, TASK_COLUMNS.min(b.columns - from));
                let (here, after) = rest.split_at_mut(packed_len(kernels, part.rows, part.columns));
                tasks.push((part, here));
                rest = after;
            }
        }
        tasks.into_par_iter().for_each(|(part, here)| pack(kernels, part, here));
        Packed { kernels, values, walk, columns: b.columns }
    }

    /// The rows of a piece of the walk.
    pub(super) fn piece(&self, piece: &Piece) -> &[f32] {
        let width = whole_vectors(self.kernels, self.columns);
        &self.values[piece.k * width..][..piece.walk.len() * width]
    }
}

/// Whether vectors should run along k.
fn is_narrow(columns: usize, walk: Walk) -> bool {
    columns <= dots::COLUMNS && walk.step == 1 && walk.planes == 1
}

/// `columns` rounded up to whole vectors.
fn whole_vectors(kernels: &Microkernels, columns: usize) -> usize {
    columns.next_multiple_of(kernels.lanes)
}

/// Panels of `columns` columns: where each begins, its columns, and those with the filling.
fn panels(kernels: &Microkernels, columns: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    let widest = kernels.columns();
    (0..columns).step_by(widest).map(move |from| {
        let count = widest.min(columns - from);
        (from, count, whole_vectors(kernels, count))
    })
}

/// Values of `depth` rows of B, packed.
pub fn packed_len(kernels: &Microkernels, depth: usize, columns: usize) -> usize {
    depth * whole_vectors(kernels, columns)
}

/// Writes one piece of B, `[k, n]`, in panels, to the beginning of `to`.
pub fn pack(kernels: &Microkernels, b: Matrix, to: &mut [f32]) {
    if b.column_stride == 1 {
        return pack_groups(kernels, b, 1, to);
    }
    let mut rest = to;
    for (from, count, width) in panels(kernels, b.columns) {
        let (panel, after) = rest.split_at_mut(b.rows * width);
        rest = after;
        if count < width {
            panel.fill(0.0);
        }
        transpose(b.transposed().row_block(from, count), width, panel);
    }
}

/// [`pack`] of a row-major B in `groups` runs of as many columns, each run by itself, one after another. A row is read
/// from end to end, as memory is fetched ahead that way, and dealt out to the panels.
///
/// # Panics
/// If `groups` doesn't divide the columns, or `to` is too short.
pub fn pack_groups(kernels: &Microkernels, b: Matrix, groups: usize, to: &mut [f32]) {
    assert!(b.columns.is_multiple_of(groups), "gemm: {} columns in {groups} groups", b.columns);
    let (widest_panel, columns) = (kernels.columns(), b.columns / groups);
    let of_group = packed_len(kernels, b.rows, columns);
    let to = &mut to[..groups * of_group];
    if to.is_empty() {
        return;
    }
    let panels = columns / widest_panel;
    let whole = panels * widest_panel;
    let width = whole_vectors(kernels, columns - whole);
    widest(
        #[inline(always)]
        move || {
            // Counted by hand: a chunk's iterator would divide, for each of these short rows.
            for k in 0..b.rows {
                let ahead = b.values.as_ptr().wrapping_add((k + PACK_AHEAD) * b.row_stride);
                (0..b.columns).step_by(LINE).for_each(|line| into_l1(ahead.wrapping_add(line)));
                let row = b.row(k, b.columns);
                for group in 0..groups {
                    let (row, rest) = row[group * columns..][..columns].split_at(whole);
                    let to = &mut to[group * of_group..][..of_group];
                    for panel in 0..panels {
                        let from = &row[panel * widest_panel..][..widest_panel];
                        copy_few(from, &mut to[(panel * b.rows + k) * widest_panel..][..widest_panel]);
                    }
                    if width > 0 {
                        let (values, filling) = to[whole * b.rows + k * width..][..width].split_at_mut(rest.len());
                        copy_few(rest, values);
                        filling.fill(0.0);
                    }
                }
            }
        },
    );
}

/// C = `start` + A · B on this thread alone, where C's rows begin at `c_rows` and A's at `a_rows`.
///
/// # Panics
/// If a row reaches outside its slice.
pub fn multiply(a: &[f32], a_rows: &[usize], b: &Packed, c: &mut [f32], c_rows: &[usize], start: Start) {
    assert_eq!(a_rows.len(), c_rows.len(), "gemm: rows of A and C");
    if is_narrow(b.columns, b.walk) {
        let rows = b.kernels.dots_rows[b.columns - 1];
        for (a_rows, c_rows) in a_rows.chunks(rows).zip(c_rows.chunks(rows)) {
            let dots = Dots { walk: b.walk, a, a_rows, b: &b.values, b_column: b.walk.len(), c, c_rows, start };
            b.kernels.run_dots(dots, b.columns);
        }
        return;
    }
    // ANCHOR: loops
    for (a_rows, c_rows) in a_rows.chunks(BLOCK_ROWS).zip(c_rows.chunks(BLOCK_ROWS)) {
        for piece in b.walk.pieces(DEPTH) {
            let start = if piece.k == 0 { start } else { Start::Sum };
            multiply_piece(
                b.kernels,
                &a[piece.offset..],
                a_rows,
                piece.walk,
                b.piece(&piece),
                b.columns,
                c,
                c_rows,
                start,
            );
        }
    }
    // ANCHOR_END: loops
}

/// C = `start` + A · B for one piece of the walk, `b` packed by [`pack`] for the same `kernels`.
#[expect(clippy::too_many_arguments, reason = "the product's three operands, each with its place")]
pub fn multiply_piece(
    kernels: &Microkernels,
    a: &[f32],
    a_rows: &[usize],
    walk: Walk,
    b: &[f32],
    columns: usize,
    c: &mut [f32],
    c_rows: &[usize],
    start: Start,
) {
    let c = Rows::Within(c, c_rows);
    multiply_into(kernels, a, a_rows, walk, b, columns, c, start);
}

/// [`multiply_piece`], for rows of C of either kind.
#[expect(clippy::too_many_arguments, reason = "the product's three operands, each with its place")]
pub(super) fn multiply_into(
    kernels: &Microkernels,
    a: &[f32],
    a_rows: &[usize],
    walk: Walk,
    b: &[f32],
    columns: usize,
    mut c: Rows,
    start: Start,
) {
    let k = walk.len();
    let fetch = k * columns >= FETCH_FROM;
    for (from, count, width) in panels(kernels, columns) {
        // Panels before this one are whole: their columns are as many as their values in a row.
        let (panel, rest) = b[k * from..].split_at(k * width);
        let ahead = Ahead { values: rest, rows: if fetch { k.min(rest.len() / width) } else { 0 }, step: width };
        let c = c.part(0, a_rows.len(), from);
        let start = start.at_column(from);
        kernels.run(Tile { walk, a, a_rows, b: panel, b_step: width, start, ahead }, c, count);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sets::testable;
    use super::*;

    #[test]
    fn groups_are_packed_as_each_by_itself() {
        for (rows, columns, groups) in [(5, 48, 3), (7, 60, 4), (3, 140, 2), (4, 9, 1), (2, 6, 6), (0, 8, 2), (3, 0, 1)]
        {
            // Rows that lie further apart than they are long.
            let values: Vec<f32> = (0..rows * (columns + 3)).map(|v| v as f32 + 1.0).collect();
            let b = Matrix { row_stride: columns + 3, ..Matrix::new(&values, rows, columns) };
            for kernels in testable() {
                let of_group = packed_len(kernels, rows, columns / groups);
                let mut together = vec![-1.0; groups * of_group];
                pack_groups(kernels, b, groups, &mut together);
                for (group, found) in together.chunks_exact(of_group.max(1)).enumerate() {
                    let mut want = vec![-2.0; of_group];
                    let alone = b.column_block(group * columns / groups, columns / groups);
                    for (from, count, width) in panels(kernels, alone.columns) {
                        for k in 0..rows {
                            let row = &mut want[from * rows + k * width..][..width];
                            row.fill(0.0);
                            row[..count].copy_from_slice(&alone.row(k, alone.columns)[from..][..count]);
                        }
                    }
                    assert!(found == want, "{}: {rows} x {columns} in {groups} groups", kernels.name);
                }
            }
        }
    }
}
