//! The microkernel: a tile of C, a few rows high and a few vectors wide, that stays in registers while k runs.
//!
//! ```text
//! c[r, j] = start[r, j] + Σ_{k < len}  a[row_r + walk(k)] · b[k·b_step + j]
//! ```
//!
//! In each step of k one row of B is loaded, and each of A's values for this k is broadcast to a vector. No operand is
//! ever shuffled, so A can be read in place. Therefore rows of A are given by their beginnings, and the places along k
//! by a [`Walk`]. With steps of 1 they are rows of a matrix; with rows side by side and long steps, rows of a
//! transposed one; with one segment per kernel row, the patches that a convolution sees.
//!
//! With AVX-512 a tile is 6 rows of 4 vectors: 24 sums hide the latency of a fused multiply-add
//! (4 cycles, 2 a cycle), and a step of k makes 24 of them from 10 loads.

use super::prefetch::{Ahead, into_l1, into_l2};
use super::vector::Vector;
use super::walk::Walk;
use crate::cpu::LINE;

/// Rows of a tile.
pub const ROWS: usize = 6;

/// f32 in the longest vector of any instruction set.
pub const MAX_LANES: usize = 16;

/// The widest tile of any instruction set, in its vectors.
pub const MAX_VECTORS: usize = 4;

/// The widest tile of any instruction set, in columns.
pub const MAX_COLUMNS: usize = MAX_LANES * MAX_VECTORS;

/// B is fetched into the L1 cache this many rows ahead of the one that is multiplied. It can't be more if rows are 4
/// KiB apart, as all of them share the few lines of one set.
const ROWS_AHEAD: usize = 8;

/// Steps of k that are written out one after another, and to each row that is fetched for later. On a core that shares
/// its front end with another program's thread it is instructions that a microkernel waits for: counting and fetching
/// in every step takes a fifth of its speed there.
const STRETCH: usize = 8;

/// The value from which a sum over k starts.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// 0.
    Zero,
    /// The value in C.
    Sum,
    /// A value for each column.
    Bias(&'a [f32]),
}

impl<'a> Start<'a> {
    /// For the columns from `from` on.
    pub(super) fn at_column(self, from: usize) -> Start<'a> {
        match self {
            Start::Bias(bias) => Start::Bias(&bias[from..]),
            start => start,
        }
    }
}

/// What is to be computed: a tile of at most [`ROWS`] rows and columns that fill whole vectors, or the rows of several.
#[derive(Clone, Copy)]
pub(super) struct Tile<'a> {
    pub walk: Walk,
    pub a: &'a [f32],
    /// Where each row begins in `a`.
    pub a_rows: &'a [usize],
    pub b: &'a [f32],
    /// From a row of `b` to the next.
    pub b_step: usize,
    pub start: Start<'a>,
    /// To be fetched meanwhile.
    pub ahead: Ahead<'a>,
}

/// The tile of `R` rows and `N` vectors, to be inlined where the instruction set is enabled. With `AHEAD` what
/// [`Tile::ahead`] names is fetched between the steps, with `IN_PLACE` B's own rows are too, which may lie apart then.
///
/// # Safety
/// The machine has the instruction set of `V`, `tile` has `R` rows, and everything that the formula
/// reads and writes for N · LANES columns lies within its slices and the rows at `c`.
#[inline(always)]
#[expect(unsafe_code, reason = "raw pointers: checked indices would cost more than the arithmetic")]
pub(super) unsafe fn compute<V: Vector, const R: usize, const N: usize, const AHEAD: bool, const IN_PLACE: bool>(
    tile: &Tile,
    c: &[*mut f32; ROWS],
) {
    let Walk { planes, plane, segments, segment, run, step } = tile.walk;
    // Known to the compiler where B is packed, which spares counting.
    let b_step = if IN_PLACE { tile.b_step } else { N * V::LANES };
    let mut sums = [[V::splat(0.0); N]; R];
    // SAFETY: as this function's.
    unsafe {
        let (a, mut b) = (tile.a.as_ptr(), tile.b.as_ptr());
        let mut rows = [a; R];
        for r in 0..R {
            rows[r] = a.add(*tile.a_rows.get_unchecked(r));
            // C's rows, which are written when the sums are done, whether they are read first or not.
            (0..N * V::LANES).step_by(LINE).for_each(|line| into_l1(c[r].add(line)));
        }
        let (mut ahead, mut rows_ahead) = (tile.ahead.values.as_ptr(), tile.ahead.rows);
        for p in 0..planes {
            for s in 0..segments {
                let mut at = p * plane + s * segment;
                let mut k = 0;
                while k + STRETCH <= run {
                    if AHEAD && rows_ahead > 0 {
                        for line in (0..N * V::LANES).step_by(LINE) {
                            into_l2(ahead.wrapping_add(line));
                        }
                        ahead = ahead.wrapping_add(tile.ahead.step);
                        rows_ahead -= 1;
                    }
                    for _ in 0..STRETCH {
                        add_step::<V, R, N, IN_PLACE>(&mut sums, &rows, at, b, b_step);
                        (at, b) = (opaque(at + step), b.wrapping_add(b_step));
                    }
                    k += STRETCH;
                }
                for _ in k..run {
                    add_step::<V, R, N, IN_PLACE>(&mut sums, &rows, at, b, b_step);
                    (at, b) = (opaque(at + step), b.wrapping_add(b_step));
                }
            }
        }
        for r in 0..R {
            for v in 0..N {
                let to = c[r].add(v * V::LANES);
                let start = match tile.start {
                    Start::Zero => V::splat(0.0),
                    Start::Sum => V::load(to),
                    Start::Bias(bias) => V::load(bias.as_ptr().add(v * V::LANES)),
                };
                start.add(sums[r][v]).store(to);
            }
        }
    }
}

/// Adds one step of k to `sums`, of A's values `at` in `rows` and B's row at `b`.
///
/// # Safety
/// The machine has the instruction set of `V`, and these values can be read.
#[inline(always)]
#[expect(unsafe_code, reason = "part of `compute`")]
unsafe fn add_step<V: Vector, const R: usize, const N: usize, const IN_PLACE: bool>(
    sums: &mut [[V; N]; R],
    rows: &[*const f32; R],
    at: usize,
    b: *const f32,
    b_step: usize,
) {
    // ANCHOR: step
    let mut b_row = [V::splat(0.0); N];
    // SAFETY: as this function's.
    unsafe {
        for v in 0..N {
            b_row[v] = V::load(b.add(v * V::LANES));
        }
        if IN_PLACE {
            for line in (0..N * V::LANES).step_by(LINE) {
                into_l1(b.wrapping_add(ROWS_AHEAD * b_step + line));
            }
        }
        for r in 0..R {
            let a = V::splat(*rows[r].add(at));
            for v in 0..N {
                sums[r][v] = sums[r][v].add_product(a, b_row[v]);
            }
        }
    }
    // ANCHOR_END: step
}

/// Returns `value` but hides from the compiler how it was computed. Otherwise the compiler computes the addresses of
/// all steps of a stretch beforehand, and there aren't enough registers for them.
#[inline(always)]
#[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "assembly of no instruction"))]
#[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "nothing is done to it"))]
fn opaque(mut value: usize) -> usize {
    // SAFETY: nothing is executed.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        std::arch::asm!("/* {} */", inout(reg) value, options(pure, nomem, nostack, preserves_flags))
    };
    value
}
