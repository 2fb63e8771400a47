//! Sums down the columns of a tall matrix `[rows, width]`: bias gradients and batch statistics.

use super::pool::Buffer;
use super::rows_per_task;
use rayon::prelude::*;

/// For each of `sums` quantities, its sum over all rows: `[sums · width]`. `add(row, sums)` adds
/// row `row`'s share. Rows go in blocks of fixed size whose sums are added in order, so threads
/// change no bits.
pub fn column_sums(
    rows: usize,
    width: usize,
    sums: usize,
    add: impl Fn(usize, &mut [f32]) + Sync,
) -> Buffer {
    let mut total = Buffer::zeros(sums * width);
    if rows == 0 || width == 0 {
        return total;
    }
    let block = rows_per_task(width);
    let mut partial = Buffer::zeros(rows.div_ceil(block) * sums * width);
    partial
        .par_chunks_mut(sums * width)
        .enumerate()
        .for_each(|(i, partial)| {
            for row in i * block..rows.min((i + 1) * block) {
                add(row, partial);
            }
        });
    for partial in partial.chunks_exact(sums * width) {
        add_assign(&mut total, partial);
    }
    total
}

/// sum_i ← sum_i + x_i.
#[inline]
pub fn add_assign(sum: &mut [f32], x: &[f32]) {
    for (sum, &x) in sum.iter_mut().zip(x) {
        *sum += x;
    }
}
