//! A convolution, from the definition to one product per tap and to fewer products: the second layer of `dcgan-compact-mnist`'s
//! discriminator at batch 64.

use super::{Rung, climb, draw};
use minimax::autograd::no_grad;
use minimax::cpu::gemm::blocks::Packed;
use minimax::cpu::gemm::walk::Walk;
use minimax::cpu::gemm::{Matrix, Start, gemm};
use minimax::cpu::pool::Buffer;
use minimax::cpu::taps::{Side, Tap, sum_over_taps};
use minimax::shape::{Conv2dGeometry, Padding};
use minimax::storage::Storage;
use minimax::{Device, Tensor, ops};

pub fn ladder(threads: usize, limit: &dyn Fn(usize) -> f64) {
    let padding = Padding::same([14, 14], [5, 5], [2, 2]);
    let (shape, kernel) = ([64, 14, 14, 64].into(), [5, 5, 64, 128].into());
    let g = Conv2dGeometry::new("conv2d", shape, kernel, [2, 2], padding);
    let (x, w) = (draw(shape.numel(), 1), draw(kernel.numel(), 2));
    let (x, w) = (&x[..], &w[..]);
    let tensors = [(x, shape), (w, kernel)].map(|(v, shape)| Tensor::from_f32(v, shape, Device::Cpu));
    let fast = |y: &mut [f32]| {
        let tensor = no_grad(|| ops::conv2d(&tensors[0], &tensors[1], g.stride, padding));
        if let Storage::Cpu(values) = tensor.storage() {
            y.copy_from_slice(values);
        }
    };
    let by_taps = |y: &mut [f32]| {
        let weight = |tap: &Tap| {
            let w = &w[tap.index * g.c_in * g.c_out..];
            Packed::new(Matrix::new(w, g.c_in, g.c_out), Walk::straight(g.c_in, 1))
        };
        let values = sum_over_taps(x, &g, [Side::inputs(&g), Side::outputs(&g)], weight, &|_, _| {});
        y.copy_from_slice(&values);
    };
    let rungs = vec![
        Rung::new("definition", 1, |y| definition(x, w, &g, y)),
        Rung::new("channels innermost", 1, |y| channels_innermost(x, w, &g, y)),
        Rung::new("im2col, then a product", 1, |y| im2col(x, w, &g, y)),
        Rung::new("tap by tap", 1, by_taps),
        Rung::new("`ops::conv2d`, Winograd's form", 1, fast),
        Rung::new("`ops::conv2d`, Winograd's form", threads, fast),
    ];
    let title = "A convolution, 64 images of 14 × 14 × 64, 5 × 5, stride 2, to 128 channels; the limit counts the padding's zeros";
    let flop = 2.0 * (g.output().numel() * g.patch()) as f64;
    climb(title, g.output().numel(), flop, rungs, limit);
}

/// Calls `product` with the places of y, x and w of every tap, without the channels.
fn for_each_tap(g: &Conv2dGeometry, mut product: impl FnMut(usize, usize, usize)) {
    for n in 0..g.n {
        for (y, x) in (0..g.out_h).flat_map(|y| (0..g.out_w).map(move |x| (y, x))) {
            for (i, j) in (0..g.kh).flat_map(|i| (0..g.kw).map(move |j| (i, j))) {
                if let (Some(row), Some(column)) = (g.input_row(y, i), g.input_column(x, j)) {
                    let output = (n * g.out_h + y) * g.out_w + x;
                    let input = (n * g.h + row) * g.w + column;
                    product(output, input, i * g.kw + j);
                }
            }
        }
    }
}

/// One sum after another, as the formula has them.
fn definition(x: &[f32], w: &[f32], g: &Conv2dGeometry, y: &mut [f32]) {
    y.fill(0.0);
    for_each_tap(g, |output, input, tap| {
        for o in 0..g.c_out {
            let products = (0..g.c_in).map(|c| x[input * g.c_in + c] * w[(tap * g.c_in + c) * g.c_out + o]);
            y[output * g.c_out + o] += products.sum::<f32>();
        }
    });
}

/// The output's channels innermost, which lie side by side in y and in w: vectors of them at a time.
fn channels_innermost(x: &[f32], w: &[f32], g: &Conv2dGeometry, y: &mut [f32]) {
    y.fill(0.0);
    for_each_tap(g, |output, input, tap| {
        let y = &mut y[output * g.c_out..][..g.c_out];
        let w = w[tap * g.c_in * g.c_out..].chunks_exact(g.c_out);
        for (&x, w) in x[input * g.c_in..][..g.c_in].iter().zip(w) {
            y.iter_mut().zip(w).for_each(|(y, &w)| *y = x.mul_add(w, *y));
        }
    });
}

/// The patches that the output pixels see are written out as the rows of a matrix.
fn im2col(x: &[f32], w: &[f32], g: &Conv2dGeometry, y: &mut [f32]) {
    let pixels = g.n * g.out_h * g.out_w;
    let mut columns = Buffer::zeros(pixels * g.patch());
    for_each_tap(g, |output, input, tap| {
        let to = &mut columns[output * g.patch() + tap * g.c_in..][..g.c_in];
        to.copy_from_slice(&x[input * g.c_in..][..g.c_in]);
    });
    let columns = Matrix::new(&columns, pixels, g.patch());
    gemm(columns, Matrix::new(w, g.patch(), g.c_out), y, Start::Zero);
}
