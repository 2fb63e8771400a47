//! Word by word.

use super::Mask;

// ANCHOR: dropout
/// y_i = x_i · scale where word i is at least the threshold, else -0; a zero that is kept is +0.
pub fn dropout(x: &[f64], mask: &Mask) -> Vec<f64> {
    let (scale, threshold) = (mask.scale(), mask.threshold());
    let kept = |i: usize| mask.position.word(i as u64) >= threshold;
    let value = |(i, &x): (usize, &f64)| if kept(i) { x * scale + 0.0 } else { -0.0 };
    x.iter().enumerate().map(value).collect()
}
// ANCHOR_END: dropout
