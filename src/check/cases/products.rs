//! Matrix products, the dense layer and the convolution family.

use super::layers::POSITION;
use super::{Case, normal};
use crate::ops::dropout::Mask;
use crate::ops::*;
use crate::shape::{Conv2dGeometry, Padding, Shape};
use crate::tensor::Tensor;

const ASYMMETRIC: Padding = Padding { top: 2, bottom: 0, left: 1, right: 3 };

/// Sizes of products, `[m, k, n]`.
pub const SIZES: [[usize; 3]; 6] = [[1, 1, 1], [3, 4, 5], [17, 1, 3], [1, 17, 1], [3, 17, 1], [9, 8, 16]];

/// A convolution: the image, the kernel, the output's channels, the stride and the padding.
pub type Padded = ([usize; 4], [usize; 2], usize, [usize; 2], Padding);

/// Convolutions with explicit padding.
pub const PADDED: [Padded; 8] = [
    ([1, 1, 1, 1], [1, 1], 1, [1, 1], Padding::VALID),
    ([2, 6, 5, 3], [3, 2], 17, [1, 1], Padding::VALID),
    ([1, 8, 9, 3], [2, 3], 1, [3, 4], Padding::VALID),
    ([1, 5, 4, 2], [5, 4], 3, [1, 1], Padding::VALID),
    ([3, 5, 4, 1], [4, 2], 2, [1, 2], ASYMMETRIC),
    ([1, 6, 6, 17], [3, 3], 1, [2, 3], ASYMMETRIC),
    ([1, 2, 3, 2], [2, 2], 3, [1, 1], Padding::symmetric(3)),
    ([2, 2, 2, 1], [1, 1], 1, [2, 1], Padding::symmetric(2)),
];

/// The cases of this family.
pub fn cases() -> Vec<Case> {
    let same = |[_, h, w, _]: [usize; 4], k, s| Padding::same([h, w], k, s);
    // A row: the image, the kernel, the output's channels and the stride, padded by `same`.
    let same_rows = [
        ([2, 7, 7, 3], [3, 3], 5, [1, 1]),
        ([2, 7, 7, 3], [3, 3], 5, [2, 2]),
        ([1, 14, 14, 1], [5, 5], 3, [2, 2]),
        ([2, 8, 8, 3], [4, 4], 2, [2, 2]),
        ([1, 9, 6, 2], [2, 3], 1, [1, 2]),
        ([2, 1, 1, 17], [3, 3], 3, [1, 1]),
        ([1, 1, 1, 1], [5, 5], 1, [2, 2]),
        ([1, 7, 7, 2], [1, 1], 3, [3, 3]),
    ];
    // The same in groups, of which there are as many as the number before the output's channels says.
    let grouped_rows = [
        ([2, 5, 6, 4], [3, 3], 2, 6, [1, 1], Padding::symmetric(1)),
        ([1, 6, 5, 6], [3, 2], 3, 3, [2, 1], ASYMMETRIC),
        ([2, 4, 4, 5], [3, 3], 5, 10, [2, 2], Padding::symmetric(1)),
        ([1, 5, 4, 34], [2, 2], 2, 32, [1, 2], Padding::VALID),
        ([2, 3, 3, 8], [1, 1], 4, 8, [1, 1], Padding::VALID),
    ];

    let mut all = Vec::new();
    for size in SIZES {
        for (a, b) in [(false, false), (true, false), (false, true), (true, true)] {
            all.push(product(size, Transpose { a, b }));
            all.push(batched_product(3, size, Transpose { a, b }));
        }
    }
    all.extend(SIZES.map(dense_layer));
    for (image, kernel, c_out, stride) in same_rows {
        let padding = same(image, kernel, stride);
        all.extend(convolutions(image, kernel, c_out, stride, padding, "same"));
    }
    for (image, kernel, c_out, stride, padding) in PADDED {
        let name = match padding {
            Padding::VALID => "valid",
            p if p == ASYMMETRIC => "asymmetric",
            _ => "wide",
        };
        all.extend(convolutions(image, kernel, c_out, stride, padding, name));
    }
    for (image, kernel, groups, c_out, stride, padding) in grouped_rows {
        all.extend(grouped_convolutions(image, kernel, groups, c_out, stride, padding));
    }
    // Finished by what follows: with a bias or without, slopes and rates of dropout.
    for (image, groups, c_out, stride, [biased, rectified], rate) in [
        ([2, 3, 3, 2], 1, 3, [1, 1], [true, false], None),
        ([1, 3, 4, 4], 2, 2, [2, 1], [true, true], None),
        ([2, 2, 3, 2], 1, 1, [1, 1], [true, true], Some(0.3)),
        ([1, 3, 2, 1], 1, 5, [1, 1], [false, true], Some(0.3)),
        ([1, 3, 3, 1], 1, 2, [2, 2], [true, false], Some(0.3)),
    ] {
        let finishing =
            Finishing { biased, slope: if rectified { 0.3 } else { 1.0 }, rate, shift: |bias| bias.clone() };
        all.extend(finished(image, groups, c_out, stride, finishing));
    }
    all
}

