//! A warp for each row, or a thread for each column.

use crate::cuda::Buffer;
use crate::cuda::launch::{Call, THREADS};

/// Softmax along the middle axis of x `[outer, length, inner]`.
pub fn softmax(x: &Buffer, length: usize, inner: usize) -> Buffer {
    let mut y = x.like();
    if x.is_empty() {
        return y;
    }
    let sums = x.len() / length;
    let kernel = |name| Call::new(x.context(), "softmax", name).read(x);
    if inner == 1 {
        let call = kernel("softmax_rows").write(&mut y).value(sums as i32).value(length as i32);
        call.grid([sums.div_ceil(THREADS / 32), 1, 1], THREADS, 0);
    } else {
        let call = kernel("softmax_columns").write(&mut y).value(sums as i32);
        call.value(length as i32).value(inner as i32).over(sums);
    }
    y
}
