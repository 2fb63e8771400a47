//! A thread for each value of the result.

use crate::cuda::Buffer;
use crate::cuda::launch::Call;

/// The rows of `table` `[rows, width]` that `indices` name.
pub fn gather(table: &Buffer, indices: &Buffer, [rows, width]: [usize; 2]) -> Buffer {
    let mut y = Buffer::unspecified(indices.len() * width, table.context());
    let length = y.len();
    let call = Call::new(table.context(), "gather", "gather_rows").read(table).read(indices).write(&mut y);
    call.value(rows as i32).value(width as i32).value(length as i32).over(length);
    y
}

/// The sums `[rows, width]` of the rows of `values` that `indices` give one number.
pub fn scatter_add(values: &Buffer, indices: &Buffer, [rows, width]: [usize; 2]) -> Buffer {
    let mut sums = Buffer::unspecified(rows * width, values.context());
    let (count, length) = (indices.len(), sums.len());
    let call = Call::new(values.context(), "gather", "gather_scatter_add").read(values).read(indices).write(&mut sums);
    call.value(count as i32).value(width as i32).value(length as i32).over(length);
    sums
}
