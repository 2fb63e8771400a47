//! Bias, leaky ReLU and dropout for a block of values, then for the next.

use crate::cpu::simd::widest;
use crate::ops::dropout::cpu::drop_values;
use crate::ops::leaky_relu::Rectifier;
use crate::ops::leaky_relu::cpu::rectified;

/// Values that the three are done to in turn: they stay in the L1 cache.
const BLOCK: usize = 1024;

/// Finishes `part`, whole pixels of an output, the first of whose values is its number `first`.
pub fn finish(part: &mut [f32], first: usize, bias: Option<&[f32]>, rectifier: &Rectifier) {
    let (slope, mask) = (rectifier.slope as f32, rectifier.mask);
    // Whole pixels, and whole blocks of four random words.
    let four_pixels = 4 * bias.map_or(1, <[f32]>::len).max(1);
    let block = (BLOCK / four_pixels).max(1) * four_pixels;
    widest(
        #[inline(always)]
        move || {
            for (i, values) in part.chunks_mut(block).enumerate() {
                match bias {
                    Some(bias) => {
                        for pixel in values.chunks_exact_mut(bias.len()) {
                            for (value, bias) in pixel.iter_mut().zip(bias) {
                                *value = rectified(*value + bias, slope);
                            }
                        }
                    }
                    None => values.iter_mut().for_each(|value| *value = rectified(*value, slope)),
                }
                if let Some(mask) = &mask {
                    drop_values(values, first + i * block, mask);
                }
            }
        },
    );
}
