//! Bytes of pictures as numbers.

use super::buffer::Buffer;
use super::driver::Address;

/// What `table`, of 256 values, has for each of the bytes from address `bytes`, a multiple of 4, on.
pub fn to_floats(bytes: Address, table: &Buffer, len: usize) -> Buffer {
    let mut values = Buffer::unspecified(len, table.context());
    let kernel = table.context().kernel("pixels", "pixels_to_floats");
    kernel
        .value(bytes)
        .read(table)
        .write(&mut values)
        .value(len as i32)
        .over(len.div_ceil(4));
    values
}
