//! Word by word.

use super::Mask;

/// y_i = x_i · scale where word i is at least the threshold, else 0.
pub fn dropout(x: &[f64], mask: &Mask) -> Vec<f64> {
    let kept = |i: usize| mask.position.word(i as u64) >= mask.threshold;
    let value = |(i, &x): (usize, &f64)| if kept(i) { x * mask.scale } else { 0.0 };
    x.iter().enumerate().map(value).collect()
}
