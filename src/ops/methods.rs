//! Ops as methods of their first input: `x.matmul(&w).relu().mean(..)`. Each does what the function of the same name in
//! [`ops`](super) does, and panics where that panics. Axes are given as one number, as several, or as `..` for all of
//! them.
//!
//! ```
//! use minimax::{Device, Tensor};
//!
//! let x = Tensor::new(&[1.0, -2.0, 3.0, -4.0, 5.0, -6.0], [2, 3], Device::Cpu);
//! assert_eq!(x.relu().sum(1).to_f64(), [4.0, 5.0]);
//! assert_eq!(x.mean(..).item(), -0.5);
//! assert_eq!(x.transposed().matmul(&x).dims(), [3, 3]);
//! assert_eq!(x.argmax(1).to_f64(), [2.0, 1.0]);
//! ```

use super::Transpose;
use crate::shape::Shape;
use crate::tensor::Tensor;
use std::ops::RangeFull;

/// Axes to reduce: one, several, or all with `..`.
///
/// ```
/// use minimax::{Device, Tensor};
///
/// let x = Tensor::arange(24, Device::Cpu).reshape([2, 3, 4]);
/// assert_eq!(x.sum(1).dims(), [2, 4]);
/// assert_eq!(x.sum([0, 2]).dims(), [3]);
/// assert_eq!(x.sum(..).item(), 276.0);
/// ```
pub trait Axes {
    /// The numbers of these axes, in a tensor of `rank` axes.
    fn axes(self, rank: usize) -> Vec<usize>;
}

impl Axes for usize {
    fn axes(self, _: usize) -> Vec<usize> {
        vec![self]
    }
}

impl<const N: usize> Axes for [usize; N] {
    fn axes(self, _: usize) -> Vec<usize> {
        self.to_vec()
    }
}

impl Axes for &[usize] {
    fn axes(self, _: usize) -> Vec<usize> {
        self.to_vec()
    }
}

impl Axes for RangeFull {
    fn axes(self, rank: usize) -> Vec<usize> {
        (0..rank).collect()
    }
}

impl Tensor {
    /// eˣ.
    #[track_caller]
    pub fn exp(&self) -> Tensor {
        super::exp(self)
    }

    /// The natural logarithm.
    #[track_caller]
    pub fn log(&self) -> Tensor {
        super::log(self)
    }

    /// √x.
    #[track_caller]
    pub fn sqrt(&self) -> Tensor {
        super::sqrt(self)
    }

    /// x².
    #[track_caller]
    pub fn square(&self) -> Tensor {
        super::square(self)
    }

    /// |x|.
    #[track_caller]
    pub fn abs(&self) -> Tensor {
        super::abs(self)
    }

    /// The hyperbolic tangent.
    #[track_caller]
    pub fn tanh(&self) -> Tensor {
        super::tanh(self)
    }

    /// 1 / (1 + e⁻ˣ).
    #[track_caller]
    pub fn sigmoid(&self) -> Tensor {
        super::sigmoid(self)
    }

    /// ln(1 + eˣ).
    #[track_caller]
    pub fn softplus(&self) -> Tensor {
        super::softplus(self)
    }

    /// max(x, 0).
    #[track_caller]
    pub fn relu(&self) -> Tensor {
        super::relu(self)
    }

    /// x Φ(x).
    #[track_caller]
    pub fn gelu(&self) -> Tensor {
        super::gelu(self)
    }

    /// x · sigmoid(x).
    #[track_caller]
    pub fn silu(&self) -> Tensor {
        super::silu(self)
    }

    /// x where it is positive, `slope` · x elsewhere.
    #[track_caller]
    pub fn leaky_relu(&self, slope: f64) -> Tensor {
        super::leaky_relu(self, slope)
    }

    /// x to the power of `exponent`, value by value: see [`pow`](super::pow).
    #[track_caller]
    pub fn pow(&self, exponent: f64) -> Tensor {
        match exponent {
            1.0 => self.clone(),
            2.0 => super::square(self),
            _ => super::pow(self, &Tensor::constant(exponent, self.device())),
        }
    }

