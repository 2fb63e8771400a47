//! im2col and GEMM: w̄ `[kh·kw·c_in, c_out]` = columnsᵀ · ȳ. The batch is cut into a fixed number
//! of parts whose sums are added in order, so threads change no bits.

use crate::cpu::columns::add_assign;
use crate::cpu::gemm::{Accumulate, Matrix, gemm_serial};
use crate::cpu::im2col::{im2col, tile_rows};
use crate::cpu::pool::Buffer;
use crate::shape::Conv2dGeometry;
use rayon::prelude::*;

/// Parts of the batch that are summed apart.
const PARTS: usize = 8;

/// w̄ `[kh, kw, c_in, c_out]` from x `[n, h, w, c_in]` and ȳ `[n, out_h, out_w, c_out]`.
pub fn conv2d_weight_grad(x: &[f32], grad: &[f32], g: &Conv2dGeometry) -> Buffer {
    let mut w = Buffer::zeros(g.weight().numel());
    let rows = g.n * g.out_h;
    if w.is_empty() || rows * g.out_w == 0 {
        return w;
    }
    // Long tiles: each product reads and writes all of w̄.
    let tile = 2 * tile_rows(g);
    let part = rows
        .div_ceil(PARTS)
        .next_multiple_of(tile.min(rows.div_ceil(PARTS)));
    let mut sums = Buffer::zeros(rows.div_ceil(part) * w.len());
    sums.par_chunks_mut(w.len())
        .enumerate()
        .for_each(|(i, sum)| {
            let end = rows.min((i + 1) * part);
            for start in (i * part..end).step_by(tile) {
                let tile = start..end.min(start + tile);
                let pixels = tile.len() * g.out_w;
                let mut columns = Buffer::unspecified(pixels * g.patch());
                let grad = Matrix::new(&grad[start * g.out_w * g.c_out..], pixels, g.c_out);
                im2col(x, g, tile, &mut columns);
                let columns = Matrix::new(&columns, pixels, g.patch());
                gemm_serial(columns.transposed(), grad, sum, Accumulate::Add);
            }
        });
    for sum in sums.chunks_exact(w.len()) {
        add_assign(&mut w, sum);
    }
    w
}
