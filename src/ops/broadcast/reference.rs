//! For every output index, drop the axes that x lacks and hold the axes of length 1 at 0.

use crate::shape::Shape;

// ANCHOR: broadcast
/// x, of shape `from`, stretched to `to`.
pub fn broadcast(x: &[f64], from: Shape, to: Shape) -> Vec<f64> {
    let missing = to.rank() - from.rank();
    let (to_strides, from_strides) = (to.strides(), from.strides());
    let source = |i: usize| {
        let mut at = 0;
        for (axis, &length) in from.dims().iter().enumerate() {
            let index = i / to_strides[missing + axis] % to.dims()[missing + axis];
            at += if length == 1 { 0 } else { index * from_strides[axis] };
        }
        at
    };
    (0..to.numel()).map(|i| x[source(i)]).collect()
}
// ANCHOR_END: broadcast
