//! im2col and GEMM, a few output rows at a time so that the column matrix stays in cache:
//! y `[pixels, c_out]` = columns `[pixels, kh·kw·c_in]` · w `[kh·kw·c_in, c_out]`.

use crate::cpu::gemm::{Accumulate, Matrix, gemm_serial};
use crate::cpu::im2col::{im2col, tile_rows};
use crate::cpu::pool::Buffer;
use crate::shape::Conv2dGeometry;
use rayon::prelude::*;

/// y `[n, out_h, out_w, c_out]` from x `[n, h, w, c_in]` and w `[kh, kw, c_in, c_out]`.
pub fn conv2d(x: &[f32], w: &[f32], g: &Conv2dGeometry) -> Buffer {
    let mut y = Buffer::unspecified(g.output().numel());
    let row = g.out_w * g.c_out;
    let tile = tile_rows(g);
    let weight = Matrix::new(w, g.patch(), g.c_out);
    y.par_chunks_mut((tile * row).max(1))
        .enumerate()
        .for_each(|(i, y)| {
            let rows = y.len() / row;
            let pixels = rows * g.out_w;
            let mut columns = Buffer::unspecified(pixels * g.patch());
            im2col(x, g, i * tile..i * tile + rows, &mut columns);
            let columns = Matrix::new(&columns, pixels, g.patch());
            gemm_serial(columns, weight, y, Accumulate::Overwrite);
        });
    y
}
