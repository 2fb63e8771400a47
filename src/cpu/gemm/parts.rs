//! How a product is shared out among threads, and how a thread's part of it is laid out for the caches.
//!
//! Each value of C is summed by one thread, over k in the order of [`Walk::pieces`], so where C is cut
//! changes no bit of it.

use super::blocks::{Packed, multiply_into, multiply_piece, pack, packed_len};
use super::microkernel::{MAX_COLUMNS, ROWS, Rows, Start, microkernels};
use super::walk::{DEPTH, Walk};
use super::Matrix;
use crate::cpu::pool::Buffer;
use rayon::prelude::*;

/// Multiply-adds from which on a second thread is worth waking: about 10 µs of them.
const PARALLEL_FROM: usize = 1 << 20;

/// Rows of C in a block: 64 columns of them stay in the L1 cache.
const BLOCK_ROWS: usize = 32 * ROWS;

/// Columns of C that a block of A is used for while it is in the L2 cache, together with that part of C.
const GROUP_COLUMNS: usize = 16 * MAX_COLUMNS;

/// From this length of A's rows in memory on, in values, rows that are a power of two apart push each
/// other out of the L1 cache.
const CLASH: usize = 256;

/// Uses of each value of A from which on a copy pays.
const COPY_FROM: usize = 2 * MAX_COLUMNS;

/// Cuts C by its columns: for a B that is large beside A. A task packs its columns of B, which nobody else
/// needs, 64 at a time, and finishes those columns of C in cache before it writes them.
pub(super) fn by_columns(a: Matrix, b: Matrix, c: &mut [f32], start: Start) {
    let (m, n) = (a.rows, b.columns);
    let width = task_columns(m * a.columns, n);
    let mut tasks: Vec<Vec<&mut [f32]>> = Vec::new();
    tasks.resize_with(n.div_ceil(width), || Vec::with_capacity(m));
    for row in c.chunks_exact_mut(n) {
        tasks.iter_mut().zip(row.chunks_mut(width)).for_each(|(task, part)| task.push(part));
    }
    tasks.into_par_iter().enumerate().for_each(|(i, mut c)| {
        let b = b.column_block(i * width, c[0].len());
        columns(a, b, &mut c, start.from_column(i * width));
    });
}

/// Columns of a task of a product that takes `work` multiply-adds a column.
fn task_columns(work: usize, n: usize) -> usize {
    let threads = rayon::current_num_threads();
    if threads == 1 || work * n < PARALLEL_FROM {
        return n;
    }
    let vectors = n.div_ceil(microkernels().lanes);
    // Whole panels if that still leaves enough tasks to share evenly.
    let panel = microkernels().columns();
    match vectors.div_ceil(4 * threads) * microkernels().lanes {
        columns if columns >= 2 * panel => columns.next_multiple_of(panel),
        _ => vectors.div_ceil(2 * threads) * microkernels().lanes,
    }
}

/// C, given by its rows, = `start` + A · B.
fn columns(a: Matrix, b: Matrix, c: &mut [&mut [f32]], start: Start) {
    let panel = microkernels().columns();
    let rows = a.row_offsets();
    let mut packed = Buffer::unspecified(packed_len(DEPTH, panel));
    for from in (0..b.columns).step_by(panel) {
        let b = b.column_block(from, panel.min(b.columns - from));
        for piece in Walk::straight(a.columns, a.column_stride).pieces() {
            let start = match piece.k {
                0 => start.from_column(from),
                _ => Start::Sum,
            };
            pack(b.row_block(piece.k, piece.walk.len()), &mut packed);
            let a = &a.values[piece.offset..];
            multiply_into(a, &rows, piece.walk, &packed, b.columns, Rows::Apart(c, from), start);
        }
    }
}

/// Cuts C by its rows, which all need the same packed B.
pub(super) fn by_rows(a: Matrix, b: Matrix, c: &mut [f32], start: Start) {
    let (m, n) = (a.rows, b.columns);
    let packed = Packed::new(b, Walk::straight(a.columns, a.column_stride));
    let rows = task_rows(a.columns * n, m);
    c.par_chunks_mut(rows * n).enumerate().for_each(|(i, c)| {
        for (j, c) in c.chunks_mut(BLOCK_ROWS * n).enumerate() {
            let a = a.row_block(i * rows + j * BLOCK_ROWS, c.len() / n);
            block(a, &packed, n, c, start);
        }
    });
}

/// Rows of a task of a product that takes `work` multiply-adds a row.
fn task_rows(work: usize, m: usize) -> usize {
    let threads = rayon::current_num_threads();
    match work * m {
        0..PARALLEL_FROM => m,
        _ => m.div_ceil(4 * threads).next_multiple_of(ROWS),
    }
}

/// C = `start` + A · B for a block of rows.
fn block(a: Matrix, b: &Packed, n: usize, c: &mut [f32], start: Start) {
    let c_rows: Vec<usize> = (0..a.rows).map(|row| row * n).collect();
    for from in (0..n).step_by(GROUP_COLUMNS) {
        let count = GROUP_COLUMNS.min(n - from);
        for piece in Walk::straight(a.columns, 1).pieces() {
            let depth = piece.walk.len();
            let a = Block::new(a.column_block(piece.k, depth), count);
            let start = match piece.k {
                0 => start.from_column(from),
                _ => Start::Sum,
            };
            let b = b.columns(piece.k, depth, from);
            multiply_piece(a.values(), &a.offsets, a.walk, b, count, &mut c[from..], &c_rows, start);
        }
    }
}

/// The rows of A: where they lie, or copied to where they don't push each other out of the L1 cache.
struct Block<'a> {
    place: Place<'a>,
    offsets: Vec<usize>,
    walk: Walk,
}

enum Place<'a> {
    There(&'a [f32]),
    Copy(Buffer),
}

impl Block<'_> {
    /// The rows of `a`, each used for `columns` columns of C.
    fn new(a: Matrix, columns: usize) -> Block {
        let across = a.row_stride == 1;
        let length = if across { a.column_stride } else { a.row_stride };
        if columns < COPY_FROM || !length.is_multiple_of(CLASH) {
            return Block {
                place: Place::There(a.values),
                offsets: a.row_offsets(),
                walk: Walk::straight(a.columns, a.column_stride),
            };
        }
        let lines = if across { a.transposed() } else { a };
        // An odd number of cache lines: as many lines lie in each set.
        let pitch = (lines.columns.div_ceil(16) | 1) * 16;
        let mut copy = Buffer::unspecified(lines.rows * pitch);
        for (i, to) in copy.chunks_exact_mut(pitch).enumerate() {
            to[..lines.columns].copy_from_slice(lines.row(i, lines.columns));
        }
        let (row, step) = if across { (1, pitch) } else { (pitch, 1) };
        Block {
            place: Place::Copy(copy),
            offsets: (0..a.rows).map(|i| i * row).collect(),
            walk: Walk::straight(a.columns, step),
        }
    }

    fn values(&self) -> &[f32] {
        match &self.place {
            Place::There(values) => values,
            Place::Copy(values) => values,
        }
    }
}
