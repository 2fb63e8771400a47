//! A thread for each value of the result; what is shorter repeats along leading axes, or is stretched before.

use crate::cuda::Buffer;
use crate::cuda::launch::Call;
use crate::ops::broadcast::cuda::operand;
use crate::shape::Shape;

/// a where c is not 0, else b.
pub fn select(values: [&Buffer; 3], shapes: [Shape; 3], shape: Shape) -> Buffer {
    let mut y = Buffer::unspecified(shape.numel(), values[0].context());
    let operands = [0, 1, 2].map(|i| operand(values[i], shapes[i], shape));
    let kernel = Call::new(y.context(), "select", "select_forward");
    let call = operands.iter().fold(kernel, |call, values| call.read(values).value(values.len() as i32));
    let length = y.len();
    call.write(&mut y).value(length as i32).over(length);
    y
}
