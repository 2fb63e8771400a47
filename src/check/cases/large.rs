//! Cases that cross every block, tile and chunk boundary of the CPU kernels, among them the layers of the recipes'
//! networks. They are too large for finite differences; they are used to compare devices, and numbers of threads.

use super::{Case, Input, Values, elementwise, indices, layers, layout, normal, pooling, products, reductions};
use crate::ops::unary::sign;
use crate::ops::*;
use crate::shape::Padding;
use crate::tensor::Tensor;

/// The cases, each with the boundary that it crosses.
pub fn cases() -> Vec<Case> {
    let mut all = vec![
        // Elementwise tasks of 2^14 values, in one array and with an operand that repeats in rows
        // short and long.
        elementwise::unary("exp", exp, Values::Normal, &[40_003]),
        elementwise::unary("leaky_relu", |x| leaky_relu(x, 0.3), Values::Normal, &[40_003]),
        elementwise::binary("mul", mul, [Values::Normal; 2], [&[5, 20_001], &[20_001]]),
        elementwise::binary("div", div, [Values::Positive; 2], [&[2000, 17], &[17]]),
        elementwise::binary("add", add, [Values::Normal; 2], [&[7, 11], &[300, 7, 11]]),
        elementwise::binary("sub", sub, [Values::Normal; 2], [&[], &[70_000]]),
        elementwise::binary("mul", mul, [Values::Normal; 2], [&[130, 1, 9], &[1, 70, 1]]),
        // Blocks of 2^14 values of a sum, along rows and down columns.
        reductions::sum_over(&[300_001], &[0]),
        reductions::sum_over(&[3, 100_003], &[1]),
        reductions::sum_over(&[20_001, 4], &[1]),
        reductions::sum_over(&[100_003, 3], &[0]),
        reductions::sum_over(&[3, 20_001], &[0]),
        reductions::mean_over(&[40, 50, 60], &[1]),
        reductions::mean_over(&[40, 50, 60], &[0, 2]),
        reductions::max_over(&[3, 20_001], &[1]),
        reductions::max_over(&[40, 50, 30], &[0, 2]),
        // Every form of cpu/reduce.rs, with several runs in one task, and with runs too long for one task.
        reductions::sum_over(&[3000, 21, 3], &[1]),
        reductions::sum_over(&[3000, 20, 3], &[1]),
        reductions::sum_over(&[700, 5, 10], &[1]),
        reductions::sum_over(&[700, 63], &[1]),
        reductions::sum_over(&[3, 2, 20_001], &[1]),
        reductions::sum_over(&[60, 7, 2, 7, 2, 9], &[2, 4]),
        reductions::sum_over(&[2, 130, 2, 130], &[0, 2]),
        reductions::sum_over(&[3, 14, 14, 16, 8], &[1, 2, 4]),
        reductions::max_over(&[3000, 20, 3], &[1]),
        reductions::max_over(&[700, 63], &[1]),
        reductions::max_over(&[40_003], &[0]),
        reductions::max_over(&[3, 2, 20_001], &[1]),
        reductions::max_over(&[60, 7, 2, 7, 2, 9], &[2, 4]),
        reductions::max_over(&[2, 130, 2, 130], &[0, 2]),
        indices::largest(&[300, 70], 1),
        indices::largest(&[70, 300], 0),
        // Tasks of 2^14 values of strided copies.
        layout::permuted(&[30, 41, 50], &[2, 0, 1]),
        layout::permuted(&[3, 20_001], &[1, 0]),
        layout::sliced(&[60, 70, 9], &[3..57, 1..69, 2..8]),
        layout::padded(&[60, 70, 9], &[[1, 2], [0, 3], [2, 0]]),
        layout::joined(&[&[50, 33, 20], &[50, 17, 20]], 1),
        elementwise::selected([&[5, 20_001], &[20_001], &[5, 1]]),
        layers::along("softmax", softmax, &[3000, 17], 1),
        layers::along("softmax", softmax, &[3, 17, 3000], 1),
        layout::upsampled([4, 14, 14, 33], 2),
        layout::downsampled([4, 14, 14, 33], 2),
        layers::dropped(&[20_001], 0.3),
        layers::rectified_and_dropped(&[20_001], 0.3),
        // The same for batch statistics.
        layers::normalised(&[5000, 17], 1e-3),
        layers::normalised(&[6, 14, 14, 64], 1e-3),
        layers::normalised(&[2, 12_544], 1e-3),
        layers::normalised_and_rectified(&[5000, 17], 0.3, Some(0.3), far_from_kinks),
        layers::normalised_and_rectified(&[6, 14, 14, 64], 0.3, None, far_from_kinks),
        // Products too small to be shared among threads, and products that are: by rows, by columns, by columns of Cᵀ.
        products::product([100, 80, 60], Transpose::NONE),
        products::product([300, 30, 41], Transpose::A),
        products::product([1003, 17, 33], Transpose::B),
        products::product([17, 1003, 33], Transpose { a: true, b: true }),
        products::product([1003, 70, 60], Transpose::NONE),
        products::product([300, 300, 150], Transpose::A),
        products::product([130, 70, 700], Transpose::NONE),
        products::product([64, 500, 130], Transpose::B),
        // Attention over 16 x 16 places, products that are themselves shared among threads, and products with one row
        // each.
        products::batched_product(9, [256, 16, 64], Transpose::B),
        products::batched_product(2, [300, 100, 150], Transpose::A),
        products::batched_product(5, [1, 200, 300], Transpose::NONE),
        products::dense_layer([65, 100, 130]),
    ];
    // Tiles of output rows: a convolution cuts after 128 to 4096 pixels, its weight gradient after
    // twice as many, and into 8 parts.
    let same = |[_, h, w, _]: [usize; 4], k, s| Padding::same([h, w], k, s);
    for (image, kernel, c_out, stride) in [
        ([24, 28, 28, 1], [5, 5], 8, [2, 2]),
        ([2, 14, 14, 64], [5, 5], 32, [2, 2]),
        ([3, 7, 7, 256], [5, 5], 8, [1, 1]),
        ([3, 28, 28, 3], [4, 4], 16, [2, 2]),
        ([9, 1, 1, 17], [3, 3], 5, [1, 1]),
        ([96, 28, 28, 1], [3, 3], 2, [1, 1]),
    ] {
        let padding = same(image, kernel, stride);
        all.extend(products::convolutions(image, kernel, c_out, stride, padding, "same"));
    }
    // The groups of R3GAN's blocks, and groups that Winograd's convolution takes.
    for (image, kernel, groups, c_out, stride) in [
        ([5, 16, 16, 96], [3, 3], 6, 96, [1, 1]),
        ([8, 8, 8, 128], [3, 3], 2, 128, [1, 1]),
        ([8, 13, 16, 96], [5, 5], 3, 96, [2, 2]),
        ([6, 15, 9, 20], [3, 4], 5, 30, [2, 1]),
    ] {
        let padding = same(image, kernel, stride);
        all.extend(products::grouped_convolutions(image, kernel, groups, c_out, stride, padding));
    }
    all.extend(products::grouped_convolutions([4, 14, 14, 96], [1, 1], 3, 48, [1, 1], Padding::VALID));
    // Enough tiles and channels for Winograd's convolution: kernels that aren't square, images that no tile divides,
    // and strides, of which some leave an odd pixel.
    for (image, kernel, c_out, stride, padding) in [
        ([16, 8, 7, 64], [5, 5], 64, [1, 1], None),
        ([8, 13, 11, 64], [3, 6], 80, [1, 1], None),
        ([8, 15, 15, 64], [4, 4], 64, [1, 1], Some(Padding::VALID)),
        ([18, 14, 13, 64], [5, 5], 32, [2, 2], None),
        ([16, 16, 16, 32], [4, 4], 64, [2, 2], Some(Padding::symmetric(1))),
        ([12, 17, 19, 32], [5, 3], 48, [2, 1], Some(Padding { top: 0, bottom: 3, left: 2, right: 0 })),
        ([12, 20, 19, 32], [7, 7], 32, [3, 3], Some(Padding::symmetric(4))),
    ] {
        let padding = padding.unwrap_or_else(|| same(image, kernel, stride));
        all.extend(products::convolutions(image, kernel, c_out, stride, padding, "Winograd"));
    }
    // Finished task by task: patches of groups, whose tasks begin within a block of random words; taps; Winograd's
    // tiles.
    for (image, groups, c_out, stride, rate) in [
        ([20, 15, 9, 15], 5, 15, [1, 1], Some(0.3)),
        ([40, 9, 9, 64], 1, 40, [2, 2], Some(0.3)),
        ([70, 14, 14, 64], 1, 64, [1, 1], Some(0.3)),
        ([24, 16, 16, 32], 1, 48, [2, 2], None),
        ([5, 16, 16, 96], 6, 96, [1, 1], None),
    ] {
        let finishing = products::Finishing { biased: true, slope: 0.2, rate, shift: far_from_kinks };
        all.extend(products::finished(image, groups, c_out, stride, finishing));
    }
    all.extend(indices::rows([70, 300, 200]));
    all.extend(pooling::pooled([9, 28, 28, 33], [2, 2], [2, 2], Padding::VALID));
    all.extend(pooling::pooled([5, 31, 30, 16], [3, 3], [2, 2], Padding::symmetric(1)));
    all.extend(layout::resampled([5, 14, 15, 33], [28, 30]));
    all.extend(layout::resampled([5, 28, 32, 16], [14, 16]));
    all.push(generator());
    all
}

