//! Tap by tap: the inputs of the convolution that a tap meets += their outputs `[pixels, c_out]` · its
//! weights across `[c_out, c_in]`, a few whole images at a time.

use super::patches;
use crate::cpu::gemm::blocks::{Packed, multiply};
use crate::cpu::gemm::walk::Walk;
use crate::cpu::gemm::{Matrix, Start};
use crate::cpu::pool::Buffer;
use crate::cpu::taps::{Side, TAP_CHANNELS, images_per_task, taps};
use crate::shape::Conv2dGeometry;
use rayon::prelude::*;

/// Channels of the result that a vector is filled well enough by.
const NARROW: usize = 16;

/// The input `[n, h, w, c_in]` of the convolution `g` from its output x and its weights w.
pub fn conv_transpose2d(x: &[f32], w: &[f32], g: &Conv2dGeometry) -> Buffer {
    if g.c_in < NARROW || g.c_out < TAP_CHANNELS {
        return patches::conv_transpose2d(x, w, g);
    }
    let mut y = Buffer::unspecified(g.input().numel());
    let images = images_per_task(g);
    let (inputs, outputs) = (Side::inputs(g), Side::outputs(g));
    let products: Vec<_> = taps(g)
        .into_par_iter()
        .map(|tap| {
            let w = Matrix::new(&w[tap.index * g.c_in * g.c_out..], g.c_in, g.c_out);
            let weight = Packed::new(w.transposed(), Walk::straight(g.c_out, 1));
            let x_rows = outputs.rectangle(images, tap.output, tap.size);
            let y_rows = inputs.rectangle(images, tap.input, tap.size);
            (weight, x_rows, y_rows)
        })
        .collect();
    let (x_image, y_image) = (outputs.steps()[0], inputs.steps()[0]);
    let x = x.par_chunks((images * x_image).max(1));
    y.par_chunks_mut((images * y_image).max(1))
        .zip(x)
        .for_each(|(y, x)| {
            y.fill(0.0);
            for (weight, x_rows, y_rows) in &products {
                let count = x_rows.len() / images * (x.len() / x_image);
                multiply(x, &x_rows[..count], weight, y, &y_rows[..count], Start::Sum);
            }
        });
    y
}
