//! Elementwise loops: eight f32 lanes at a time (`wide`), in tasks that threads share.
//!
//! Each value depends on its own inputs only, so the cutting changes no bits.

use super::TASK_LENGTH;
use super::pool::Buffer;
use rayon::prelude::*;
use wide::f32x8;

/// Lanes of the vector that everything here is written in.
pub const LANES: usize = 8;

/// out_i = f(x_i).
pub fn map(x: &[f32], out: &mut [f32], f: impl Fn(f32x8) -> f32x8 + Sync) {
    debug_assert_eq!(x.len(), out.len());
    out.par_chunks_mut(TASK_LENGTH)
        .zip(x.par_chunks(TASK_LENGTH))
        .for_each(|(out, x)| {
            let (out, out_tail) = out.as_chunks_mut();
            let (x, x_tail) = x.as_chunks();
            for (out, &x) in out.iter_mut().zip(x) {
                *out = f(f32x8::new(x)).to_array();
            }
            store_tail(f(load_tail(x_tail)), out_tail);
        });
}

/// out_i = f(a_i, b_i), where `a` or `b` repeats if it is shorter.
///
/// # Panics
/// If the shorter of them doesn't divide the output.
pub fn zip(a: &[f32], b: &[f32], out: &mut [f32], f: impl Fn(f32x8, f32x8) -> f32x8 + Sync) {
    let full = out.len();
    if full == 0 {
        return;
    }
    assert!(
        full == a.len().max(b.len()),
        "zip: one operand is as long as the output"
    );
    let (a, b) = (Operand::new(a, full), Operand::new(b, full));
    let row = a.period().or(b.period()).unwrap_or(TASK_LENGTH);
    let chunk = TASK_LENGTH.next_multiple_of(row);
    out.par_chunks_mut(chunk).enumerate().for_each(|(i, out)| {
        for (j, out) in out.chunks_mut(row).enumerate() {
            let at = i * chunk + j * row;
            zip_row(a.at(at, out.len()), b.at(at, out.len()), out, &f);
        }
    });
}

fn zip_row(a: &[f32], b: &[f32], out: &mut [f32], f: &impl Fn(f32x8, f32x8) -> f32x8) {
    let (out, out_tail) = out.as_chunks_mut();
    let (a, a_tail) = a.as_chunks();
    let (b, b_tail) = b.as_chunks();
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = f(f32x8::new(a), f32x8::new(b)).to_array();
    }
    store_tail(f(load_tail(a_tail), load_tail(b_tail)), out_tail);
}

/// An operand of `zip`: as long as the output, or a short one laid out several times so that rows
/// aren't tiny.
enum Operand<'a> {
    Full(&'a [f32]),
    Repeating(Buffer),
}

impl<'a> Operand<'a> {
    fn new(values: &'a [f32], full: usize) -> Operand<'a> {
        if values.len() == full {
            return Operand::Full(values);
        }
        assert!(
            !values.is_empty() && full.is_multiple_of(values.len()),
            "zip: {} values don't divide an output of {full}",
            values.len()
        );
        let mut row = Buffer::unspecified(values.len() * (1024 / values.len()).max(1));
        row.chunks_exact_mut(values.len())
            .for_each(|copy| copy.copy_from_slice(values));
        Operand::Repeating(row)
    }

    fn period(&self) -> Option<usize> {
        match self {
            Operand::Full(_) => None,
            Operand::Repeating(values) => Some(values.len()),
        }
    }

    /// The `len` values that meet the output from `at` on, where `at` is a multiple of the period.
    fn at(&self, at: usize, len: usize) -> &[f32] {
        match self {
            Operand::Full(values) => &values[at..at + len],
            Operand::Repeating(values) => &values[..len],
        }
    }
}

/// Up to seven values, the other lanes one: a harmless argument of every function here.
pub fn load_tail(values: &[f32]) -> f32x8 {
    let mut lanes = [1.0; LANES];
    lanes[..values.len()].copy_from_slice(values);
    f32x8::new(lanes)
}

/// Writes as many lanes as `out` holds.
pub fn store_tail(lanes: f32x8, out: &mut [f32]) {
    let len = out.len();
    out.copy_from_slice(&lanes.to_array()[..len]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zip_repeats_the_shorter_operand() {
        for (full, short) in [
            (12, 3),
            (5000, 1),
            (3 * 20_000, 3),
            (1100 * 40, 1100),
            (7, 7),
        ] {
            let a: Vec<f32> = (0..full).map(|i| i as f32).collect();
            let b: Vec<f32> = (0..short).map(|i| 0.5 * i as f32).collect();
            let mut out = vec![0.0; full];
            zip(&a, &b, &mut out, |a, b| a - b);
            assert!((0..full).all(|i| out[i] == a[i] - b[i % short]));
            zip(&b, &a, &mut out, |b, a| a - b);
            assert!((0..full).all(|i| out[i] == a[i] - b[i % short]));
        }
    }
}
