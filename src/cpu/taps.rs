//! A convolution as one matrix product per tap. A tap is a place (i, j) of the kernel's window.
//!
//! Tap (i, j) joins output pixel (y, x) to input pixel (y·s + i - top, x·s + j - left). The outputs whose
//! partner lies inside of the image form a rectangle, and so do the partners. Padding has no partners, so its zeros are
//! neither stored nor multiplied. With the tap's weights w `[c_in, c_out]`, two ops of the family are sums over the
//! taps:
//!
//! ```text
//! conv2d               outputs += inputs · w
//! conv_transpose2d     inputs  += outputs · wᵀ
//! ```
//!
//! In NHWC a pixel's channels are side by side, so every product reads and writes its rows in place.

use super::Finisher;
use super::gemm::Start;
use super::gemm::blocks::{Packed, multiply};
use super::pool::Buffer;
use crate::shape::Conv2dGeometry;
use rayon::prelude::*;

/// The number of tasks into which a batch is cut.
const TASKS: usize = 16;

/// The number of values of a task's input and output images: half a megabyte, which stays in the L2 cache from tap to
/// tap.
const TASK_VALUES: usize = 1 << 17;

/// The least number of channels for which products by taps pay; with fewer, a convolution is multiplied patch by patch
/// (see [`super::im2col`]).
pub const TAP_CHANNELS: usize = 64;

/// A tap and what it joins: rectangles of equal size in the input and in the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tap {
    /// Its place in the kernel, i · kw + j.
    pub index: usize,
    /// Rows and columns of the rectangles.
    pub size: [usize; 2],
    /// The first output pixel.
    pub output: [usize; 2],
    /// The first input pixel.
    pub input: [usize; 2],
}

/// The taps of a convolution that join anything.
pub fn taps(g: &Conv2dGeometry) -> Vec<Tap> {
    let rows = joined([g.h, g.out_h], g.kh, g.stride[0], g.padding.top);
    let columns = joined([g.w, g.out_w], g.kw, g.stride[1], g.padding.left);
    let mut taps = Vec::new();
    for (i, row) in rows.iter().enumerate() {
        for (j, column) in columns.iter().enumerate() {
            let tap = Tap {
                index: i * g.kw + j,
                size: [row.count, column.count],
                output: [row.output, column.output],
                input: [row.input, column.input],
            };
            if row.count * column.count > 0 {
                taps.push(tap);
            }
        }
    }
    taps
}

/// What one kernel row joins: `count` output rows from `output` on with input rows from `input` on.
struct Joined {
    count: usize,
    output: usize,
    input: usize,
}

/// For each of `k` kernel rows, what it joins of `[inputs, outputs]`.
fn joined([inputs, outputs]: [usize; 2], k: usize, stride: usize, before: usize) -> Vec<Joined> {
    let joined = |i: usize| {
        let output = before.saturating_sub(i).div_ceil(stride).min(outputs);
        let end = (inputs + before).saturating_sub(i).div_ceil(stride).min(outputs);
        Joined { count: end.saturating_sub(output), output, input: (output * stride + i).saturating_sub(before) }
    };
    (0..k).map(joined).collect()
}

/// The number of images of a task. It doesn't depend on the number of threads.
fn images_per_task(g: &Conv2dGeometry) -> usize {
    let values = g.h * g.w * g.c_in + g.out_h * g.out_w * g.c_out;
    g.n.div_ceil(TASKS).min(TASK_VALUES / values.max(1)).max(1)
}

/// One side of a convolution: images `[count, h, w, c]`.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    h: usize,
    w: usize,
    c: usize,
    stride: [usize; 2],
    /// The first pixel of a tap's rectangle on this side.
    first: fn(&Tap) -> [usize; 2],
}

impl Side {
    /// The inputs. A tap joins the outputs to every stride-th of them.
    pub fn inputs(g: &Conv2dGeometry) -> Side {
        Side { h: g.h, w: g.w, c: g.c_in, stride: g.stride, first: |tap| tap.input }
    }

    /// The outputs.
    pub fn outputs(g: &Conv2dGeometry) -> Side {
        Side { h: g.out_h, w: g.out_w, c: g.c_out, stride: [1, 1], first: |tap| tap.output }
    }