/// A shift so large that all of a channel is on one side of the kink; otherwise f32 and f64 might be on different
/// sides.
fn far_from_kinks(x: &Tensor) -> Tensor {
    sign(x) * 30.0
}

/// Report A's generator for 28 x 28 pixels with a sixteenth of its channels, weights at about the
/// scale of their initialisation, and tanh in place of leaky ReLU, whose kinks f32 and f64 would
/// meet on different sides.
fn generator() -> Case {
    let weights: [Input; 6] = [
        normal([20, 100]),
        normal([100, 784]),
        normal([784]),
        normal([5, 5, 8, 16]),
        normal([5, 5, 4, 8]),
        normal([5, 5, 1, 4]),
    ];
    let grow = |x: &Tensor, w: &Tensor, size: usize, stride: usize| {
        let padding = Padding::same([size; 2], [5, 5], [stride; 2]);
        conv_transpose2d(x, &(w * 0.05), [size; 2], [stride; 2], padding)
    };
    Case::new("generator", "report A, narrow", &weights, move |t| {
        let noise = matmul(&t[0], &(&t[1] * 0.1), Transpose::NONE);
        let gamma = Tensor::ones([784], t[0].device());
        let hidden = batch_norm(&noise, &gamma, &t[2], 1e-3).y;
        let maps = reshape(&tanh(&hidden), [20, 7, 7, 16]);
        let maps = tanh(&grow(&maps, &t[3], 7, 1));
        let maps = tanh(&grow(&maps, &t[4], 14, 2));
        tanh(&grow(&maps, &t[5], 28, 2))
    })
}
