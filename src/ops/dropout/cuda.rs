//! Four values for each block of random words, in the same pass as the product.

use super::Mask;
use crate::cuda::launch::Call;
use crate::cuda::{Buffer, Context, geometry};

/// Dropout of x.
pub fn dropout(x: &Buffer, mask: &Mask) -> Buffer {
    let mut y = x.like();
    let kernel = Call::new(x.context(), "dropout", "dropout_forward");
    let kernel = kernel.read(x).write(&mut y).value(x.len() as i32);
    with_mask(kernel, mask, x.context()).over(x.len().div_ceil(4));
    y
}

/// `call` with the arguments that tell a kernel what is dropped: scale, threshold and position.
pub fn with_mask(call: Call, mask: &Mask, context: &Context) -> Call {
    call.value(mask.scale() as f32).value(mask.threshold()).value(geometry::Position::new(mask.position, context))
}
