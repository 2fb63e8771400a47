//! Row by row: one small row makes f large ones, or gathers them.

use crate::cpu::columns::add_assign;
use crate::cpu::pool::Buffer;
use crate::cpu::simd::widest;
use rayon::prelude::*;

/// `[n, h·f, w·f, c]` from x `[n, h, w, c]`.
pub fn upsample(x: &[f32], [_, _, w, c]: [usize; 4], factor: usize) -> Buffer {
    let mut y = Buffer::unspecified(x.len() * factor * factor);
    if y.is_empty() {
        return y;
    }
    let (small_row, large_row) = (w * c, w * c * factor);
    y.par_chunks_mut(large_row * factor).zip(x.par_chunks(small_row)).for_each(|(y, x)| {
        let (first, others) = y.split_at_mut(large_row);
        for (block, pixel) in first.chunks_exact_mut(c * factor).zip(x.chunks_exact(c)) {
            block.chunks_exact_mut(c).for_each(|copy| copy.copy_from_slice(pixel));
        }
        others.chunks_exact_mut(large_row).for_each(|row| row.copy_from_slice(first));
    });
    y
}

/// `[n, h, w, c]` from the gradient `[n, h·f, w·f, c]`.
pub fn upsample_grad(grad: &[f32], small: [usize; 4], factor: usize) -> Buffer {
    let mut x = Buffer::zeros(small.iter().product());
    let [_, _, w, c] = small;
    if x.is_empty() {
        return x;
    }
    let (small_row, large_row) = (w * c, w * c * factor);
    x.par_chunks_mut(small_row).zip(grad.par_chunks(large_row * factor)).for_each(|(x, grad)| {
        widest(
            #[inline(always)]
            move || {
                for row in grad.chunks_exact(large_row) {
                    let blocks = row.chunks_exact(c * factor);
                    for (pixel, block) in x.chunks_exact_mut(c).zip(blocks) {
                        block.chunks_exact(c).for_each(|value| add_assign(pixel, value));
                    }
                }
            },
        );
    });
    x
}
