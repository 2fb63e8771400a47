//! GEMM and col2im, image by image: columns `[pixels, kh·kw·c_in]` = x `[pixels, c_out]` · wᵀ,
//! which are then added to where they were gathered from.

use crate::cpu::gemm::{Accumulate, Matrix, gemm_serial};
use crate::cpu::im2col::col2im;
use crate::cpu::pool::Buffer;
use crate::shape::Conv2dGeometry;
use rayon::prelude::*;

/// The input `[n, h, w, c_in]` of the convolution `g` from its output x and its weights w.
pub fn conv_transpose2d(x: &[f32], w: &[f32], g: &Conv2dGeometry) -> Buffer {
    let mut y = Buffer::zeros(g.input().numel());
    let pixels = g.out_h * g.out_w;
    let image = g.h * g.w * g.c_in;
    let weight = Matrix::new(w, g.patch(), g.c_out).transposed();
    y.par_chunks_mut(image.max(1))
        .enumerate()
        .for_each(|(n, y)| {
            let x = Matrix::new(&x[n * pixels * g.c_out..], pixels, g.c_out);
            let mut columns = Buffer::unspecified(pixels * g.patch());
            gemm_serial(x, weight, &mut columns, Accumulate::Overwrite);
            col2im(&columns, g, y);
        });
    y
}
