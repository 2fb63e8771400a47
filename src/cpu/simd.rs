//! Elementwise loops, compiled for each instruction set and run with the one that is chosen, in tasks that are shared
//! among threads.
//!
//! The function of a value is written once, for one f32 and without a branch, and the compiler turns it into vector
//! instructions. Each value depends only on its own inputs, so the division into tasks changes no bits.

use super::TASK_LENGTH;
#[cfg(target_arch = "x86_64")]
use super::isa::{self, InstructionSet};
use super::pool::Buffer;
use rayon::prelude::*;

/// Runs `kernel`, compiled for the instruction set of [`super::isa`].
///
/// It must be `#[inline(always)]`, and so must what it calls, or it is compiled for the least machine; and
/// `move`, or what it captures is loaded again after every store.
#[inline]
#[allow(unsafe_code)]
pub fn widest<R>(kernel: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    match isa::current() {
        // SAFETY: only what the machine has been found to have is ever current, with every feature that the
        // function is compiled for.
        InstructionSet::Avx512 => return unsafe { with_avx512(kernel) },
        // SAFETY: as above.
        InstructionSet::Avx2 => return unsafe { with_avx2(kernel) },
        InstructionSet::Portable => {}
    }
    kernel()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
fn with_avx512<R>(kernel: impl FnOnce() -> R) -> R {
    kernel()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn with_avx2<R>(kernel: impl FnOnce() -> R) -> R {
    kernel()
}

/// A copy of a few values, for use inside of [`widest`]: where there are many of these, a call for each would take as
/// long again.
#[inline(always)]
pub fn copy_few(from: &[f32], to: &mut [f32]) {
    const CHUNK: usize = 16;
    let (from_chunks, from_rest) = from.as_chunks::<CHUNK>();
    let (to_chunks, to_rest) = to.as_chunks_mut::<CHUNK>();
    for (to, from) in to_chunks.iter_mut().zip(from_chunks) {
        *to = *from;
    }
    if !from_rest.is_empty() {
        to_rest.copy_from_slice(from_rest);
    }
}

/// out_i = f(x_i).
pub fn map(x: &[f32], out: &mut [f32], f: impl Fn(f32) -> f32 + Copy + Sync) {
    debug_assert_eq!(x.len(), out.len());
    out.par_chunks_mut(TASK_LENGTH).zip(x.par_chunks(TASK_LENGTH)).for_each(|(out, x)| {
        widest(
            #[inline(always)]
            move || {
                for (out, &x) in out.iter_mut().zip(x) {
                    *out = f(x);
                }
            },
        );
    });
}

/// x_i ← f(x_i, y_i).
pub fn update(x: &mut [f32], y: &[f32], f: impl Fn(f32, f32) -> f32 + Copy + Sync) {
    debug_assert_eq!(x.len(), y.len());
    x.par_chunks_mut(TASK_LENGTH).zip(y.par_chunks(TASK_LENGTH)).for_each(|(x, y)| {
        widest(
            #[inline(always)]
            move || {
                for (x, &y) in x.iter_mut().zip(y) {
                    *x = f(*x, y);
                }
            },
        );
    });
}

/// out_i = f(a_i, b_i), where `a` or `b` repeats if it is shorter.
///
/// # Panics
/// If the shorter of them doesn't divide the output.
pub fn zip(a: &[f32], b: &[f32], out: &mut [f32], f: impl Fn(f32, f32) -> f32 + Copy + Sync) {
    let full = out.len();
    if full == 0 {
        return;
    }
    assert!(full == a.len().max(b.len()), "zip: one operand is as long as the output");
    let (a, b) = (Operand::new(a, full), Operand::new(b, full));
    let row = a.period().or(b.period()).unwrap_or(TASK_LENGTH);
    let chunk = TASK_LENGTH.next_multiple_of(row);
    let (a, b) = (&a, &b);
    out.par_chunks_mut(chunk).enumerate().for_each(|(i, out)| {
        widest(
            #[inline(always)]
            move || {
                for (j, out) in out.chunks_mut(row).enumerate() {
                    let at = i * chunk + j * row;
                    let (a, b) = (a.at(at, out.len()), b.at(at, out.len()));
                    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                        *out = f(a, b);
                    }
                }
            },
        );
    });
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
        row.chunks_exact_mut(values.len()).for_each(|copy| copy.copy_from_slice(values));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zip_repeats_the_shorter_operand() {
        for (full, short) in [(12, 3), (5000, 1), (3 * 20_000, 3), (1100 * 40, 1100), (7, 7)] {
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
