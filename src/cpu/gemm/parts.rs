//! How a product is shared among threads, and how a thread's part is laid out for the caches.
//!
//! If C has many rows, threads share the rows, and each goes through its own as in [`super::blocks`]. If C has few
//! rows, threads share the columns, of a B that is then by far the largest matrix:
//!
//! ```text
//! for some columns of C     (a task)
//!   for 64 of them          (a strip)
//!     for 384 of k                          384 × 64 of B stay in the L2 cache
//!       for 6 rows of C                     the microkernel
//! ```
//!
//! If a strip is a single panel, B, which is used only once for every 6 rows, is read in place, and each strip is
//! fetched while the one before is multiplied. If a strip has several panels, as with AVX2, a panel would be read in
//! lines of 64 bytes that are far apart and share few sets of the L1 cache, so the strip is packed.
//!
//! Each value of C is summed by one thread, over k in the order of [`Walk::pieces`], so where C is cut
//! changes no bit of it.

use super::blocks::{BLOCK_ROWS, Packed, multiply_into, multiply_piece, pack, packed_len};
use super::matrix::Matrix;
use super::microkernel::{MAX_COLUMNS, ROWS, Start, Tile};
use super::prefetch::Ahead;
use super::rows::Rows;
use super::table::Microkernels;
use super::transpose::transpose;
use super::walk::{DEPTH, Piece, Walk};
use crate::cpu::odd_lines;
use crate::cpu::pool::Buffer;
use rayon::prelude::*;

/// Multiply-adds from which on a second thread is worth waking: about 10 µs of them.
const PARALLEL_FROM: usize = 1 << 20;

/// Multiply-adds from which on more tasks than two a thread share them more evenly than they cost.
const MANY_TASKS_FROM: usize = 1 << 25;

/// Lines that are a multiple of this many values apart, 1 KiB, meet in few sets of the L1 cache.
const CLASH: usize = 256;

/// The most steps of k in a piece of a B for few rows.
const STRIP_DEPTH: usize = 384;

/// Columns of C from which on a copy of A pays.
const COPY_FROM: usize = 2 * MAX_COLUMNS;

/// Cuts C by its columns: for a B that is large beside A. A task takes its columns of B, which nobody else needs, a
/// strip's piece at a time, packed or not, and uses them while they are in cache.
pub(super) fn by_columns(kernels: &Microkernels, a: Matrix, b: Matrix, c: &mut [f32], start: Start) {
    let (m, n) = (a.rows, b.columns);
    let width = task_columns(kernels, m * a.columns, n);
    let tasks = columns_apart(c, n, width);
    tasks.into_par_iter().enumerate().for_each(|(i, mut c)| {
        let b = b.column_block(i * width, c[0].len());
        columns(kernels, a, b, &mut c, start.at_column(i * width));
    });
}

/// The rows of C, `n` columns wide, for each of the tasks that `width` of the columns belong to.
fn columns_apart(c: &mut [f32], n: usize, width: usize) -> Vec<Vec<&mut [f32]>> {
    let mut tasks: Vec<_> = (0..n.div_ceil(width)).map(|_| Vec::with_capacity(c.len() / n)).collect();
    for row in c.chunks_exact_mut(n) {
        let parts = row.chunks_mut(width);
        tasks.iter_mut().zip(parts).for_each(|(task, part)| task.push(part));
    }
    tasks
}

/// Columns of a task of a product that takes `work` multiply-adds a column.
fn task_columns(kernels: &Microkernels, work: usize, n: usize) -> usize {
    let threads = rayon::current_num_threads();
    if threads == 1 || work.saturating_mul(n) < PARALLEL_FROM {
        return n;
    }
    let vectors = n.div_ceil(kernels.lanes);
    // Whole panels if that still leaves enough tasks to share evenly.
    let panel = kernels.columns();
    match vectors.div_ceil(4 * threads) * kernels.lanes {
        columns if columns >= 2 * panel => columns.next_multiple_of(panel),
        _ => vectors.div_ceil(2 * threads) * kernels.lanes,
    }
}

/// C, given by its rows, = `start` + A · B.
fn columns(kernels: &Microkernels, a: Matrix, b: Matrix, c: &mut [&mut [f32]], start: Start) {
    const STRIP: usize = MAX_COLUMNS;
    let a = Placed::new(a, b.columns);
    let whole_vectors = b.columns.is_multiple_of(kernels.lanes);
    let in_place = b.column_stride == 1 && whole_vectors && kernels.columns() == STRIP;
    let starts = (0..b.columns).step_by(STRIP);
    let parts: Vec<(usize, Piece)> =
        starts.flat_map(|from| a.walk.pieces(STRIP_DEPTH).map(move |piece| (from, piece))).collect();
    let part = |&(from, piece): &(usize, Piece)| {
        let b = b.column_block(from, STRIP.min(b.columns - from));
        b.row_block(piece.k, piece.walk.len())
    };
    let mut packed = Buffer::unspecified(packed_len(kernels, STRIP_DEPTH, STRIP));
    for (i, (from, piece)) in parts.iter().enumerate() {
        let start = match piece.k {
            0 => start.at_column(*from),
            _ => Start::Sum,
        };
        let b = part(&parts[i]);
        let (rows, a) = (&a.rows, &a.values()[piece.offset..]);
        let (c, walk) = (Rows::Apart(c, *from), piece.walk);
        if in_place {
            let ahead = parts.get(i + 1).map(part);
            let ahead = ahead.map_or(Ahead::NOTHING, |next| Ahead {
                values: next.values,
                rows: next.rows,
                step: next.row_stride,
            });
            let (b_step, columns) = (b.row_stride, b.columns);
            kernels.run(Tile { walk, a, a_rows: rows, b: b.values, b_step, start, ahead }, c, columns);
        } else {
            pack(kernels, b, &mut packed);
            multiply_into(kernels, a, rows, walk, &packed, b.columns, c, start);
        }
    }
}

