//! Whole rows are copied or added; rows of the result are shared out.

use crate::cpu::columns::add_assign;
use crate::cpu::pool::Buffer;
use crate::cpu::rows_per_task;
use crate::cpu::simd::widest;
use rayon::prelude::*;

/// The rows of `table` that `indices` name, each of `width` values.
pub fn gather(table: &[f32], indices: &[f32], width: usize) -> Buffer {
    let mut y = Buffer::unspecified(indices.len() * width);
    if y.is_empty() {
        return y;
    }
    let rows = rows_per_task(width);
    y.par_chunks_mut(rows * width).zip(indices.par_chunks(rows)).for_each(|(y, indices)| {
        for (y, &index) in y.chunks_exact_mut(width).zip(indices) {
            y.copy_from_slice(&table[index as usize * width..][..width]);
        }
    });
    y
}

/// The sums `[rows, width]` of the rows of `values` that `indices` give one number.
pub fn scatter_add(values: &[f32], indices: &[f32], [rows, width]: [usize; 2]) -> Buffer {
    let mut sums = Buffer::zeros(rows * width);
    if sums.is_empty() {
        return sums;
    }
    // The places in `values` by number, for each number in order: those of number r end at ends[r].
    let mut ends = vec![0; rows];
    indices.iter().for_each(|&index| ends[index as usize] += 1);
    let mut next = 0;
    for end in &mut ends {
        (*end, next) = (next, next + *end);
    }
    let mut places = vec![0; indices.len()];
    for (i, &index) in indices.iter().enumerate() {
        let end = &mut ends[index as usize];
        places[*end] = i;
        *end += 1;
    }
    let (ends, places) = (&ends, &places);
    sums.par_chunks_mut(width).enumerate().for_each(|(r, sum)| {
        let start = if r == 0 { 0 } else { ends[r - 1] };
        widest(
            #[inline(always)]
            move || {
                for &i in &places[start..ends[r]] {
                    add_assign(sum, &values[i * width..][..width]);
                }
            },
        );
    });
    sums
}
