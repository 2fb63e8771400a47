//! Tap by tap: the outputs that a tap meets += their inputs `[pixels, c_in]` · its weights `[c_in, c_out]`,
//! a few whole images at a time.

use super::patches;
use crate::cpu::gemm::blocks::{Packed, multiply};
use crate::cpu::gemm::walk::Walk;
use crate::cpu::gemm::{Matrix, Start};
use crate::cpu::pool::Buffer;
use crate::cpu::taps::{Side, TAP_CHANNELS, images_per_task, taps};
use crate::shape::Conv2dGeometry;
use rayon::prelude::*;

/// y `[n, out_h, out_w, c_out]` from x `[n, h, w, c_in]` and w `[kh, kw, c_in, c_out]`.
pub fn conv2d(x: &[f32], w: &[f32], g: &Conv2dGeometry) -> Buffer {
    if g.c_in < TAP_CHANNELS {
        return patches::conv2d(x, w, g);
    }
    let mut y = Buffer::unspecified(g.output().numel());
    let images = images_per_task(g);
    let (inputs, outputs) = (Side::inputs(g), Side::outputs(g));
    let products: Vec<_> = taps(g)
        .into_par_iter()
        .map(|tap| {
            let w = &w[tap.index * g.c_in * g.c_out..];
            let weight = Packed::new(Matrix::new(w, g.c_in, g.c_out), Walk::straight(g.c_in, 1));
            let x_rows = inputs.rectangle(images, tap.input, tap.size);
            let y_rows = outputs.rectangle(images, tap.output, tap.size);
            (weight, x_rows, y_rows)
        })
        .collect();
    let (x_image, y_image) = (inputs.steps()[0], outputs.steps()[0]);
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
