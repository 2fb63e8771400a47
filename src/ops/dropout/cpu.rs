//! Eight Philox blocks, 32 words, at a time, in the same pass as the product.

use super::Mask;
use crate::cpu::pool::Buffer;
use crate::random::WORDS_AT_ONCE;
use rayon::prelude::*;

/// Values per task.
const CHUNK: usize = 1 << 13;

/// y_i = x_i · scale where word i is at least the threshold, else 0.
pub fn dropout(x: &[f32], mask: &Mask) -> Buffer {
    let mut y = Buffer::unspecified(x.len());
    let scale = mask.scale as f32;
    y.par_chunks_mut(CHUNK)
        .zip(x.par_chunks(CHUNK))
        .enumerate()
        .for_each(|(i, (y, x))| {
            let first = (i * CHUNK / 4) as u64;
            let pieces = y.chunks_mut(WORDS_AT_ONCE).zip(x.chunks(WORDS_AT_ONCE));
            for (piece, (y, x)) in pieces.enumerate() {
                let words = mask
                    .position
                    .words_at_once(first + (piece * WORDS_AT_ONCE / 4) as u64);
                for ((y, &x), &word) in y.iter_mut().zip(x).zip(&words) {
                    *y = if word >= mask.threshold {
                        x * scale
                    } else {
                        0.0
                    };
                }
            }
        });
    y
}
