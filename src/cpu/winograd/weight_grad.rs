//! The gradient of a kernel: the transformed input times the transformed gradient of the output, summed over the tiles,
//! and the inverse transform.

use super::Axes;
use super::axis::{Direction, Part};
use super::stack::Stack;
use crate::cpu::columns::add_assign;
use crate::cpu::gemm::blocks::{Packed, multiply};
use crate::cpu::gemm::walk::Walk;
use crate::cpu::gemm::{Matrix, Start};
use crate::cpu::pool::Buffer;
use crate::cpu::simd::widest;
use crate::shape::Conv2dGeometry;
use rayon::prelude::*;

/// The number of tiles whose products are summed at a time; in a single sum over all tiles of a batch the error would
/// grow with their number.
const SUMMED_TILES: usize = 256;

/// The gradient `[kh, kw, c_in / groups, c_out]` of the weights of the convolution `g` from its input `x` and the
/// gradient of its output.
///
/// # Panics
/// If [`super::applies`] doesn't hold.
pub fn weight_grad(x: &[f32], grad: &[f32], g: &Conv2dGeometry) -> Buffer {
    let axes = Axes::new(g, Direction::Forward).expect("a convolution that Winograd's form applies to");
    let [inputs, outputs, kernel] =
        [axes.inputs(g, Part::Signal), axes.outputs(g, Part::Filter), axes.kernel(g, Part::Result)];
    let points = axes.rows.points;
    let plain = Stack::plain(axes.columns.points);
    let images = (SUMMED_TILES / outputs.tiles()).max(1);
    let mut w = Buffer::unspecified(kernel.values());
    let length = kernel.columns_len(w.len());
    let mut columns = Buffer::unspecified(points * length);
    columns.par_chunks_exact_mut(length).enumerate().for_each(|(row, columns)| {
        let stack = axes.stack(row);
        let values = stack.len(1, kernel.channels);
        let product = |x: &[f32], grad: &[f32]| {
            let tiles = grad.len() / outputs.values() * outputs.tiles();
            let (signal, grads) = (inputs.spread(x, row, &stack), outputs.spread(grad, row, &plain));
            let mut product = Buffer::unspecified(values);
            for point in 0..axes.columns.points {
                let place = plain.place(point, 0, tiles, g.c_out);
                let all = Matrix::new(&grads[place.start..], tiles, place.stride);
                let grads = all.column_block(0, g.c_out);
                multiply_point(&signal, grads, g, &stack, point, &mut product);
            }
            product
        };
        let x = x.chunks(images * inputs.values());
        let products = x.zip(grad.chunks(images * outputs.values())).map(|(x, grad)| product(x, grad));
        let sum = products.reduce(|mut sum, product| {
            let (sums, products) = (&mut sum[..], &product[..]);
            widest(
                #[inline(always)]
                move || add_assign(sums, products),
            );
            sum
        });
        let sum = sum.unwrap_or_else(|| Buffer::zeros(values));
        kernel.gather_columns(&sum, &stack, 1, columns);
    });
    kernel.gather_rows(&columns, points, &mut w);
    w
}

/// The product of a point: the kernel's places `[phases, c_in / groups, c_out]` there from the signal's, read
/// transposed, and the gradient's, `[tiles, c_out]`.
fn multiply_point(signal: &[f32], grads: Matrix, g: &Conv2dGeometry, stack: &Stack, point: usize, product: &mut [f32]) {
    let [width_in, width_out] = [g.c_in / g.groups, g.c_out / g.groups];
    let tiles = grads.rows;
    let from = stack.place(point, 0, tiles, g.c_in);
    let to = stack.place(point, 0, 1, width_in * g.c_out).start;
    for group in 0..g.groups {
        let channels = (0..stack.phases(point)).flat_map(|phase| (0..width_in).map(move |c| [phase, c]));
        let signal_row = |[phase, c]: [usize; 2]| from.start + phase * g.c_in + group * width_in + c;
        let product_row = |[phase, c]: [usize; 2]| to + (phase * width_in + c) * g.c_out + group * width_out;
        let signal_rows: Vec<usize> = channels.clone().map(signal_row).collect();
        let product_rows: Vec<usize> = channels.map(product_row).collect();
        let grads = grads.column_block(group * width_out, width_out);
        let grads = Packed::new(grads, Walk::straight(tiles, from.stride));
        multiply(signal, &signal_rows, &grads, product, &product_rows, Start::Zero);
    }
}
