//! How a tall matrix `[rows, columns]` is cut for sums down its columns: into tiles of rows, each of which gives
//! a part, which another launch brings together.

use super::launch::THREADS;

/// Threads of a block that brings parts together, at most.
const MANY_THREADS: usize = 1024;

/// Blocks that keep every processor of a large GPU busy.
const ENOUGH_BLOCKS: usize = 1024;

/// Rows of a tile at most: a thread then adds up a few hundred values before it meets the others.
const MAX_TILE: usize = 4096;

/// Tiles of rows. They depend on the shape alone, so that the same values give the same bits on any GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Columns that a block works on, a power of two: those that a warp reads at once, if there are as many.
    pub width: usize,
    /// Blocks side by side.
    pub across: usize,
    /// Rows of a tile.
    pub tile: usize,
    /// Tiles one below the other.
    pub tiles: usize,
}

impl Columns {
    /// For `matrices` matrices of this size, none of them empty.
    pub fn cut(matrices: usize, rows: usize, columns: usize) -> Columns {
        let width = columns.next_power_of_two().min(32);
        let across = columns.div_ceil(width);
        let turns = THREADS / width;
        let tile = (matrices * across * rows).div_ceil(ENOUGH_BLOCKS);
        let tile = tile.clamp(8 * turns, MAX_TILE);
        Columns { width, across, tile, tiles: rows.div_ceil(tile) }
    }

    /// The whole matrix as one tile: for what has few rows.
    pub fn whole(rows: usize, columns: usize) -> Columns {
        Columns { tile: rows, tiles: 1, ..Columns::cut(1, rows, columns) }
    }

    /// Threads of a block for which each column has `values`.
    pub fn threads(&self, values: usize) -> usize {
        let turns = values.next_power_of_two().min(MANY_THREADS / self.width);
        self.width * turns
    }
}
