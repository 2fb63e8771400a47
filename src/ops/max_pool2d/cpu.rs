//! Vectors run along the channels, and where whole rows are compared, along rows too.

use crate::cpu::pool::Buffer;
use crate::cpu::simd::widest;
use crate::shape::Conv2dGeometry;
use rayon::prelude::*;

/// The largest value of each window of x: first down the columns of each output row, then along it. Rows are shared out.
pub fn max_pool(x: &[f32], g: &Conv2dGeometry) -> Buffer {
    let mut y = Buffer::unspecified(g.output().numel());
    if y.is_empty() {
        return y;
    }
    let (row_length, c) = (g.w * g.c_in, g.c_in);
    let rows = y.par_chunks_mut(g.out_w * c).enumerate();
    rows.for_each_init(
        || Buffer::unspecified(row_length),
        |tallest, (i, y)| {
            let tallest = &mut tallest[..];
            widest(
                #[inline(always)]
                move || {
                    let image = i / g.out_h * g.h;
                    let mut rows = g.input_rows(i % g.out_h).map(|row| &x[(image + row) * row_length..][..row_length]);
                    tallest.copy_from_slice(rows.next().expect("every window meets a pixel"));
                    rows.for_each(|row| keep_larger(tallest, row));
                    for (ox, y) in y.chunks_exact_mut(c).enumerate() {
                        let mut pixels = g.input_columns(ox).map(|column| &tallest[column * c..][..c]);
                        y.copy_from_slice(pixels.next().expect("every window meets a pixel"));
                        pixels.for_each(|pixel| keep_larger(y, pixel));
                    }
                },
            );
        },
    );
    y
}

/// best ← the larger of best and x, or NaN.
#[inline(always)]
fn keep_larger(best: &mut [f32], x: &[f32]) {
    for (best, &x) in best.iter_mut().zip(x) {
        *best = if x > *best || x.is_nan() { x } else { *best };
    }
}

/// The value of `values` at the place of the largest of each window of x. Output rows are shared out.
pub fn pick(values: &[f32], x: &[f32], g: &Conv2dGeometry) -> Buffer {
    let mut y = Buffer::unspecified(g.output().numel());
    if y.is_empty() {
        return y;
    }
    let c = g.c_in;
    let rows = y.par_chunks_mut(g.out_w * c).enumerate();
    rows.for_each_init(
        || Buffer::unspecified(c),
        |best, (i, y)| {
            let best = &mut best[..];
            widest(
                #[inline(always)]
                move || {
                    let image = i / g.out_h * g.h * g.w * c;
                    for (ox, y) in y.chunks_exact_mut(c).enumerate() {
                        for_each_tap(g, i % g.out_h, ox, |tap, at| {
                            let (values, x) = (&values[image + at..][..c], &x[image + at..][..c]);
                            for (((y, best), &value), &x) in y.iter_mut().zip(&mut *best).zip(values).zip(x) {
                                let larger = tap == 0 || x > *best || x.is_nan();
                                *y = if larger { value } else { *y };
                                *best = if larger { x } else { *best };
                            }
                        });
                    }
                },
            );
        },
    );
    y
}

/// Zeros of x's shape with `grad`, a value for each window, added at the place of its largest. Images are shared out, as
/// the windows of one may overlap.
pub fn place(grad: &[f32], x: &[f32], g: &Conv2dGeometry) -> Buffer {
    let mut to = Buffer::zeros(g.input().numel());
    if to.is_empty() {
        return to;
    }
    let c = g.c_in;
    let image = g.h * g.w * c;
    let images = to.par_chunks_mut(image).zip(x.par_chunks(image)).zip(grad.par_chunks(g.out_h * g.out_w * c));
    images.for_each_init(
        || (Buffer::unspecified(c), vec![0; c]),
        |(best, winner), ((to, x), grad)| {
            let (best, winner) = (&mut best[..], &mut winner[..]);
            widest(
                #[inline(always)]
                move || {
                    for (i, grad) in grad.chunks_exact(c).enumerate() {
                        let (oy, ox) = (i / g.out_w, i % g.out_w);
                        for_each_tap(g, oy, ox, |tap, at| find_larger(best, winner, &x[at..][..c], tap));
                        // Every pixel of the window is written, most of them with what they held: no value is looked
                        // up by an index of its own.
                        for_each_tap(g, oy, ox, |tap, at| add_where(&mut to[at..][..c], grad, winner, tap));
                    }
                },
            );
        },
    );
    to
}

/// Calls `f` with the number of each pixel of an output pixel's window, row by row, and where it lies in an image.
#[inline(always)]
fn for_each_tap(g: &Conv2dGeometry, oy: usize, ox: usize, mut f: impl FnMut(u32, usize)) {
    let mut tap = 0;
    for row in g.input_rows(oy) {
        for column in g.input_columns(ox) {
            f(tap, (row * g.w + column) * g.c_in);
            tap += 1;
        }
    }
}

/// best ← the larger of best and x, or NaN, and winner ← `tap` where that is x. The first tap, 0, is always larger.
#[inline(always)]
fn find_larger(best: &mut [f32], winner: &mut [u32], x: &[f32], tap: u32) {
    for ((best, winner), &x) in best.iter_mut().zip(winner).zip(x) {
        let larger = tap == 0 || x > *best || x.is_nan();
        *best = if larger { x } else { *best };
        *winner = if larger { tap } else { *winner };
    }
}

/// to ← to + grad where the winner is `tap`.
#[inline(always)]
fn add_where(to: &mut [f32], grad: &[f32], winner: &[u32], tap: u32) {
    for ((to, &grad), &winner) in to.iter_mut().zip(grad).zip(winner) {
        *to += if winner == tap { grad } else { 0.0 };
    }
}
