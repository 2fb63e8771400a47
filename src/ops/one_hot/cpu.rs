//! Zeros, and a one in each row.

use crate::cpu::pool::Buffer;

/// `[n, classes]` of n labels.
pub fn one_hot(labels: &[f32], classes: usize) -> Buffer {
    let mut y = Buffer::zeros(labels.len() * classes);
    for (i, &label) in labels.iter().enumerate() {
        y[i * classes + label as usize] = 1.0;
    }
    y
}
