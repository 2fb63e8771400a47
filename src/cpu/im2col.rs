//! im2col and its adjoint: a convolution as a matrix product.
//!
//! Row p of the column matrix holds the patch that output pixel p sees, `[kh, kw, c_in]` flattened,
//! with zeros where the kernel hangs over the edge. In NHWC a kernel row is one contiguous run of
//! kw · c_in inputs.

use crate::shape::Conv2dGeometry;
use std::ops::Range;

/// Output rows whose part of the column matrix is about a megabyte: it stays in the L2 cache, and
/// packing the weights anew for each such tile doesn't tell.
pub fn tile_rows(g: &Conv2dGeometry) -> usize {
    let pixels = ((1 << 18) / g.patch().max(1)).clamp(128, 4096);
    pixels.div_ceil(g.out_w.max(1))
}

/// Writes the column-matrix rows of output rows `rows` (counted through the whole batch, so row r is
/// row r mod out_h of image r / out_h) to `columns`: `[rows · out_w, kh · kw · c_in]`.
pub fn im2col(x: &[f32], g: &Conv2dGeometry, rows: Range<usize>, columns: &mut [f32]) {
    let row_len = g.kw * g.c_in;
    let image = g.h * g.w * g.c_in;
    let mut patches = columns.chunks_exact_mut(g.patch().max(1));
    for row in rows {
        let (image_index, y) = (row / g.out_h, row % g.out_h);
        let x = &x[image_index * image..][..image];
        for out_x in 0..g.out_w {
            let Some(patch) = patches.next() else { return };
            for (i, run) in patch.chunks_exact_mut(row_len).enumerate() {
                match g.input_row(y, i) {
                    Some(in_y) => copy_run(&x[in_y * g.w * g.c_in..], g, out_x, run),
                    None => run.fill(0.0),
                }
            }
        }
    }
}

fn copy_run(x_row: &[f32], g: &Conv2dGeometry, out_x: usize, run: &mut [f32]) {
    let (inside, from) = columns_inside(g, out_x);
    let (before, rest) = run.split_at_mut(inside.start * g.c_in);
    let (middle, after) = rest.split_at_mut(inside.len() * g.c_in);
    before.fill(0.0);
    middle.copy_from_slice(&x_row[from * g.c_in..][..middle.len()]);
    after.fill(0.0);
}

/// The kernel columns that meet the image at output column `out_x`, and the input column of the first.
fn columns_inside(g: &Conv2dGeometry, out_x: usize) -> (Range<usize>, usize) {
    let left = out_x * g.stride[1];
    let start = g.padding.left.saturating_sub(left).min(g.kw);
    let end = (g.padding.left + g.w)
        .saturating_sub(left)
        .clamp(start, g.kw);
    let first = (left + start).saturating_sub(g.padding.left);
    (start..end, first.min(g.w))
}

/// The adjoint for one image: adds each row of `columns` to the inputs that it was gathered from. `x` is
/// `[h, w, c_in]` and `columns` `[out_h · out_w, kh · kw · c_in]`.
pub fn col2im(columns: &[f32], g: &Conv2dGeometry, x: &mut [f32]) {
    let row_len = g.kw * g.c_in;
    for (pixel, patch) in columns.chunks_exact(g.patch()).enumerate() {
        let (y, out_x) = (pixel / g.out_w, pixel % g.out_w);
        let (inside, first) = columns_inside(g, out_x);
        for (i, run) in patch.chunks_exact(row_len).enumerate() {
            let Some(in_y) = g.input_row(y, i) else {
                continue;
            };
            let run = &run[inside.start * g.c_in..inside.end * g.c_in];
            let to = &mut x[(in_y * g.w + first) * g.c_in..][..run.len()];
            to.iter_mut().zip(run).for_each(|(to, &v)| *to += v);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};
    use crate::shape::Padding;

    /// <im2col(x), c> = <x, col2im(c)> for odd sizes, strides and padding larger than the kernel.
    #[test]
    fn col2im_is_the_adjoint_of_im2col() {
        let mut random = Random::new(5, Purpose::Check);
        for (image, kernel, stride, pad) in [
            (
                [5, 7],
                [3, 2],
                [2, 3],
                Padding {
                    top: 1,
                    bottom: 0,
                    left: 2,
                    right: 1,
                },
            ),
            ([1, 1], [1, 1], [1, 1], Padding::VALID),
            ([2, 2], [1, 1], [1, 2], Padding::symmetric(3)),
            ([4, 3], [4, 3], [5, 5], Padding::VALID),
        ] {
            let g = Conv2dGeometry::new(
                "test",
                [1, image[0], image[1], 2].into(),
                [kernel[0], kernel[1], 2, 1].into(),
                stride,
                pad,
            );
            let mut draw =
                |len| -> Vec<f32> { random.normal(len).into_iter().map(|v| v as f32).collect() };
            let x = draw(g.input().numel());
            let c = draw(g.out_h * g.out_w * g.patch());
            let mut columns = vec![f32::NAN; c.len()];
            im2col(&x, &g, 0..g.out_h, &mut columns);
            let mut back = vec![0.0; x.len()];
            col2im(&c, &g, &mut back);
            let dot = |a: &[f32], b: &[f32]| -> f64 {
                a.iter()
                    .zip(b)
                    .map(|(&a, &b)| f64::from(a) * f64::from(b))
                    .sum()
            };
            assert!((dot(&columns, &c) - dot(&x, &back)).abs() < 1e-4);
        }
    }
}
