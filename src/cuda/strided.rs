//! Copies between a strided view and contiguous memory: broadcast, permute, slice, pad and concat.

use super::buffer::Buffer;
use super::geometry::View;

/// to = the values of the view `from` into `values`, in order.
pub fn gather(values: &Buffer, from: View, to: &mut Buffer) {
    let n = to.len();
    let kernel = values.context().kernel("strided", "strided_gather");
    kernel
        .read(values)
        .value(from)
        .write(to)
        .value(n as i32)
        .over(n);
}