/// C = A · B by way of Cᵀ = Bᵀ · Aᵀ: for a B that is read transposed and larger than A, for then it is A that has
/// to be transposed and packed, and Bᵀ is read where it lies.
pub(super) fn by_transposed(kernels: &'static Microkernels, a: Matrix, b: Matrix, c: &mut [f32]) {
    let (m, n) = (a.rows, b.columns);
    let packed = Packed::of(kernels, a.transposed(), Walk::straight(a.columns, 1));
    let task = task_rows(m * a.columns, n);
    let tasks = columns_apart(c, n, task);
    tasks.into_par_iter().enumerate().for_each(|(i, mut c)| {
        let width = c[0].len();
        let rows = b.transposed().row_block(i * task, width);
        let mut turned = Buffer::unspecified(2 * width * m);
        let (turned, straight) = turned.split_at_mut(width * m);
        block(kernels, rows, &packed, m, turned, Start::Zero);
        transpose(Matrix::new(turned, width, m), width, straight);
        let straight = straight.chunks_exact(width);
        c.iter_mut().zip(straight).for_each(|(c, row)| c.copy_from_slice(row));
    });
}

// ANCHOR: by_rows
/// Cuts C by its rows, which all need the same packed B.
pub(super) fn by_rows(kernels: &'static Microkernels, a: Matrix, b: Matrix, c: &mut [f32], start: Start) {
    let (m, n) = (a.rows, b.columns);
    let packed = Packed::of(kernels, b, Walk::straight(a.columns, a.column_stride));
    let rows = task_rows(a.columns * n, m);
    c.par_chunks_mut(rows * n).enumerate().for_each(|(i, c)| {
        for (j, c) in c.chunks_mut(BLOCK_ROWS * n).enumerate() {
            let a = a.row_block(i * rows + j * BLOCK_ROWS, c.len() / n);
            block(kernels, a, &packed, n, c, start);
        }
    });
}
// ANCHOR_END: by_rows

/// Rows of a task of a product that takes `work` multiply-adds a row.
fn task_rows(work: usize, m: usize) -> usize {
    let threads = rayon::current_num_threads();
    let tasks = match work.saturating_mul(m) {
        0..PARALLEL_FROM => 1,
        PARALLEL_FROM..MANY_TASKS_FROM => 2 * threads,
        _ => 4 * threads,
    };
    m.div_ceil(tasks).next_multiple_of(ROWS)
}

/// C = `start` + A · B for a block of rows.
fn block(kernels: &Microkernels, a: Matrix, b: &Packed, n: usize, c: &mut [f32], start: Start) {
    let c_rows: Vec<usize> = (0..a.rows).map(|row| row * n).collect();
    for piece in Walk::straight(a.columns, 1).pieces(DEPTH) {
        let depth = piece.walk.len();
        let a = Placed::new(a.column_block(piece.k, depth), n);
        let start = if piece.k == 0 { start } else { Start::Sum };
        let b = b.piece(&piece);
        multiply_piece(kernels, a.values(), &a.rows, a.walk, b, n, c, &c_rows, start);
    }
}

/// A as the microkernel reads it: where it lies or, if it is read transposed and its rows would push each other
/// out of the L1 cache, copied.
struct Placed<'a> {
    values: &'a [f32],
    copy: Option<Buffer>,
    rows: Vec<usize>,
    walk: Walk,
}

impl Placed<'_> {
    /// Places `a` for a product where each of its values is used for `columns` columns of C.
    fn new(a: Matrix, columns: usize) -> Placed {
        let clash = a.row_stride == 1 && a.column_stride.is_multiple_of(CLASH);
        let mut placed = Placed {
            values: a.values,
            copy: None,
            rows: a.row_offsets(),
            walk: Walk::straight(a.columns, a.column_stride),
        };
        if clash && columns >= COPY_FROM {
            let pitch = odd_lines(a.rows);
            let mut copy = Buffer::unspecified(a.columns * pitch);
            for (k, to) in copy.chunks_exact_mut(pitch).enumerate() {
                to[..a.rows].copy_from_slice(a.transposed().row(k, a.rows));
            }
            placed.copy = Some(copy);
            placed.walk.step = pitch;
        }
        placed
    }

    fn values(&self) -> &[f32] {
        self.copy.as_deref().unwrap_or(self.values)
    }
}
