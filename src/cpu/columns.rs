//! Sums down the columns of a tall matrix `[rows, width]`: bias gradients and batch statistics.
//!
//! The matrix is cut into tiles of fixed size, which threads share; what is summed of each is brought
//! together in order, so threads change no bits.

use super::TASK_LENGTH;
use super::pool::Buffer;
use rayon::prelude::*;
use std::ops::Range;

/// Columns of a tile at most: what is summed stays in the L1 cache while rows pass.
pub const TILE_WIDTH: usize = 256;

/// A tile's place in the matrix.
pub struct Tile {
    /// Its rows.
    pub rows: Range<usize>,
    /// Its columns.
    pub columns: Range<usize>,
}

/// What has been summed of each tile.
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
        Grid {
            rows,
            width,
            tile_rows: TASK_LENGTH / tile_width,
            tile_width,
        }
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

/// Sums `sums` quantities of each column, tile by tile. `add(tile, sums)` adds the share of a tile's rows
/// to `sums`: zeros at first, a row of [`Tile::columns`] for each quantity.
pub fn tile_sums(
    rows: usize,
    width: usize,
    sums: usize,
    add: impl Fn(&Tile, &mut [f32]) + Sync,
) -> TileSums {
    let grid = Grid::new(rows, width);
    let (down, across) = (grid.down(), width.div_ceil(grid.tile_width));
    let of_tile = sums * grid.tile_width;
    let len = across
        .checked_mul(down)
        .and_then(|tiles| tiles.checked_mul(of_tile));
    let mut values = Buffer::unspecified(len.expect("as many sums as fit into memory"));
    values
        .par_chunks_mut(of_tile)
        .enumerate()
        .for_each(|(i, values)| {
            let tile = Tile {
                rows: grid.rows(i % down),
                columns: grid.columns(i / down),
            };
            let values = &mut values[..sums * tile.columns.len()];
            values.fill(0.0);
            add(&tile, values);
        });
    TileSums { grid, sums, values }
}

impl TileSums {
    /// The columns of each stack of tiles; and its tiles from the first rows on, each as its rows and sums.
    pub fn stacks(
        &self,
    ) -> impl Iterator<Item = (Range<usize>, impl Iterator<Item = (Range<usize>, &[f32])>)> {
        let of_tile = self.sums * self.grid.tile_width;
        let stacks = self
            .values
            .chunks_exact((self.grid.down() * of_tile).max(1));
        stacks.enumerate().map(move |(i, stack)| {
            let columns = self.grid.columns(i);
            let len = self.sums * columns.len();
            let tiles = stack.chunks_exact(of_tile).enumerate();
            (
                columns,
                tiles.map(move |(i, sums)| (self.grid.rows(i), &sums[..len])),
            )
        })
    }

    /// The sums over all rows, `[sums, width]`.
    pub fn total(&self) -> Buffer {
        let mut total = Buffer::zeros(self.sums * self.grid.width);
        for (columns, tiles) in self.stacks() {
            for (_, sums) in tiles {
                for (i, sums) in sums.chunks_exact(columns.len()).enumerate() {
                    let row = &mut total[i * self.grid.width..][..self.grid.width];
                    add_assign(&mut row[columns.clone()], sums);
                }
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
            let sums = tile_sums(rows, width, 2, |tile, sums| {
                let (plain, doubled) = sums.split_at_mut(tile.columns.len());
                for row in tile.rows.clone() {
                    for (i, c) in tile.columns.clone().enumerate() {
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
