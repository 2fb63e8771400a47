//! Arrays of one shape side by side along an axis of their own: [`reshape`](fn@reshape), then [`concat`](fn@concat).

use super::{concat, reshape};
use crate::shape::Shape;
use crate::tensor::Tensor;

/// `inputs` of one shape, one after the other along a new axis, which is then number `axis`: of three `[2, 5]` along 0 it is
/// `[3, 2, 5]`, along 2 `[2, 5, 3]`.
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
