//! In one pass, four values at a time.

use super::Slopes;
use crate::cuda::Buffer;
use crate::cuda::launch::Call;
use crate::ops::dropout::{Mask, cuda::with_mask};

// ANCHOR: leaky_relu
/// x where it is positive, `slope` · x elsewhere.
pub fn leaky_relu(x: &Buffer, slope: f32) -> Buffer {
    let mut y = x.like();
    let kernel = Call::new(x.context(), "leaky_relu", "leaky_relu_forward");
    let kernel = kernel.read(x).write(&mut y).value(x.len() as i32);
    kernel.value(slope).over(x.len().div_ceil(4));
    y
}
// ANCHOR_END: leaky_relu

/// The same, then dropout.
pub fn leaky_relu_dropout(x: &Buffer, slope: f32, mask: &Mask) -> Buffer {
    let mut y = x.like();
    let kernel = Call::new(x.context(), "leaky_relu", "leaky_relu_dropout");
    let kernel = kernel.read(x).write(&mut y).value(x.len() as i32);
    with_mask(kernel.value(slope), mask, x.context()).over(x.len().div_ceil(4));
    y
}

/// ȳ times the slope that y tells.
pub fn rectify_grad(y: &Buffer, grad: &Buffer, slopes: Slopes) -> Buffer {
    let mut x_grad = y.like();
    let kernel = Call::new(y.context(), "leaky_relu", "leaky_relu_grad");
    let kernel = kernel.read(y).read(grad).write(&mut x_grad);
    with_slopes(kernel.value(y.len() as i32), slopes).over(y.len().div_ceil(4));
    x_grad
}

/// `call` with the slopes as arguments.
pub fn with_slopes(call: Call, slopes: Slopes) -> Call {
    call.value(slopes.above as f32).value(slopes.below as f32).value(slopes.dropped as f32)
}
