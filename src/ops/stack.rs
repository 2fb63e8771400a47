//! Arrays of one shape side by side along a new axis: [`reshape`](fn@reshape), then [`concat`](fn@concat).

use super::{concat, reshape};
use crate::shape::Shape;
use crate::tensor::Tensor;

/// `inputs`, which all have one shape, side by side along a new axis, which becomes axis `axis` of the result: three
/// `[2, 5]` along axis 0 make `[3, 2, 5]`, along axis 2 `[2, 5, 3]`. The gradient of each is its part of ȳ.
///
/// # Panics
/// If there are none, their shapes differ, or the result has no such axis.
#[track_caller]
pub fn stack(inputs: &[&Tensor], axis: usize) -> Tensor {
    let shapes: Vec<Shape> = inputs.iter().map(|x| x.shape()).collect();
    let Some(first) = shapes.first() else {
        panic!("stack: no inputs");
    };
    assert!(shapes.iter().all(|shape| shape == first), "stack: shapes {shapes:?} must be one");
    assert!(axis <= first.rank(), "stack: axis {axis} of shapes {shapes:?}");
    let mut longer = first.dims().to_vec();
    longer.insert(axis, 1);
    let longer: Vec<Tensor> = inputs.iter().map(|x| reshape(x, &longer[..])).collect();
    concat(&longer.iter().collect::<Vec<_>>(), axis)
}
