//! A thread for each value of the result.

use crate::cuda::Buffer;
use crate::cuda::launch::Call;

/// `[n, classes]` of n labels.
pub fn one_hot(labels: &Buffer, classes: usize) -> Buffer {
    let mut y = Buffer::unspecified(labels.len() * classes, labels.context());
    let length = y.len();
    let call = Call::new(labels.context(), "one_hot", "one_hot").read(labels).write(&mut y);
    call.value(classes as i32).value(length as i32).over(length);
    y
}
