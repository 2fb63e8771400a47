//! How a tall matrix `[rows, columns]` is cut for sums down its columns: into tiles of rows, with one partial sum
//! each. The last block to finish adds up the partial sums, so blocks are large and few: that leaves it few sums to
//! add.

use super::context::COUNTERS;
use super::launch::MANY_THREADS;

/// Blocks of [`MANY_THREADS`] that keep every processor of a large GPU busy.
const ENOUGH_BLOCKS: usize = 256;

/// Rows of a tile that each thread takes, at least.
const ROWS_OF_A_THREAD: usize = 8;

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
        let least = ROWS_OF_A_THREAD * (MANY_THREADS / width);
        // There is a counter for every block of columns, or each has one tile.
        let tile = match matrices * across > COUNTERS {
            true => rows,
            false => (matrices * across * rows).div_ceil(ENOUGH_BLOCKS).clamp(least, MAX_TILE.max(least)).min(rows),
        };
        Columns { width, across, tile, tiles: rows.div_ceil(tile) }
    }

    /// Threads of a block.
    pub fn threads(&self) -> usize {
        let turns = self.tile.div_ceil(ROWS_OF_A_THREAD).next_power_of_two();
        self.width * turns.min(MANY_THREADS / self.width)
    }
}
