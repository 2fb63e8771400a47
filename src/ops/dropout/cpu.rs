//! Sixteen Philox blocks, 64 words, at a time, in the same pass as the product.

use super::Mask;
use crate::cpu::TASK_LENGTH;
use crate::cpu::pool::Buffer;
use crate::cpu::simd::widest;
use crate::random::WORDS_AT_ONCE;
use rayon::prelude::*;

/// Values that f is applied to before some of them are dropped: they stay in the L1 cache.
const BLOCK: usize = 1024;

/// Dropout of f(x).
pub fn dropout(x: &[f32], mask: &Mask, f: impl Fn(f32) -> f32 + Copy + Sync) -> Buffer {
    let mut y = Buffer::unspecified(x.len());
    y.par_chunks_mut(TASK_LENGTH).zip(x.par_chunks(TASK_LENGTH)).enumerate().for_each(|(i, (y, x))| {
        widest(
            #[inline(always)]
            move || {
                for (j, (y, x)) in y.chunks_mut(BLOCK).zip(x.chunks(BLOCK)).enumerate() {
                    for (y, &x) in y.iter_mut().zip(x) {
                        *y = f(x);
                    }
                    drop_values(y, i * TASK_LENGTH + j * BLOCK, mask);
                }
            },
        );
    });
    y
}

/// Drops some of `values`, the first of which is number `first` of its array.
#[inline(always)]
pub fn drop_values(values: &mut [f32], first: usize, mask: &Mask) {
    let (scale, threshold) = (mask.scale() as f32, mask.threshold());
    // + 0 makes a zero that is kept +0.
    let kept_or_dropped = |value: f32, word: u32| match word >= threshold {
        true => value.mul_add(scale, 0.0),
        false => -0.0,
    };
    let words_from = |number: usize| mask.position.words_at_once(number as u64 / 4);
    // What is left of a block of four words that has begun.
    let head = first.next_multiple_of(4) - first;
    let (head, values) = values.split_at_mut(head.min(values.len()));
    if !head.is_empty() {
        for (value, &word) in head.iter_mut().zip(&words_from(first)[first % 4..]) {
            *value = kept_or_dropped(*value, word);
        }
    }
    let first = first.next_multiple_of(4);
    let (pieces, tail) = values.as_chunks_mut::<WORDS_AT_ONCE>();
    let last = first + pieces.len() * WORDS_AT_ONCE;
    for (i, piece) in pieces.iter_mut().enumerate() {
        for (value, word) in piece.iter_mut().zip(words_from(first + i * WORDS_AT_ONCE)) {
            *value = kept_or_dropped(*value, word);
        }
    }
    if !tail.is_empty() {
        for (value, word) in tail.iter_mut().zip(words_from(last)) {
            *value = kept_or_dropped(*value, word);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Position, Purpose};

    #[test]
    fn a_part_is_dropped_as_it_is_in_the_whole() {
        let mask = Mask::new(0.3, Position { seed: 5, stream: Purpose::DROPOUT.stream(), block: 2 });
        let values: Vec<f32> = (1..=300).map(|v| v as f32).collect();
        let mut whole = values.clone();
        drop_values(&mut whole, 0, &mask);
        for first in 0..9 {
            for length in 0..200 {
                let mut part = values[first..][..length].to_vec();
                drop_values(&mut part, first, &mask);
                let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&part), bits(&whole[first..][..length]), "{length} values from {first} on");
            }
        }
    }
}
