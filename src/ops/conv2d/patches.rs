//! im2col and GEMM: y `[pixels, c_out]` = patches `[pixels, kh·kw·c_in]` · w `[kh·kw·c_in, c_out]`, a
//! few whole images at a time; of groups, each group's columns of y from its own patches and weights.

use crate::cpu::Finisher;
use crate::cpu::gemm::blocks::{Packed, multiply};
use crate::cpu::gemm::{Matrix, Start};
use crate::cpu::im2col::Padded;
use crate::cpu::pool::Buffer;
use crate::shape::Conv2dGeometry;
use rayon::prelude::*;

/// y `[n, out_h, out_w, c_out]`, finished, from x `[n, h, w, c_in]` and w `[kh, kw, c_in / groups, c_out]`.
pub fn conv2d(x: &[f32], w: &[f32], g: &Conv2dGeometry, finish: Finisher) -> Buffer {
    let mut y = Buffer::unspecified(g.output().numel());
    let (image, out) = (g.h * g.w * g.c_in, g.out_h * g.out_w * g.c_out);
    if y.is_empty() || image == 0 {
        y.fill(0.0);
        finish(&mut y, 0);
        return y;
    }
    let padded = Padded::input(g);
    let width_out = g.c_out / g.groups;
    let pack = |group: usize| {
        let weight = Matrix::new(w, g.patch(), g.c_out).column_block(group * width_out, width_out);
        Packed::new(weight, padded.patch([g.kh, g.kw]))
    };
    let weights: Vec<Packed> = (0..g.groups).into_par_iter().map(pack).collect();
    let images = padded.images_per_task(g.out_h * g.out_w);
    let pixels = padded.patches(images, [g.out_h, g.out_w], [0, 0], g.stride);
    let x = x.par_chunks(images * image);
    y.par_chunks_mut(images * out).zip(x).enumerate().for_each(|(task, (y, x))| {
        let mut buffer = None;
        let x = padded.pad(x, &mut buffer);
        let pixels = &pixels[..y.len() / g.c_out];
        let groups = x.chunks_exact(x.len() / g.groups).zip(&weights);
        for (group, (x, weight)) in groups.enumerate() {
            let y_rows: Vec<usize> = (0..pixels.len()).map(|p| p * g.c_out + group * width_out).collect();
            multiply(x, pixels, weight, y, &y_rows, Start::Zero);
        }
        finish(y, task * images * out);
    });
    y
}
