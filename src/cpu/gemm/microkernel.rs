//! The microkernel: a tile of C, a few rows high and a few vectors wide, that stays in registers while k runs.
//!
//! ```text
//! c[r, j] = start[r, j] + Σ_{k < len}  a[row_r + walk(k)] · b[k·b_step + j]
//! ```
//!
//! In each step of k one row of B is loaded and every value of A in it is spread over a vector: no
//! operand is ever shuffled, so A may be read where it lies. That is why rows of A are given by where
//! they begin, and where in them k leads by a [`Walk`]. With steps of 1 they are rows of a matrix; with
//! rows side by side and long steps, rows of a transposed one; with one segment per kernel row, the
//! patches that a convolution sees.
//!
//! With AVX-512 a tile is 6 rows of 4 vectors: 24 sums hide the latency of a fused multiply-add
//! (4 cycles, 2 a cycle), and a step of k makes 24 of them from 10 loads.

use super::prefetch::{Ahead, into_l1, into_l2};
use super::rows::Rows;
use super::sets::Microkernels;
use super::vector::Vector;
use super::walk::Walk;

/// Rows of a tile.
pub const ROWS: usize = 6;

/// f32 in the longest vector of any instruction set.
pub const MAX_LANES: usize = 16;

/// The widest tile of any instruction set, in its vectors.
pub const MAX_VECTORS: usize = 4;

/// The widest tile of any instruction set, in columns.
pub const MAX_COLUMNS: usize = MAX_LANES * MAX_VECTORS;

/// How many rows ahead of the one that is multiplied B is fetched into the L1 cache; as far as can be where
/// rows lie 4 KiB apart, so that all must share the few lines of one set.
const ROWS_AHEAD: usize = 8;

/// Steps of k to each row that is fetched for later.
const STRETCH: usize = 8;

/// What a sum over k starts from.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// 0.
    Zero,
    /// What C holds.
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

/// A tile to be computed: at most [`ROWS`] rows, and columns that fill whole vectors.
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

/// A tile's function for some number of rows and vectors: the tile, and where its rows of C begin.
pub(super) type TileFn = unsafe fn(&Tile, &[*mut f32; ROWS]);

impl Microkernels {
    /// Computes `columns` columns of `tile` into `c`. B's rows must hold whole vectors, C's no more than
    /// the columns.
    ///
    /// # Panics
    /// If anything reaches outside its slice.
    pub(super) fn run(&self, tile: Tile, mut c: Rows, columns: usize) {
        let rows = tile.a_rows.len();
        assert!(rows == c.len() && tile.walk.len() > 0);
        let vectors = columns.div_ceil(self.lanes);
        let tiles = if tile.ahead.rows > 0 { &self.tiles_ahead } else { &self.tiles };
        let tile_fn = tiles[rows - 1][vectors - 1];
        if columns == vectors * self.lanes {
            return run_checked(tile_fn, &tile, &mut c, columns);
        }
        // C's rows end inside of a vector: the tile is made beside it.
        let width = vectors * self.lanes;
        let mut wide = [0.0; ROWS * MAX_COLUMNS];
        let mut bias = [0.0; MAX_COLUMNS];
        let c_rows: [usize; ROWS] = std::array::from_fn(|r| r * width);
        let start = match tile.start {
            Start::Zero => Start::Zero,
            Start::Sum => {
                for (r, wide) in wide.chunks_exact_mut(width).take(rows).enumerate() {
                    wide[..columns].copy_from_slice(&c.row(r)[..columns]);
                }
                Start::Sum
            }
            Start::Bias(values) => {
                bias[..columns].copy_from_slice(&values[..columns]);
                Start::Bias(&bias)
            }
        };
        let beside = Tile { start, ..tile };
        let mut wide_rows = Rows::Within(&mut wide, &c_rows[..rows]);
        run_checked(tile_fn, &beside, &mut wide_rows, width);
        for (r, wide) in wide.chunks_exact(width).take(rows).enumerate() {
            c.row(r)[..columns].copy_from_slice(&wide[..columns]);
        }
    }
}