/// What a case's convolution is finished by.
#[derive(Clone, Copy)]
pub struct Finishing {
    /// Whether there is a bias.
    pub biased: bool,
    /// Of leaky ReLU.
    pub slope: f64,
    /// Of dropout.
    pub rate: Option<f64>,
    /// What the bias is of an input.
    pub shift: fn(&Tensor) -> Tensor,
}

/// A 3 x 3 convolution and the transposed one, finished.
pub fn finished(image: [usize; 4], groups: usize, c_out: usize, stride: [usize; 2], finishing: Finishing) -> [Case; 2] {
    let Finishing { biased, slope, rate, shift } = finishing;
    let [_, h, w, c_in] = image;
    let padding = Padding::same([h, w], [3, 3], stride);
    let weight = [3, 3, c_in / groups, c_out];
    let g = Conv2dGeometry::grouped("case", image.into(), weight.into(), groups, stride, padding);
    let name =
        format!("{groups} groups, {image:?} to {c_out}, stride {stride:?}, bias {biased} slope {slope} rate {rate:?}");
    let mask = rate.map(|rate| Mask::new(rate, POSITION));
    let inputs = |x: Shape, channels| {
        let bias = biased.then(|| normal([channels]));
        [normal(x), normal(weight)].into_iter().chain(bias).collect::<Vec<_>>()
    };
    // Small weights, so that a bias tells on which side of the kink its channel is.
    let forward = move |t: &[Tensor], slope, mask| {
        let bias = t.get(2).map(shift);
        let finish = Finish { bias: bias.as_ref(), slope, mask };
        finished_conv2d(&t[0], &(&t[1] * 0.1), groups, stride, padding, finish)
    };
    let transposed = move |t: &[Tensor], slope, mask| {
        let bias = t.get(2).map(shift);
        let finish = Finish { bias: bias.as_ref(), slope, mask };
        finished_conv_transpose2d(&t[0], &(&t[1] * 0.1), groups, [h, w], stride, padding, finish)
    };
    [
        Case::new("finished_conv2d", name.clone(), &inputs(image.into(), c_out), move |t| forward(t, slope, mask))
            .kinks(move |t| forward(t, 1.0, None)),
        Case::new("finished_conv_transpose2d", name, &inputs(g.output(), c_in), move |t| transposed(t, slope, mask))
            .kinks(move |t| transposed(t, 1.0, None)),
    ]
}

/// The product `[m, n]` of sizes `[m, k, n]`.
pub fn product([m, k, n]: [usize; 3], transpose: Transpose) -> Case {
    let flip = |[r, c]: [usize; 2], flag| if flag { [c, r] } else { [r, c] };
    let inputs = [normal(flip([m, k], transpose.a)), normal(flip([k, n], transpose.b))];
    Case::new("matmul", product_name([m, k, n], transpose), &inputs, move |t| matmul(&t[0], &t[1], transpose))
}

