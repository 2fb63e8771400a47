//! The operations of a network that has its channels first.

use super::Step;
use crate::nn::Resampling;
use crate::ops::{Transpose, matmul, permute, reshape};
use crate::shape::Padding;
use crate::tensor::Tensor;

/// What a step does, on vectors `[n, units]` or images `[n, c, h, w]`.
pub(in super::super) enum Operation {
    /// y = x Wᵀ + b, W `[units, inputs]`.
    Linear { weight: Weight, bias: Option<Tensor> },
    /// A convolution with weights `[c_out, c_in / groups, kh, kw]`.
    Conv2d { weight: Weight, bias: Option<Tensor>, stride: [usize; 2], padding: Padding, groups: usize },
    /// A transposed convolution with weights `[c_in, c_out / groups, kh, kw]`, which crops `padding` from its full
    /// output and adds `extra` rows and columns after it.
    ConvTranspose2d {
        weight: Weight,
        bias: Option<Tensor>,
        stride: [usize; 2],
        padding: Padding,
        extra: [usize; 2],
        groups: usize,
    },
    /// γ (x - mean) / √(variance + ε) + β, per channel of an image or per unit of a vector.
    BatchNorm { gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, epsilon: f64, momentum: f64, image: bool },
    /// γ (x - mean) / √(variance + ε) + β, mean and variance those of an example's group of channels, γ and β per
    /// channel of an image `[h, w]` or per unit of a vector.
    GroupNorm { gamma: Tensor, beta: Tensor, groups: usize, epsilon: f64, image: Option<[usize; 2]> },
    /// Nothing, except in training.
    Dropout { rate: f64 },
    /// max(x, slope·x).
    LeakyRelu { slope: f64 },
    /// max(x, 0).
    Relu,
    /// The hyperbolic tangent.
    Tanh,
    /// The logistic function.
    Sigmoid,
    /// x times the share of N(0, 1) below x.
    Gelu,
    /// x · sigmoid(x).
    Silu,
    /// ln(1 + exp(x)).
    Softplus,
    /// x where it is positive, alpha·(exp(x) - 1) elsewhere.
    Elu { alpha: f64 },
    /// Every pixel becomes `factor` x `factor` pixels.
    Upsample { factor: usize, method: Resampling },
    /// Every `factor` x `factor` pixels become one, bilinearly; `size` is what comes out.
    Downsample { factor: usize, size: [usize; 2] },
    /// Channels to pixels: `[n, c·factor², h, w]` to `[n, c, h·factor, w·factor]`.
    PixelShuffle { factor: usize },
    /// Adds a channel: the standard deviation over groups of at most this many examples.
    MinibatchStddev { group: usize },
    /// The largest value or the mean of each window, over the part of it that lies inside an image of `image` pixels.
    Pool { kind: Pool, size: [usize; 2], stride: [usize; 2], padding: Padding, image: [usize; 2] },
    /// The mean of each channel, `[n, c, h, w]` to `[n, c, 1, 1]`.
    GlobalAveragePool,
    /// An image to a vector, in the order of `[c, h, w]`.
    Flatten,
    /// A vector to an image `[c, h, w]`.
    Unflatten { image: [usize; 3] },
    /// A vector, taken as a matrix of `rows` x `columns`, to the vector of the transposed matrix.
    Transpose { rows: usize, columns: usize },
    /// l or, embedded, l E, joined to a vector x; where x is an image, as channels of every pixel, or embedded as one
    /// more, the map l E Wᵀ + b.
    JoinLabel { embedding: Option<Tensor>, map: Option<[Tensor; 2]>, image: Option<[usize; 2]> },
    /// A batch norm with gamma and beta `[classes, channels]`, from which l picks a row for each example.
    ConditionalBatchNorm {
        gamma: Tensor,
        beta: Tensor,
        mean: Tensor,
        variance: Tensor,
        epsilon: f64,
        momentum: f64,
        image: bool,
    },
    /// x Wᵀ + b + Σ x · l Eᵀ, with W `[1, inputs]` and E `[inputs, classes]`.
    Projection { weight: Weight, bias: Tensor, embedding: Weight },
    /// Attention between the places of an image.
    Attention(Box<Attention>),
    /// layers(x) + shortcut(x).
    Residual { layers: Vec<Step>, shortcut: Vec<Step> },
}

/// A weight, with its outputs along the first axis or, for a transposed convolution, along the second.
pub(in super::super) struct Weight {
    /// The values that are learnt.
    pub learnt: Tensor,
    /// u `[outputs]` and v `[the rest]` of its spectral normalisation, if it has one.
    pub singular: Option<[Tensor; 2]>,
}

impl Weight {
    /// The values that are used, by a transposed convolution or by another operation.
    pub fn used(self, transposed: bool) -> Tensor {
        let Some([u, v]) = self.singular else {
            return self.learnt;
        };
        let matrix = if transposed { permute(&self.learnt, &[1, 0, 2, 3]) } else { self.learnt.clone() };
        let row = matmul(&reshape(&u, [1, u.numel()]), &reshape(&matrix, [u.numel(), v.numel()]), Transpose::NONE);
        self.learnt / matmul(&row, &reshape(&v, [v.numel(), 1]), Transpose::NONE)
    }
}

/// How a window is pooled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Pool {
    Max,
    Average,
}

/// The layer [`Attention`](crate::nn::Attention): kernels `[c_out, c_in, 1, 1]`, and γ `[1]`.
pub(in super::super) struct Attention {
    pub query: Weight,
    pub key: Weight,
    pub value: Weight,
    pub output: Weight,
    pub gamma: Tensor,
    /// Height and width.
    pub image: [usize; 2],
}
