//! Eight Philox blocks, 32 words, at a time, in the same pass as the product.

use super::Mask;
use crate::cpu::TASK_LENGTH;
use crate::cpu::pool::Buffer;
use crate::cpu::simd::{load_tail, store_tail};
use crate::random::WORDS_AT_ONCE;
use rayon::prelude::*;
use wide::{bytemuck, f32x8, u32x8};

/// y_i = x_i · scale where word i is at least the threshold, else 0.
pub fn dropout(x: &[f32], mask: &Mask) -> Buffer {
    let mut y = Buffer::unspecified(x.len());
    y.par_chunks_mut(TASK_LENGTH)
        .zip(x.par_chunks(TASK_LENGTH))
        .enumerate()
        .for_each(|(i, (y, x))| dropout_task(x, y, (i * TASK_LENGTH / 4) as u64, mask));
    y
}

/// The part of an array whose words begin at block `first`.
fn dropout_task(x: &[f32], y: &mut [f32], first: u64, mask: &Mask) {
    let scale = f32x8::splat(mask.scale as f32);
    let threshold = u32x8::splat(mask.threshold);
    let keep = |x: f32x8, words: u32x8| {
        let kept: f32x8 = bytemuck::cast(words.simd_ge(threshold));
        kept & (x * scale)
    };
    let pieces = y.chunks_mut(WORDS_AT_ONCE).zip(x.chunks(WORDS_AT_ONCE));
    for (i, (y, x)) in pieces.enumerate() {
        let words = mask
            .position
            .words_at_once(first + (i * WORDS_AT_ONCE / 4) as u64);
        let (y, y_tail) = y.as_chunks_mut();
        let (x, x_tail) = x.as_chunks();
        for ((y, &x), &words) in y.iter_mut().zip(x).zip(&words) {
            *y = keep(f32x8::new(x), words).to_array();
        }
        if !x_tail.is_empty() {
            store_tail(keep(load_tail(x_tail), words[x.len()]), y_tail);
        }
    }
}
