//! The same values under another shape. The buffer is shared, so it costs nothing; x̄ is ȳ in x's shape.

use crate::autograd::{Call, Keeps, Op, record_shared};
use crate::shape::Shape;
use crate::tensor::Tensor;

/// The values of `x`, in order, as an array of `shape`; x̄ is ȳ in the shape of `x`.
///
/// # Panics
/// If `shape` doesn't hold as many values.
#[track_caller]
pub fn reshape(x: &Tensor, shape: impl Into<Shape>) -> Tensor {
    let shape = shape.into();
    assert!(shape.numel() == x.numel(), "reshape: {} values of shape {} don't fit {shape}", x.numel(), x.shape());
    record_shared(Reshape, &[x], shape, x.shared_storage())
}

struct Reshape;

impl Op for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn is_view(&self) -> bool {
        true
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(reshape(grad, call.input_shape(0)))]
    }
}
