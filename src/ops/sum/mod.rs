//! Sums and means over any axes: y = Σ x over `axes`, which the result lacks.
//!
//! The adjoint of a sum is a broadcast: x̄ repeats ȳ along the axes summed over.

mod cpu;
pub(super) mod cuda;
pub(super) mod reference;

use super::{broadcast_to, reshape};
use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::shape::Shape;
use crate::storage::Storage;
use crate::tensor::Tensor;

/// The sum over `axes`; the result lacks them. No axes: `x` itself.
///
/// # Panics
/// If an axis is out of range or named twice.
#[track_caller]
pub fn sum(x: &Tensor, axes: &[usize]) -> Tensor {
    let reduction = Reduction::new("sum", x.shape(), axes);
    if axes.is_empty() {
        return x.clone();
    }
    let _span = span("sum", || Cost::pass(x.numel() + reduction.reduced.numel()));
    let storage = match x.storage() {
        Storage::Reference(v) => Storage::Reference(reference::sum(v, x.shape(), &reduction)),
        Storage::Cpu(v) => Storage::Cpu(cpu::sum(v, x.shape(), &reduction)),
        Storage::Cuda(v) => Storage::Cuda(cuda::sum(v, x.shape(), &reduction)),
    };
    let shape = reduction.reduced;
    record(
        Sum {
            kept: reduction.kept,
        },
        &[x],
        shape,
        storage,
    )
}

/// The mean over `axes`; the result lacks them.
///
/// # Panics
/// If an axis is out of range or named twice.
#[track_caller]
pub fn mean(x: &Tensor, axes: &[usize]) -> Tensor {
    let reduction = Reduction::new("mean", x.shape(), axes);
    let lengths = x.dims().iter().zip(&reduction.over);
    let count: usize = lengths
        .filter(|(_, over)| **over)
        .map(|(&n, _)| n)
        .product();
    sum(x, axes) * (1.0 / count as f64)
}

/// The sum over what broadcasting `shape` to `x`'s shape would repeat: the adjoint of a broadcast.
///
/// # Panics
/// If `shape` doesn't broadcast to `x`'s shape.
#[track_caller]
pub fn sum_to(x: &Tensor, shape: Shape) -> Tensor {
    assert!(
        shape.broadcast(x.shape()) == Some(x.shape()),
        "sum_to: {shape} doesn't broadcast to {}",
        x.shape()
    );
    if x.shape() == shape {
        return x.clone();
    }
    let missing = x.shape().rank() - shape.rank();
    let repeated = |&axis: &usize| {
        axis < missing || (shape.dims()[axis - missing] == 1 && x.dims()[axis] != 1)
    };
    let axes: Vec<usize> = (0..x.shape().rank()).filter(repeated).collect();
    reshape(&sum(x, &axes), shape)
}

/// The shapes of a reduction over some axes.
pub(super) struct Reduction {
    /// True for each axis that is reduced.
    pub over: Vec<bool>,
    /// The shape of the result, without the reduced axes.
    pub reduced: Shape,
    /// The shape of the result with each reduced axis kept at length 1.
    pub kept: Shape,
}

impl Reduction {
    #[track_caller]
    pub fn new(op: &str, shape: Shape, axes: &[usize]) -> Reduction {
        let mut over = vec![false; shape.rank()];
        for &axis in axes {
            assert!(
                axis < shape.rank() && !over[axis],
                "{op}: axes {axes:?} of an input of shape {shape}"
            );
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
        Reduction {
            over,
            reduced: Shape::new(&reduced),
            kept,
        }
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
        vec![Some(broadcast_to(&grad, call.input_shape(0)))]
    }
}
