//! One convolution per phase. With stride s, the output pixels (Y, X) whose Y + top and X + left leave
//! the same remainders (r, q) on division by s meet the same kernel rows i = r, r + s, ... and columns:
//!
//! ```text
//! y[Y, X, o] = Σ_{t, u, c}  x[(Y + top - r)/s - t, (X + left - q)/s - u, c] · w[r + s·t, q + s·u, o, c]
//! ```
//!
//! which is a convolution of stride 1, with the taps t and u in falling order. So no product is spent on
//! zeros between the inputs, and no two products add to one output. In groups, each is a product for every group.

use crate::cpu::Finisher;
use crate::cpu::gemm::blocks::{Packed, multiply};
use crate::cpu::gemm::{Matrix, Start};
use crate::cpu::im2col::Padded;
use crate::cpu::pool::Buffer;
use crate::shape::{Conv2dGeometry, Padding};
use rayon::prelude::*;

/// The input `[n, h, w, c_in]` of the convolution `g`, finished, from its output x and its weights w.
pub fn conv_transpose2d(x: &[f32], w: &[f32], g: &Conv2dGeometry, finish: Finisher) -> Buffer {
    let mut y = Buffer::unspecified(g.input().numel());
    let (image, out) = (g.out_h * g.out_w * g.c_out, g.h * g.w * g.c_in);
    if y.is_empty() || image == 0 {
        y.fill(0.0);
        finish(&mut y, 0);
        return y;
    }
    let rows = phases(g.h, g.kh, g.stride[0], g.padding.top);
    let columns = phases(g.w, g.kw, g.stride[1], g.padding.left);
    let (top, bottom) = margins(&rows, g.out_h);
    let (left, right) = margins(&columns, g.out_w);
    let padding = Padding { top, bottom, left, right };
    let padded = Padded { h: g.out_h, w: g.out_w, groups: g.groups, c: g.c_out / g.groups, padding };
    let images = padded.images_per_task(g.h * g.w);

    let products: Vec<Product> = rows
        .iter()
        .flat_map(|row| columns.iter().map(move |column| [row, column]))
        .flat_map(|phase| (0..g.groups).map(move |group| (phase, group)))
        .map(|(phase, group)| Product::new(phase, group, w, g, &padded, images))
        .collect();
    let x = x.par_chunks(images * image);
    y.par_chunks_mut(images * out).zip(x).enumerate().for_each(|(task, (y, x))| {
        let mut buffer = None;
        let count = x.len() / image;
        let x = padded.pad(x, &mut buffer);
        let of_group = x.len() / g.groups;
        for product in &products {
            product.multiply(&x[product.group * of_group..][..of_group], y, count);
        }
        finish(y, task * images * out);
    });
    y
}

/// What the output rows of one remainder have in common; likewise for columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Phase {
    /// The first output row, and how many there are, a stride apart.
    first: usize,
    count: usize,
    /// The first kernel row, and how many there are, a stride apart.
    tap: usize,
    taps: usize,
    /// The input row that the first output row and the first kernel row meet.
    meets: usize,
}

/// The phases of `n` outputs with a kernel of `k`, which begins `before` the first output.
fn phases(n: usize, k: usize, stride: usize, before: usize) -> Vec<Phase> {
    let firsts = 0..stride.min(n);
    firsts
        .map(|first| {
            let tap = (first + before) % stride;
            Phase {
                first,
                count: (n - first).div_ceil(stride),
                tap,
                taps: k.saturating_sub(tap).div_ceil(stride),
                meets: (first + before) / stride,
            }
        })
        .collect()
}

/// How far the phases reach before and beyond `n` inputs.
fn margins(phases: &[Phase], n: usize) -> (usize, usize) {
    let before = phases.iter().map(|p| p.taps.saturating_sub(p.meets + 1));
    let beyond = phases.iter().map(|p| (p.meets + p.count).saturating_sub(n));
    (before.max().unwrap_or(0), beyond.max().unwrap_or(0))
}

/// The convolution of a phase and a group.
struct Product {
    /// `None` if the kernel has no tap for it: its outputs are zeros.
    weight: Option<Packed>,
    /// Where the patches begin, and the output pixels lie, of a task's images.
    patches: Vec<usize>,
    pixels: Vec<usize>,
    per_image: usize,
    group: usize,
    /// Channels of the group's outputs.
    width: usize,
}

impl Product {
    fn new(
        [row, column]: [&Phase; 2],
        group: usize,
        w: &[f32],
        g: &Conv2dGeometry,
        padded: &Padded,
        images: usize,
    ) -> Product {
        let width = g.c_in / g.groups;
        let output = Padded { h: g.h, w: g.w, groups: 1, c: g.c_in, padding: Padding::VALID };
        let size = [row.count, column.count];
        let taps = [row.taps, column.taps];
        let first =
            [padded.padding.top + row.meets + 1 - row.taps, padded.padding.left + column.meets + 1 - column.taps];
        let patch = padded.patch(taps);
        let pixels = output.patches(images, size, [row.first, column.first], g.stride);
        Product {
            weight: (patch.len() > 0).then(|| {
                let flipped = flipped_taps(w, group, g, row, column);
                Packed::new(Matrix::new(&flipped, patch.len(), width), patch)
            }),
            patches: padded.patches(images, size, first, [1, 1]),
            pixels: pixels.into_iter().map(|pixel| pixel + group * width).collect(),
            per_image: row.count * column.count,
            group,
            width,
        }
    }

    fn multiply(&self, x: &[f32], y: &mut [f32], images: usize) {
        let count = images * self.per_image;
        let (patches, pixels) = (&self.patches[..count], &self.pixels[..count]);
        match &self.weight {
            Some(weight) => multiply(x, patches, weight, y, pixels, Start::Zero),
            None => pixels.iter().for_each(|&at| y[at..at + self.width].fill(0.0)),
        }
    }
}

/// A phase's weights `[taps, taps, c_out, c_in]` of a group's channels, the taps in falling order.
fn flipped_taps(w: &[f32], group: usize, g: &Conv2dGeometry, row: &Phase, column: &Phase) -> Buffer {
    let [width_in, width_out] = [g.c_in / g.groups, g.c_out / g.groups];
    let mut flipped = Buffer::unspecified(row.taps * column.taps * width_in * width_out);
    let mut taps = flipped.chunks_exact_mut(width_in * width_out);
    for t in (0..row.taps).rev() {
        for u in (0..column.taps).rev() {
            let (i, j) = (row.tap + t * g.stride[0], column.tap + u * g.stride[1]);
            let w = &w[(i * g.kw + j) * width_in * g.c_out..][..width_in * g.c_out];
            let Some(flipped) = taps.next() else {
                return flipped;
            };
            // [c_in, c_out] -> [c_out, c_in].
            for (c, w) in w.chunks_exact(g.c_out).enumerate() {
                let column = flipped[c..].iter_mut().step_by(width_in);
                column.zip(&w[group * width_out..]).for_each(|(to, &v)| *to = v);
            }
        }
    }
    flipped
}