    /// x clamped to [`low`, `high`].
    #[track_caller]
    pub fn clamp(&self, low: f64, high: f64) -> Tensor {
        super::clamp(self, low, high)
    }

    /// The sum over `axes`, which the result lacks.
    #[track_caller]
    pub fn sum(&self, axes: impl Axes) -> Tensor {
        super::sum(self, &axes.axes(self.shape().rank()))
    }

    /// The mean over `axes`, which the result lacks.
    #[track_caller]
    pub fn mean(&self, axes: impl Axes) -> Tensor {
        super::mean(self, &axes.axes(self.shape().rank()))
    }

    /// The largest value along `axes`, which the result lacks.
    #[track_caller]
    pub fn max(&self, axes: impl Axes) -> Tensor {
        super::max(self, &axes.axes(self.shape().rank()))
    }

    /// The index of the largest value along `axis`.
    #[track_caller]
    pub fn argmax(&self, axis: usize) -> Tensor {
        super::argmax(self, axis)
    }

    /// Softmax along `axis`.
    #[track_caller]
    pub fn softmax(&self, axis: usize) -> Tensor {
        super::softmax(self, axis)
    }

    /// The logarithm of softmax along `axis`.
    #[track_caller]
    pub fn log_softmax(&self, axis: usize) -> Tensor {
        super::log_softmax(self, axis)
    }

    /// The matrix product, of `[m, k]` and `[k, n]`, or of each of the matrices in `[b, m, k]` and `[b, k, n]`.
    #[track_caller]
    pub fn matmul(&self, other: &Tensor) -> Tensor {
        match self.shape().rank() {
            3 => super::batched_matmul(self, other, Transpose::NONE),
            _ => super::matmul(self, other, Transpose::NONE),
        }
    }

    /// The tensor with its last two axes exchanged.
    ///
    /// # Panics
    /// If it has fewer than two.
    #[track_caller]
    pub fn transposed(&self) -> Tensor {
        let rank = self.shape().rank();
        assert!(rank >= 2, "transposed: a tensor of shape {}", self.shape());
        let mut axes: Vec<usize> = (0..rank).collect();
        axes.swap(rank - 2, rank - 1);
        super::permute(self, &axes)
    }

    /// The tensor with its axes in this order.
    #[track_caller]
    pub fn permute(&self, axes: &[usize]) -> Tensor {
        super::permute(self, axes)
    }

    /// The values, in order, in another shape.
    #[track_caller]
    pub fn reshape(&self, shape: impl Into<Shape>) -> Tensor {
        super::reshape(self, shape)
    }

    /// The same values with a new axis of length 1, which becomes axis `axis` of the result.
    ///
    /// # Panics
    /// If `axis` is larger than the number of axes.
    #[track_caller]
    pub fn unsqueeze(&self, axis: usize) -> Tensor {
        assert!(axis <= self.shape().rank(), "unsqueeze: axis {axis} of a tensor of shape {}", self.shape());
        let mut dims = self.dims().to_vec();
        dims.insert(axis, 1);
        super::reshape(self, &dims[..])
    }

    /// The same values without `axis`, which must have length 1.
    ///
    /// # Panics
    /// If it has another length.
    #[track_caller]
    pub fn squeeze(&self, axis: usize) -> Tensor {
        assert!(self.dims().get(axis) == Some(&1), "squeeze: axis {axis} of a tensor of shape {}", self.shape());
        let mut dims = self.dims().to_vec();
        dims.remove(axis);
        super::reshape(self, &dims[..])
    }

    /// The tensor stretched to `shape`.
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl Into<Shape>) -> Tensor {
        super::broadcast_to(self, shape)
    }

    /// The values of `a` where this tensor is not 0, and those of `b` where it is: PyTorch's and NumPy's `where`.
    #[track_caller]
    #[doc(alias = "where")]
    pub fn select(&self, a: &Tensor, b: &Tensor) -> Tensor {
        super::select(self, a, b)
    }

    /// These labels, whole numbers `[n]`, as rows `[n, classes]`: 1 in the label's column, 0 in the others.
    #[track_caller]
    pub fn one_hot(&self, classes: usize) -> Tensor {
        super::one_hot(self, classes)
    }
}
