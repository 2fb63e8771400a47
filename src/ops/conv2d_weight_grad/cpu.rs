//! im2col and GEMM: w̄ `[kh·kw·c_in, c_out]` = patchesᵀ · ȳ, image by image. A row of patchesᵀ is one
//! value of the patch, in all pixels; the rows of the kernel are shared out, and so is the batch, in a
//! number of parts that depends on the sizes alone, whose sums are added in order: threads change no bits.
//!
//! By [`crate::cpu::winograd`] where that saves products.

use crate::cpu::TASK_LENGTH;
use crate::cpu::columns::add_assign;
use crate::cpu::gemm::blocks::{multiply_piece, pack_groups, packed_len};
use crate::cpu::gemm::sets::microkernels;
use crate::cpu::gemm::walk::{DEPTH, Walk};
use crate::cpu::gemm::{Matrix, Start};
use crate::cpu::im2col::Padded;
use crate::cpu::pool::Buffer;
use crate::cpu::simd::widest;
use crate::cpu::winograd::{self, Direction};
use crate::shape::Conv2dGeometry;
use rayon::prelude::*;

/// Tasks that there should be.
const TASKS: usize = 16;

/// Values of the patch that a task has at least, so that preparing the images doesn't tell; as many for each group, as
/// narrow groups take longer to prepare.
const TASK_VALUES: usize = 96;

/// w̄ `[kh, kw, c_in / groups, c_out]` from x `[n, h, w, c_in]` and ȳ `[n, out_h, out_w, c_out]`.
pub fn conv2d_weight_grad(x: &[f32], grad: &[f32], g: &Conv2dGeometry) -> Buffer {
    if winograd::applies(g, Direction::Forward) {
        return winograd::weight_grad(x, grad, g);
    }
    let mut w = Buffer::unspecified(g.weight().numel());
    let (image, out) = (g.h * g.w * g.c_in, g.out_h * g.out_w * g.c_out);
    if w.is_empty() || grad.is_empty() {
        w.fill(0.0);
        return w;
    }
    let run = g.kw * (g.c_in / g.groups);
    let kernel_rows = (TASK_VALUES * g.groups).div_ceil(run).min(g.kh);
    let parts = (TASKS / g.kh.div_ceil(kernel_rows)).clamp(1, g.n);
    let images = g.n.div_ceil(parts);
    let add_images = |w: &mut [f32], x: &[f32], grad: &[f32]| {
        let rows = w.par_chunks_mut(kernel_rows * run * g.c_out).enumerate();
        rows.for_each(|(i, w)| add_kernel_rows(w, i * kernel_rows, x, grad, g));
    };
    if parts == 1 {
        add_images(&mut w, x, grad);
        return w;
    }
    let mut sums = Buffer::unspecified(g.n.div_ceil(images) * w.len());
    let x = x.par_chunks(images * image);
    let grad = grad.par_chunks(images * out);
    sums.par_chunks_mut(w.len()).zip(x.zip(grad)).for_each(|(sum, (x, grad))| add_images(sum, x, grad));
    let length = w.len();
    w.par_chunks_mut(TASK_LENGTH).enumerate().for_each(|(i, w)| {
        w.fill(0.0);
        let sums = &sums[..];
        widest(
            #[inline(always)]
            move || {
                for sum in sums.chunks_exact(length) {
                    add_assign(w, &sum[i * TASK_LENGTH..]);
                }
            },
        );
    });
    w
}

/// The kernel rows from `first` on: w `[rows, kw, c_in / groups, c_out]` = the sum over the images of x and ȳ.
fn add_kernel_rows(w: &mut [f32], first: usize, x: &[f32], grad: &[f32], g: &Conv2dGeometry) {
    let padded = Padded::input(g);
    let [width_in, width_out] = [g.c_in / g.groups, g.c_out / g.groups];
    let run = g.kw * width_in;
    let rows = w.len() / (run * g.c_out);
    let x_rows: Vec<usize> =
        (first..first + rows).flat_map(|i| (0..run).map(move |value| i * padded.row() + value)).collect();
    let pixels = g.out_h * g.out_w;
    let images = padded.images_per_task(pixels);
    let mut buffer = None;
    let kernels = microkernels();
    let mut packed = Buffer::unspecified(g.groups * packed_len(kernels, DEPTH, width_out));
    let mut start = Start::Zero;
    let x = x.chunks(images * g.h * g.w * g.c_in);
    for (x, grad) in x.zip(grad.chunks(images * pixels * g.c_out)) {
        let walk = Walk {
            planes: grad.len() / (pixels * g.c_out),
            plane: padded.image(),
            segments: g.out_h,
            segment: g.stride[0] * padded.row(),
            run: g.out_w,
            step: g.stride[1] * width_in,
        };
        let x = padded.pad(x, &mut buffer);
        let grad = Matrix::new(grad, walk.len(), g.c_out);
        for piece in walk.pieces(DEPTH) {
            let (grad, steps) = (grad.row_block(piece.k, piece.walk.len()), piece.walk);
            pack_groups(kernels, grad, g.groups, &mut packed);
            let packed = packed.chunks_exact(packed_len(kernels, steps.len(), width_out));
            for (group, (x, grad)) in x.chunks_exact(x.len() / g.groups).zip(packed).enumerate() {
                let w_rows: Vec<usize> = (0..x_rows.len()).map(|value| value * g.c_out + group * width_out).collect();
                multiply_piece(kernels, &x[piece.offset..], &x_rows, steps, grad, width_out, w, &w_rows, start);
            }
            start = Start::Sum;
        }
    }
}