#[expect(unsafe_code, reason = "the one door to the microkernels, which use raw pointers")]
fn run_checked(tile_fn: TileFn, tile: &Tile, c: &mut Rows, columns: usize) {
    let last = tile.a_rows.iter().max();
    let b_end = (tile.walk.len() - 1).saturating_mul(tile.b_step).saturating_add(columns);
    assert!(
        last <= tile.a.len().checked_sub(tile.walk.reach()).as_ref() && b_end <= tile.b.len(),
        "gemm: a tile reaches outside its operands"
    );
    let c = c.pointers(columns);
    if let Start::Bias(bias) = tile.start {
        assert!(bias.len() >= columns, "gemm: {} biases for {columns} columns", bias.len());
    }
    // SAFETY: `available` gives only what this machine can run; the asserts hold every index of the
    // formula inside of its slice, and C's rows are borrowed mutably, so they overlap no operand.
    unsafe { tile_fn(tile, &c) }
}

/// The tile of `R` rows and `N` vectors, to be inlined where the instruction set is enabled. With `AHEAD` what
/// [`Tile::ahead`] names is fetched between the steps.
///
/// # Safety
/// The machine has the instruction set of `V`, `tile` has `R` rows, and everything that the formula
/// reads and writes for N · LANES columns lies within its slices and the rows at `c`.
#[inline(always)]
#[expect(unsafe_code, reason = "raw pointers: checked indices would cost more than the arithmetic")]
pub(super) unsafe fn compute<V: Vector, const R: usize, const N: usize, const AHEAD: bool>(
    tile: &Tile,
    c: &[*mut f32; ROWS],
) {
    let Walk { planes, plane, segments, segment, run, step } = tile.walk;
    let b_step = tile.b_step;
    let mut sums = [[V::splat(0.0); N]; R];
    // SAFETY: as this function's.
    unsafe {
        let (a, mut b) = (tile.a.as_ptr(), tile.b.as_ptr());
        let mut rows = [a; R];
        for r in 0..R {
            rows[r] = a.add(*tile.a_rows.get_unchecked(r));
            if let Start::Sum = tile.start {
                (0..N).for_each(|v| into_l1(c[r].add(v * V::LANES)));
            }
        }
        let stretch = if AHEAD { STRETCH } else { run };
        let (mut ahead, mut rows_ahead) = (tile.ahead.values.as_ptr(), tile.ahead.rows);
        for p in 0..planes {
            for s in 0..segments {
                let mut at = p * plane + s * segment;
                for k in (0..run).step_by(stretch) {
                    if AHEAD && rows_ahead > 0 {
                        for v in 0..N {
                            into_l2(ahead.wrapping_add(v * V::LANES));
                        }
                        ahead = ahead.wrapping_add(tile.ahead.step);
                        rows_ahead -= 1;
                    }
                    for _ in k..run.min(k + stretch) {
                        let mut b_row = [V::splat(0.0); N];
                        for v in 0..N {
                            b_row[v] = V::load(b.add(v * V::LANES));
                            into_l1(b.wrapping_add(ROWS_AHEAD * b_step + v * V::LANES));
                        }
                        for r in 0..R {
                            let a = V::splat(*rows[r].add(at));
                            for v in 0..N {
                                sums[r][v] = sums[r][v].add_product(a, b_row[v]);
                            }
                        }
                        at += step;
                        b = b.wrapping_add(b_step);
                    }
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

#[cfg(test)]
mod tests {
    use super::super::dots::{self, Dots};
    use super::super::sets::{microkernels, testable};
    use super::*;
    use crate::random::{Purpose, Random};

    const WALK: Walk = Walk { planes: 2, plane: 230, segments: 3, segment: 40, run: 19, step: 1 };
    const IN_ONE_PLANE: Walk = Walk { planes: 1, ..WALK };

    /// Every instruction set of this machine, every size of tile and every start against the formula.
    #[test]
    fn every_tile_follows_the_formula() {
        let mut random = Random::new(4, Purpose::CHECK);
        let mut draw = |len| -> Vec<f32> { random.normal(len).into_iter().map(|v| v as f32).collect() };
        let (a, b, before, bias) = (draw(8000), draw(8000), draw(1000), draw(MAX_COLUMNS));
        for kernels in testable() {
            for (walk, rows, columns) in tiles(kernels) {
                let a_rows: Vec<usize> = (0..rows).map(|r| (r * 7) % 5 * 90 + r).collect();
                let c_rows: Vec<usize> = (0..rows).rev().map(|r| r * 70 + 3).collect();
                let b_step = columns.next_multiple_of(kernels.lanes);
                for start in [Start::Zero, Start::Sum, Start::Bias(&bias)] {
                    let mut c = before.clone();
                    let tile = Tile { walk, a: &a, a_rows: &a_rows, b: &b, b_step, start, ahead: Ahead::NOTHING };
                    kernels.run(tile, Rows::Within(&mut c, &c_rows), columns);
                    let b_at = |k, j| b[k * b_step + j];
                    let want = formula(walk, &a, &a_rows, b_at, &before, &c_rows, columns, start);
                    assert_near(&c, &want, kernels);
                }
            }
            let highest = |columns: usize| kernels.dots_rows[columns - 1];
            for (rows, columns) in (1..=dots::COLUMNS).flat_map(|c| (1..=highest(c)).map(move |r| (r, c))) {
                let a_rows: Vec<usize> = (0..rows).map(|r| r * 100).collect();
                let c_rows: Vec<usize> = (0..rows).map(|r| r * 5).collect();
                for start in [Start::Zero, Start::Sum, Start::Bias(&bias)] {
                    let mut c = before.clone();
                    let dots = Dots {
                        walk: IN_ONE_PLANE,
                        a: &a,
                        a_rows: &a_rows,
                        b: &b,
                        b_column: 60,
                        c: &mut c,
                        c_rows: &c_rows,
                        start,
                    };
                    dots.run(kernels, columns);
                    let b_at = |k, j| b[j * 60 + k];
                    let want = formula(IN_ONE_PLANE, &a, &a_rows, b_at, &before, &c_rows, columns, start);
                    assert_near(&c, &want, kernels);
                }
            }
        }
    }

    fn tiles(kernels: &Microkernels) -> Vec<(Walk, usize, usize)> {
        let widths = (1..=kernels.columns()).step_by(3).chain([kernels.columns()]);
        let sizes = widths.flat_map(|columns| (1..=ROWS).map(move |rows| (rows, columns)));
        let walks = [WALK, Walk { step: 4, run: 5, segment: 31, ..WALK }];
        sizes.flat_map(|(r, c)| walks.map(|walk| (walk, r, c))).collect()
    }

    #[expect(clippy::too_many_arguments, reason = "the formula's operands")]
    fn formula(
        walk: Walk,
        a: &[f32],
        a_rows: &[usize],
        b_at: impl Fn(usize, usize) -> f32,
        c: &[f32],
        c_rows: &[usize],
        columns: usize,
        start: Start,
    ) -> Vec<f32> {
        let mut c = c.to_vec();
        for (&a_row, &c_row) in a_rows.iter().zip(c_rows) {
            for j in 0..columns {
                let mut sum = match start {
                    Start::Zero => 0.0,
                    Start::Sum => f64::from(c[c_row + j]),
                    Start::Bias(bias) => f64::from(bias[j]),
                };
                for k in 0..walk.len() {
                    let (s, r) = (k / walk.run, k % walk.run);
                    let (p, s) = (s / walk.segments, s % walk.segments);
                    let at = a_row + p * walk.plane + s * walk.segment + r * walk.step;
                    sum += f64::from(a[at]) * f64::from(b_at(k, j));
                }
                c[c_row + j] = sum as f32;
            }
        }
        c
    }

    fn assert_near(found: &[f32], want: &[f32], kernels: &Microkernels) {
        for (i, (found, want)) in found.iter().zip(want).enumerate() {
            assert!((found - want).abs() < 2e-5, "{}: value {i} is {found}, not {want}", kernels.name);
        }
    }

    #[test]
    #[should_panic(expected = "a tile reaches outside its operands")]
    fn rows_of_b_so_far_apart_that_their_end_wraps_around_are_refused() {
        let tile = Tile {
            walk: Walk::straight(3, 1),
            a: &[0.0; 3],
            a_rows: &[0],
            b: &[0.0; 64],
            // Twice that is 0.
            b_step: 1 << (usize::BITS - 1),
            start: Start::Zero,
            ahead: Ahead::NOTHING,
        };
        let c = Rows::Within(&mut [0.0; 64], &[0]);
        microkernels().run(tile, c, microkernels().lanes);
    }

    #[test]
    #[should_panic(expected = "a tile reaches outside its operands")]
    fn a_tile_that_reaches_outside_is_refused() {
        let tile = Tile {
            walk: WALK,
            a: &[0.0; 328],
            a_rows: &[0],
            b: &[0.0; 4000],
            b_step: 64,
            start: Start::Zero,
            ahead: Ahead::NOTHING,
        };
        let c = Rows::Within(&mut [0.0; 64], &[0]);
        microkernels().run(tile, c, microkernels().lanes);
    }
}
