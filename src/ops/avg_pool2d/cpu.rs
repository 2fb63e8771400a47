//! Whole rows first, pixels of one row then: a window's sum is that of the sums of its columns. Vectors run along rows
//! and channels.

use crate::cpu::columns::add_assign;
use crate::cpu::pool::Buffer;
use crate::cpu::simd::widest;
use crate::shape::Conv2dGeometry;
use rayon::prelude::*;

/// The mean of each window of x. Output rows are shared out.
pub fn avg_pool(x: &[f32], g: &Conv2dGeometry) -> Buffer {
    let mut y = Buffer::zeros(g.output().numel());
    if y.is_empty() {
        return y;
    }
    let (row_length, c) = (g.w * g.c_in, g.c_in);
    let rows = y.par_chunks_mut(g.out_w * c).enumerate();
    rows.for_each_init(
        || Buffer::unspecified(row_length),
        |sums, (i, y)| {
            let sums = &mut sums[..];
            widest(
                #[inline(always)]
                move || {
                    let (image, rows) = (i / g.out_h * g.h, g.input_rows(i % g.out_h));
                    sums.fill(0.0);
                    for row in rows.clone() {
                        add_assign(sums, &x[(image + row) * row_length..][..row_length]);
                    }
                    for (ox, y) in y.chunks_exact_mut(c).enumerate() {
                        let columns = g.input_columns(ox);
                        let count = (rows.len() * columns.len()) as f32;
                        columns.for_each(|column| add_assign(y, &sums[column * c..][..c]));
                        y.iter_mut().for_each(|y| *y /= count);
                    }
                },
            );
        },
    );
    y
}

/// Each of `grad`, a value for each window, spread evenly over the pixels of its window. Images are shared out, as the
/// windows of one may overlap.
pub fn avg_pool_grad(grad: &[f32], g: &Conv2dGeometry) -> Buffer {
    let mut x = Buffer::zeros(g.input().numel());
    if x.is_empty() {
        return x;
    }
    let (row_length, c) = (g.w * g.c_in, g.c_in);
    let images = x.par_chunks_mut(g.h * row_length).zip(grad.par_chunks(g.out_h * g.out_w * c));
    images.for_each_init(
        || (Buffer::unspecified(row_length), Buffer::unspecified(c)),
        |(shares, share), (x, grad)| {
            let (shares, share) = (&mut shares[..], &mut share[..]);
            widest(
                #[inline(always)]
                move || {
                    for (oy, grad) in grad.chunks_exact(g.out_w * c).enumerate() {
                        let rows = g.input_rows(oy);
                        shares.fill(0.0);
                        for (ox, grad) in grad.chunks_exact(c).enumerate() {
                            let columns = g.input_columns(ox);
                            let count = (rows.len() * columns.len()) as f32;
                            share.iter_mut().zip(grad).for_each(|(share, &grad)| *share = grad / count);
                            columns.for_each(|column| add_assign(&mut shares[column * c..][..c], share));
                        }
                        rows.for_each(|row| add_assign(&mut x[row * row_length..][..row_length], shares));
                    }
                },
            );
        },
    );
    x
}