/// The same for each of `batch` pairs.
pub fn batched_product(batch: usize, [m, k, n]: [usize; 3], transpose: Transpose) -> Case {
    let flip = |[r, c]: [usize; 2], flag| if flag { [batch, c, r] } else { [batch, r, c] };
    let inputs = [normal(flip([m, k], transpose.a)), normal(flip([k, n], transpose.b))];
    let name = format!("{batch} of {}", product_name([m, k, n], transpose));
    Case::new("batched_matmul", name, &inputs, move |t| batched_matmul(&t[0], &t[1], transpose))
}

fn product_name([m, k, n]: [usize; 3], transpose: Transpose) -> String {
    let mark = |flag| if flag { "ᵀ" } else { "" };
    format!("{m}x{k}x{n} A{} B{}", mark(transpose.a), mark(transpose.b))
}

/// The dense layer on a batch of n, with sizes `[n, in, out]`.
pub fn dense_layer([n, k, out]: [usize; 3]) -> Case {
    let inputs = [normal([n, k]), normal([k, out]), normal([out])];
    Case::new("dense", format!("n{n} {k}->{out}"), &inputs, |t| dense(&t[0], &t[1], &t[2]))
}

/// One convolution, and the two ops that have its geometry: the transposed convolution back to
/// `image`, and the weight gradient. `padding_name` goes into the cases' names.
pub fn convolutions(
    image: [usize; 4],
    kernel: [usize; 2],
    c_out: usize,
    stride: [usize; 2],
    padding: Padding,
    padding_name: &str,
) -> [Case; 3] {
    let [n, h, w, c_in] = image;
    let weight = [kernel[0], kernel[1], c_in, c_out];
    let g = Conv2dGeometry::new("case", image.into(), weight.into(), stride, padding);
    let ([kh, kw], [sy, sx]) = (kernel, stride);
    let (x, weight, y) = (normal(image), normal(weight), normal(g.output()));
    let name = |from: [usize; 4], to_channels| {
        let [n, h, w, c] = from;
        format!("{kh}x{kw} s{sy}x{sx} {padding_name} {n}x{h}x{w} c{c}->{to_channels}")
    };
    let small = [n, g.out_h, g.out_w, c_out];
    [
        Case::new("conv2d", name(image, c_out), &[x, weight], move |t| conv2d(&t[0], &t[1], stride, padding)),
        Case::new("conv_transpose2d", format!("{} to {h}x{w}", name(small, c_in)), &[y, weight], move |t| {
            conv_transpose2d(&t[0], &t[1], [h, w], stride, padding)
        }),
        Case::new("conv2d_weight_grad", name(image, c_out), &[x, y], move |t| {
            conv2d_weight_grad(&t[0], &t[1], kernel, stride, padding)
        }),
    ]
}

/// As [`convolutions`], in groups.
pub fn grouped_convolutions(
    image: [usize; 4],
    kernel: [usize; 2],
    groups: usize,
    c_out: usize,
    stride: [usize; 2],
    padding: Padding,
) -> [Case; 3] {
    let [_, h, w, c_in] = image;
    let weight = [kernel[0], kernel[1], c_in / groups, c_out];
    let g = Conv2dGeometry::grouped("case", image.into(), weight.into(), groups, stride, padding);
    let Padding { top, bottom, left, right } = padding;
    let name = format!("{groups} groups, {weight:?} on {image:?}, stride {stride:?}, {top},{bottom},{left},{right}");
    let (x, weight, y) = (normal(image), normal(weight), normal(g.output()));
    [
        Case::new("grouped_conv2d", name.clone(), &[x, weight], move |t| {
            grouped_conv2d(&t[0], &t[1], groups, stride, padding)
        }),
        Case::new("grouped_conv_transpose2d", name.clone(), &[y, weight], move |t| {
            grouped_conv_transpose2d(&t[0], &t[1], groups, [h, w], stride, padding)
        }),
        Case::new("grouped_conv2d_weight_grad", name, &[x, y], move |t| {
            grouped_conv2d_weight_grad(&t[0], &t[1], groups, kernel, stride, padding)
        }),
    ]
}
