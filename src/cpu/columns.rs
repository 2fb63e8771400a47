//! Sums down the columns of a tall matrix `[rows, width]`: bias gradients and batch statistics.
//!
//! The matrix is cut into tiles of fixed size, which are shared among threads, and each tile into leaves of a few rows.
//! The sums of leaves are added in pairs, the results in pairs again, and so on. So errors grow with the logarithm of
//! the number of rows, and the number of threads changes no bits.

use super::TASK_LENGTH;
use super::pool::Buffer;
use super::simd::widest;
use rayon::prelude::*;
use std::ops::Range;

/// The most columns of a tile: its sums stay in the L1 cache while rows are added.
pub const TILE_WIDTH: usize = 256;

/// The most rows of a leaf, which are added up one after the other.
const LEAF_ROWS: usize = 32;

/// A leaf's place in the matrix.
pub struct Leaf {
    /// Its rows.
    pub rows: Range<usize>,
    /// Its columns.
    pub columns: Range<usize>,
    /// The first row of the tile that it is part of.
    pub top: usize,
}

/// The sums of each tile.
pub struct TileSums {
    grid: Grid,
    sums: usize,
    /// `[column tiles, row tiles, sums, tile width]`.
    values: Buffer,
}

/// How a matrix is cut.
#[derive(Clone, Copy)]
struct Grid {
    rows: usize,
    width: usize,
    tile_rows: usize,
    tile_width: usize,
}

impl Grid {
    fn new(rows: usize, width: usize) -> Grid {
        let tile_width = width.clamp(1, TILE_WIDTH);
        Grid { rows, width, tile_rows: TASK_LENGTH / tile_width, tile_width }
    }

    /// Tiles above each other.
    fn down(&self) -> usize {
        self.rows.div_ceil(self.tile_rows)
    }

    /// The columns of column tile `i`.
    fn columns(&self, i: usize) -> Range<usize> {
        let start = i * self.tile_width;
        start..self.width.min(start + self.tile_width)
    }

    /// The rows of row tile `i`.
    fn rows(&self, i: usize) -> Range<usize> {
        let start = i * self.tile_rows;
        start..self.rows.min(start + self.tile_rows)
    }
}

/// Sums `sums` quantities of each column, tile by tile. `add(leaf, sums)` adds the share of a leaf's rows
/// to `sums`: zeros at first, a row of [`Leaf::columns`] for each quantity.
pub fn tile_sums(rows: usize, width: usize, sums: usize, add: impl Fn(&Leaf, &mut [f32]) + Sync) -> TileSums {
    let grid = Grid::new(rows, width);
    let (down, across) = (grid.down(), width.div_ceil(grid.tile_width));
    let of_tile = sums * grid.tile_width;
    let len = across.checked_mul(down).and_then(|tiles| tiles.checked_mul(of_tile));
    let mut values = Buffer::unspecified(len.expect("as many sums as fit into memory"));
    values.par_chunks_mut(of_tile).enumerate().for_each(|(i, values)| {
        let (rows, columns) = (grid.rows(i % down), grid.columns(i / down));
        let values = &mut values[..sums * columns.len()];
        sum_tile(rows, columns, values, &add);
    });
    TileSums { grid, sums, values }
}

/// The sums that `add` gives for the leaves of a tile, added in pairs.
fn sum_tile(rows: Range<usize>, columns: Range<usize>, values: &mut [f32], add: impl Fn(&Leaf, &mut [f32])) {
    let top = rows.start;
    let leaf = |start: usize| Leaf { rows: start..rows.end.min(start + LEAF_ROWS), columns: columns.clone(), top };
    if rows.len() <= LEAF_ROWS {
        values.fill(0.0);
        return add(&leaf(top), values);
    }
    let mut leaves = Buffer::zeros(rows.len().div_ceil(LEAF_ROWS) * values.len());
    for (i, sums) in leaves.chunks_exact_mut(values.len()).enumerate() {
        add(&leaf(top + i * LEAF_ROWS), sums);
    }
    let len = values.len();
    widest(
        #[inline(always)]
        || add_in_pairs(&mut leaves, len, len),
    );
    values.copy_from_slice(&leaves[..values.len()]);
}

/// Adds up rows of `len` values that begin every `stride` values, and leaves their sum in the first.
#[inline(always)]
pub fn add_in_pairs(rows: &mut [f32], stride: usize, len: usize) {
    in_pairs(rows, stride, len, add_assign);
}

/// Joins rows in pairs, by `join`, which adds the second row to the first: first neighbours, then neighbouring pairs,
/// and so on, until the first row has everything. Rows of `len` values begin every `stride` values.
#[inline(always)]
pub fn in_pairs(rows: &mut [f32], stride: usize, len: usize, join: impl Fn(&mut [f32], &[f32])) {
    let mut apart = stride;
    while apart < rows.len() {
        for at in (0..rows.len() - apart).step_by(2 * apart) {
            let (left, right) = rows.split_at_mut(at + apart);
            join(&mut left[at..][..len], &right[..len]);
        }
        apart *= 2;
    }
}

impl TileSums {
    /// The columns of each stack of tiles; and its tiles from the first rows on, each as its rows and sums.
    pub fn stacks(&self) -> impl Iterator<Item = (Range<usize>, impl Iterator<Item = (Range<usize>, &[f32])>)> {
        let of_tile = self.sums * self.grid.tile_width;
        let stacks = self.values.chunks_exact((self.grid.down() * of_tile).max(1));
        stacks.enumerate().map(move |(i, stack)| {
            let columns = self.grid.columns(i);
            let len = self.sums * columns.len();
            let tiles = stack.chunks_exact(of_tile).enumerate();
            (columns, tiles.map(move |(i, sums)| (self.grid.rows(i), &sums[..len])))
        })
    }

    /// The sums over all rows, `[sums, width]`.
    pub fn total(mut self) -> Buffer {
        let Grid { width, .. } = self.grid;
        let mut total = Buffer::zeros(self.sums * width);
        let of_tile = self.sums * self.grid.tile_width;
        let of_stack = (self.grid.down() * of_tile).max(1);
        for (i, stack) in self.values.chunks_exact_mut(of_stack).enumerate() {
            let columns = self.grid.columns(i);
            let len = self.sums * columns.len();
            widest(
                #[inline(always)]
                || add_in_pairs(stack, of_tile, len),
            );
            for (i, sums) in stack.chunks_exact(columns.len()).take(self.sums).enumerate() {
                total[i * width..][columns.clone()].copy_from_slice(sums);
            }
        }
        total
    }
}

/// sum_i ← sum_i + x_i.
#[inline(always)]
pub fn add_assign(sum: &mut [f32], x: &[f32]) {
    for (sum, &x) in sum.iter_mut().zip(x) {
        *sum += x;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_is_summed_over_every_row() {
        for (rows, width) in [(0, 3), (3, 0), (5, 1), (20_000, 1), (700, 17), (130, 600)] {
            let x: Vec<f32> = (0..rows * width).map(|i| (i % 7) as f32).collect();
            let sums = tile_sums(rows, width, 2, |leaf, sums| {
                let (plain, doubled) = sums.split_at_mut(leaf.columns.len());
                for row in leaf.rows.clone() {
                    for (i, c) in leaf.columns.clone().enumerate() {
                        plain[i] += x[row * width + c];
                        doubled[i] += 2.0 * x[row * width + c];
                    }
                }
            });
            let total = sums.total();
            for c in 0..width {
                let expected: f32 = (0..rows).map(|row| x[row * width + c]).sum();
                assert_eq!([total[c], total[width + c]], [expected, 2.0 * expected]);
            }
        }
    }
}
