//! im2col and GEMM: y `[pixels, c_out]` = patches `[pixels, kh·kw·c_in]` · w `[kh·kw·c_in, c_out]`, a
//! few whole images at a time.

use crate::cpu::gemm::blocks::{Packed, multiply};
use crate::cpu::gemm::{Matrix, Start};
use crate::cpu::im2col::Padded;
use crate::cpu::pool::Buffer;
use crate::shape::Conv2dGeometry;
use rayon::prelude::*;

/// y `[n, out_h, out_w, c_out]` from x `[n, h, w, c_in]` and w `[kh, kw, c_in, c_out]`.
pub fn conv2d(x: &[f32], w: &[f32], g: &Conv2dGeometry) -> Buffer {
    let mut y = Buffer::unspecified(g.output().numel());
    let (image, out) = (g.h * g.w * g.c_in, g.out_h * g.out_w * g.c_out);
    if y.is_empty() || image == 0 {
        y.fill(0.0);
        return y;
    }
    let padded = Padded::input(g);
    let weight = Matrix::new(w, g.patch(), g.c_out);
    let weight = Packed::new(weight, padded.patch([g.kh, g.kw]));
    let images = padded.images_per_task(g.out_h * g.out_w);
    let pixels = padded.patches(images, [g.out_h, g.out_w], [0, 0], g.stride);
    let y_rows: Vec<usize> = (0..pixels.len()).map(|p| p * g.c_out).collect();
    let x = x.par_chunks(images * image);
    y.par_chunks_mut(images * out).zip(x).for_each(|(y, x)| {
        let mut buffer = None;
        let x = padded.pad(x, &mut buffer);
        let count = y.len() / g.c_out;
        multiply(x, &pixels[..count], &weight, y, &y_rows[..count], Start::Zero);
    });
    y
}