    /// Values of an image.
    fn image(&self) -> usize {
        self.h * self.w * self.c
    }

    /// Where the pixels lie that `tap` meets, in `images` images.
    fn pixels(&self, images: usize, tap: &Tap) -> Vec<usize> {
        let [rows, columns] = tap.size;
        let [y, x] = (self.first)(tap);
        let mut pixels = Vec::with_capacity(images * rows * columns);
        for n in 0..images {
            for row in 0..rows {
                let row = n * self.h + y + row * self.stride[0];
                let column = |column| x + column * self.stride[1];
                pixels.extend((0..columns).map(|c| (row * self.w + column(c)) * self.c));
            }
        }
        pixels
    }
}

/// The images `[n, h, w, c]` of side `to`: for each tap, its pixels += those of `x` on side `from` · its
/// weights, a few whole images at a time, which are then finished.
pub fn sum_over_taps(
    x: &[f32],
    g: &Conv2dGeometry,
    [from, to]: [Side; 2],
    weight: impl Fn(&Tap) -> Packed + Sync,
    finish: Finisher,
) -> Buffer {
    let mut y = Buffer::unspecified(g.n * to.image());
    if x.is_empty() {
        y.fill(0.0);
        finish(&mut y, 0);
        return y;
    }
    let images = images_per_task(g);
    let mut products: Vec<_> =
        taps(g).into_par_iter().map(|tap| (weight(&tap), from.pixels(images, &tap), to.pixels(images, &tap))).collect();
    // If a tap meets every pixel, it begins the sums.
    let whole = products.iter().position(|(_, _, y_pixels)| y_pixels.len() == images * to.h * to.w);
    if let Some(whole) = whole {
        products.swap(0, whole);
    }
    let x = x.par_chunks((images * from.image()).max(1));
    let of_task = (images * to.image()).max(1);
    y.par_chunks_mut(of_task).zip(x).enumerate().for_each(|(task, (y, x))| {
        if whole.is_none() {
            y.fill(0.0);
        }
        for (i, (weight, x_pixels, y_pixels)) in products.iter().enumerate() {
            let count = x_pixels.len() / images * (x.len() / from.image());
            let start = if i == 0 && whole.is_some() { Start::Zero } else { Start::Sum };
            multiply(x, &x_pixels[..count], weight, y, &y_pixels[..count], start);
        }
        finish(y, task * of_task);
    });
    y
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Padding;

    #[test]
    fn the_taps_join_what_the_formula_joins() {
        for (image, kernel, stride, padding) in [
            ([7, 7], [5, 5], [1, 1], Padding::symmetric(2)),
            ([5, 6], [3, 2], [2, 3], Padding { top: 1, bottom: 0, left: 2, right: 1 }),
            ([2, 2], [1, 1], [1, 2], Padding::symmetric(3)),
            ([4, 3], [4, 3], [5, 5], Padding::VALID),
        ] {
            let (x, w) = ([2, image[0], image[1], 3].into(), [kernel[0], kernel[1], 3, 4].into());
            let g = Conv2dGeometry::new("test", x, w, stride, padding);
            let mut found = Vec::new();
            for tap in taps(&g) {
                let inputs = Side::inputs(&g).pixels(g.n, &tap);
                let outputs = Side::outputs(&g).pixels(g.n, &tap);
                found.extend(inputs.into_iter().zip(outputs).map(|(i, o)| (tap.index, i, o)));
            }
            let mut want = Vec::new();
            for (i, j) in (0..g.kh).flat_map(|i| (0..g.kw).map(move |j| (i, j))) {
                for (n, y, x) in
                    (0..g.n).flat_map(|n| (0..g.out_h).flat_map(move |y| (0..g.out_w).map(move |x| (n, y, x))))
                {
                    if let (Some(row), Some(column)) = (g.input_row(y, i), g.input_column(x, j)) {
                        let input = ((n * g.h + row) * g.w + column) * g.c_in;
                        let output = ((n * g.out_h + y) * g.out_w + x) * g.c_out;
                        want.push((i * g.kw + j, input, output));
                    }
                }
            }
            assert_eq!(found, want);
        }
    }
}
