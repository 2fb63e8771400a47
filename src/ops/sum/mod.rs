//! Sums and means over any axes: y = Σ x over `axes`, which the result lacks.
//!
//! In f32, on `cpu` and `cuda`, a few tens of values at a time are added up one after the other; these sums are then
//! added in pairs, the results in pairs again, and so on. Rounding thus causes an error of at most about (50 + log₂ n)
//! · 2⁻²⁴ · Σ |x| for each group of neighbouring axes; adding all n values one after the other could reach n · 2⁻²⁴ · Σ
//! |x|. How values are paired depends on the shape alone.
//!
//! The adjoint of a sum is a broadcast: x̄ repeats ȳ along the axes summed over. A mean is a sum that is divided as it
//! is stored; its adjoint divides ȳ and then repeats it.

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::broadcast::divided_broadcast_to;
use super::reshape;
use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::shape::Shape;
use crate::storage::Storage;
use crate::tensor::Tensor;

/// The sum over `axes`, which the result lacks; without axes it is `x` itself. x̄ repeats ȳ along `axes`.
///
/// ```
/// use minimax::{Device, Tensor, ops};
///
/// let x = Tensor::arange(6, Device::Cpu).reshape([2, 3]);
/// assert_eq!(ops::sum(&x, &[1]).to_f64(), [3.0, 12.0]);
/// assert_eq!(ops::sum(&x, &[0, 1]).item(), 15.0);
/// ```
///
/// # Panics
/// If an axis is out of range or named twice.
#[track_caller]
pub fn sum(x: &Tensor, axes: &[usize]) -> Tensor {
    divided_sum(x, axes, 1.0)
}

/// x / `divisor`; x itself if that is 1.
pub(super) fn divided(x: &Tensor, divisor: f64) -> Tensor {
    if divisor == 1.0 { x.clone() } else { x / divisor }
}

/// Σ x / `divisor` over `axes`.
#[track_caller]
fn divided_sum(x: &Tensor, axes: &[usize], divisor: f64) -> Tensor {
    let reduction = Reduction::new("sum", x.shape(), axes);
    if axes.is_empty() {
        return divided(x, divisor);
    }
    let _span = span("sum", || Cost::pass(x.numel() + reduction.reduced.numel()));
    let storage = match x.storage() {
        Storage::Reference(v) => {
            let mut sums = reference::sum(v, x.shape(), &reduction);
            sums.iter_mut().for_each(|sum| *sum /= divisor);
            Storage::Reference(sums)
        }
        Storage::Cpu(v) => Storage::Cpu(cpu::sum(v, x.shape(), &reduction, divisor as f32)),
        Storage::Cuda(v) => Storage::Cuda(cuda::sum(v, x.shape(), &reduction, divisor as f32)),
    };
    let shape = reduction.reduced;
    record(Sum { kept: reduction.kept, divisor }, &[x], shape, storage)
}

/// The mean over `axes`, which the result lacks. x̄ repeats ȳ / n along `axes`. The mean of equal whole numbers whose
/// sum is below 2²⁴ is exactly that number; the mean of no values is NaN.
///
/// # Panics
/// If an axis is out of range or named twice.
#[track_caller]
pub fn mean(x: &Tensor, axes: &[usize]) -> Tensor {
    let reduction = Reduction::new("mean", x.shape(), axes);
    let lengths = x.dims().iter().zip(&reduction.over);
    let count: usize = lengths.filter(|(_, over)| **over).map(|(&n, _)| n).product();
    // Divided, not multiplied by 1 / n: as that is rounded, the mean of 41 sevens would not be 7.
    divided_sum(x, axes, count as f64)
}

/// The mean over every value.
#[track_caller]
pub(crate) fn mean_all(x: &Tensor) -> Tensor {
    let axes: Vec<usize> = (0..x.shape().rank()).collect();
    mean(x, &axes)
}

/// The sum of `x` over the axes along which broadcasting `shape` to the shape of `x` would repeat: the adjoint of
/// [`broadcast_to`](super::broadcast_to), which is its derivative rule.
///
/// # Panics
/// If `shape` doesn't broadcast to `x`'s shape.
#[track_caller]
pub fn sum_to(x: &Tensor, shape: Shape) -> Tensor {
    divided_sum_to(x, shape, 1.0)
}

/// [`sum_to`], divided by `divisor`: the adjoint of a broadcast that is divided.
#[track_caller]
pub(super) fn divided_sum_to(x: &Tensor, shape: Shape, divisor: f64) -> Tensor {
    assert!(shape.broadcast(x.shape()) == Some(x.shape()), "sum_to: {shape} doesn't broadcast to {}", x.shape());
    if x.shape() == shape {
        return divided(x, divisor);
    }
    let missing = x.shape().rank() - shape.rank();
    let repeated = |&axis: &usize| axis < missing || (shape.dims()[axis - missing] == 1 && x.dims()[axis] != 1);
    let axes: Vec<usize> = (0..x.shape().rank()).filter(repeated).collect();
    reshape(&divided_sum(x, &axes, divisor), shape)
}

