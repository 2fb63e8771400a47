//! Two rows are mixed to one, and then two pixels of that to each of the output; for the adjoint the other way round.
//! Vectors run along rows and channels.

use super::{Geometry, Tap};
use crate::cpu::pool::Buffer;
use crate::cpu::simd::widest;
use rayon::prelude::*;

/// `[n, h', w', c]` from x `[n, h, w, c]`. Output rows are shared out.
pub fn bilinear(x: &[f32], g: &Geometry) -> Buffer {
    let mut y = Buffer::unspecified(g.output().numel());
    if y.is_empty() {
        return y;
    }
    let ([h, w], [out_h, out_w], c) = (g.size, g.out, g.c);
    let (down, right) = (g.taps(0), &g.taps(1)[..]);
    let row_length = w * c;
    let rows = y.par_chunks_mut(out_w * c).enumerate();
    rows.for_each_init(
        || Buffer::unspecified(row_length),
        |mixed, (i, y)| {
            let tap = down[i % out_h];
            let row = |row: usize| &x[(i / out_h * h + row) * row_length..][..row_length];
            let (first, second, mixed) = (row(tap.first), row(tap.second), &mut mixed[..]);
            widest(
                #[inline(always)]
                move || {
                    mix(mixed, first, second, tap.share as f32);
                    for (y, tap) in y.chunks_exact_mut(c).zip(right) {
                        let pixel = |place: usize| &mixed[place * c..][..c];
                        mix(y, pixel(tap.first), pixel(tap.second), tap.share as f32);
                    }
                },
            );
        },
    );
    y
}

/// `[n, h, w, c]` from the gradient `[n, h', w', c]`. Images are shared out, as rows of one may have shares of the same.
pub fn bilinear_grad(grad: &[f32], g: &Geometry) -> Buffer {
    let mut x = Buffer::zeros(g.input().numel());
    if x.is_empty() {
        return x;
    }
    let ([h, w], [out_h, out_w], c) = (g.size, g.out, g.c);
    let (down, right) = (&g.taps(0)[..], &g.taps(1)[..]);
    let row_length = w * c;
    let images = x.par_chunks_mut(h * row_length).zip(grad.par_chunks(out_h * out_w * c));
    images.for_each_init(
        || Buffer::unspecified(row_length),
        |gathered, (x, grad)| {
            let gathered = &mut gathered[..];
            widest(
                #[inline(always)]
                move || {
                    for (grad, tap) in grad.chunks_exact(out_w * c).zip(down) {
                        gathered.fill(0.0);
                        for (grad, &Tap { first, second, share }) in grad.chunks_exact(c).zip(right) {
                            let share = share as f32;
                            add_times(&mut gathered[first * c..][..c], grad, 1.0 - share);
                            add_times(&mut gathered[second * c..][..c], grad, share);
                        }
                        let share = tap.share as f32;
                        add_times(&mut x[tap.first * row_length..][..row_length], gathered, 1.0 - share);
                        add_times(&mut x[tap.second * row_length..][..row_length], gathered, share);
                    }
                },
            );
        },
    );
    x
}

/// y = (1 - share) · a + share · b.
#[inline(always)]
fn mix(y: &mut [f32], a: &[f32], b: &[f32], share: f32) {
    for ((y, &a), &b) in y.iter_mut().zip(a).zip(b) {
        *y = (1.0 - share) * a + share * b;
    }
}

/// to += factor · from.
#[inline(always)]
fn add_times(to: &mut [f32], from: &[f32], factor: f32) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to += factor * from;
    }
}
