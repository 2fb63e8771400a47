//! A warp for each row, or a thread for each column.

use crate::cuda::Buffer;
use crate::cuda::launch::{Call, THREADS};

/// The index along the middle axis of the largest of x `[outer, length, inner]`.
pub fn argmax(x: &Buffer, length: usize, inner: usize) -> Buffer {
    let results = x.len() / length;
    let mut y = Buffer::unspecified(results, x.context());
    let kernel = |name| Call::new(x.context(), "argmax", name).read(x);
    if inner == 1 {
        let call = kernel("argmax_rows").write(&mut y).value(results as i32).value(length as i32);
        call.grid([results.div_ceil(THREADS / 32), 1, 1], THREADS, 0);
    } else {
        let call = kernel("argmax_columns").write(&mut y).value(results as i32);
        call.value(length as i32).value(inner as i32).over(results);
    }
    y
}