/// The shapes of a reduction over some axes.
pub struct Reduction {
    /// True for each axis that is reduced.
    pub over: Vec<bool>,
    /// The shape of the result, without the reduced axes.
    pub reduced: Shape,
    /// The shape of the result with each reduced axis kept at length 1.
    pub kept: Shape,
}

impl Reduction {
    /// The reduction of a tensor of `shape` over `axes` by the op with the name `op`.
    ///
    /// # Panics
    /// If there is no such axis, or it is there twice.
    #[track_caller]
    pub fn new(op: &str, shape: Shape, axes: &[usize]) -> Reduction {
        let mut over = vec![false; shape.rank()];
        for &axis in axes {
            assert!(axis < shape.rank() && !over[axis], "{op}: axes {axes:?} of an input of shape {shape}");
            over[axis] = true;
        }
        let mut kept = shape;
        let mut reduced = Vec::new();
        for (axis, &length) in shape.dims().iter().enumerate() {
            if over[axis] {
                kept = kept.with_axis(axis, 1);
            } else {
                reduced.push(length);
            }
        }
        Reduction { over, reduced: Shape::new(&reduced), kept }
    }

    /// The axes, gathered into runs: each run of reduced axes as (outer, reduced, inner) lengths.
    /// Reducing them one after the other from the last, each a plain three-axis reduction, does the
    /// whole.
    pub fn runs(&self, shape: Shape) -> Vec<[usize; 3]> {
        let mut runs = Vec::new();
        let mut inner = 1;
        let mut axis = shape.rank();
        while axis > 0 {
            let end = axis;
            while axis > 0 && self.over[axis - 1] {
                axis -= 1;
            }
            if axis < end {
                let outer = shape.dims()[..axis].iter().product();
                runs.push([outer, shape.dims()[axis..end].iter().product(), inner]);
            }
            if axis > 0 {
                axis -= 1;
                inner *= shape.dims()[axis];
            }
        }
        runs
    }
}

struct Sum {
    kept: Shape,
    divisor: f64,
}

impl Op for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        let grad = reshape(grad, self.kept);
        vec![Some(divided_broadcast_to(&grad, call.input_shape(0), self.divisor))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Device;

    /// The values' sum is a whole number that f32 holds, and so is the mean: it must come out to the last bit.
    #[test]
    fn the_mean_of_equal_numbers_is_that_number() {
        for device in [Device::Reference, Device::Cpu] {
            for count in 1..=1000 {
                for value in [1.0, 7.0] {
                    let rows = mean(&Tensor::full(value, [2, count], device), &[1]);
                    let columns = mean(&Tensor::full(value, [count, 2], device), &[0]);
                    let all = mean(&Tensor::full(value, [count], device), &[0]);
                    let found = [rows.to_f64(), columns.to_f64(), all.to_f64()].concat();
                    assert_eq!(found, [value; 5], "{count} on {device}");
                }
            }
            assert!(mean(&Tensor::zeros([0], device), &[0]).to_f64()[0].is_nan());
        }
    }

    #[test]
    fn the_gradient_of_a_mean_is_divided_too() {
        let x = Tensor::ones([41], Device::Cpu).parameter();
        let grad = crate::grad(&mean(&x, &[0]), &[&x], false).remove(0);
        assert_eq!(grad.to_f32(), [1.0 / 41.0; 41]);
    }

    /// One after the other, 0.1 in f32 would be off by 1e-5 of the sum of 16,384 and by 1e-2 of that of the longest.
    #[test]
    fn rounding_errors_of_long_sums_are_bounded_whatever_the_axes() {
        const BOUND: f64 = 80.0 / 16_777_216.0;
        for (shape, axes) in [
            (&[20_000_000][..], &[0][..]),
            (&[3, 300_000], &[1]),
            (&[300_000, 3], &[0]),
            (&[1_000_000, 2], &[0]),
            (&[5000, 300], &[0]),
            (&[2, 100_000, 3], &[1]),
            (&[2000, 2, 300, 3], &[0, 2]),
            (&[30, 100, 100, 5], &[0, 1, 2]),
            (&[100_003], &[0]),
            (&[37, 1], &[0]),
        ] {
            let x = Tensor::full(0.1, shape, Device::Cpu);
            let exact = f64::from(0.1_f32);
            for found in mean(&x, axes).to_f64() {
                let error = found / exact - 1.0;
                assert!(error.abs() < BOUND, "{shape:?} over {axes:?}: {error:e}");
            }
        }
        let x = Tensor::full(0.1, [20_000_000], Device::Cpu);
        let found = mean(&x, &[0]).to_f64()[0];
        assert!((found - 0.1).abs() < 1e-7, "{found}");
    }
}
