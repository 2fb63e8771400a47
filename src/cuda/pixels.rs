//! Bytes of pictures as numbers.

use super::buffer::Buffer;
use super::launch::Call;

/// What `table`, of 256 values, has for each of the `len` bytes of `bytes` from `offset`, a multiple of 4, on.
///
/// # Panics
/// If there aren't as many, of either, or the two are on different devices.
pub fn to_floats(bytes: &Buffer, offset: usize, table: &Buffer, len: usize) -> Buffer {
    let there = (4 * bytes.len()).checked_sub(offset);
    assert!(
        table.len() == 256 && offset.is_multiple_of(4) && Some(len) <= there,
        "pixels: {len} bytes from {offset} on of {}, by a table of {}",
        4 * bytes.len(),
        table.len()
    );
    let mut values = Buffer::unspecified(len, table.context());
    let kernel = Call::new(table.context(), "pixels", "pixels_to_floats");
    kernel.read_from(bytes, offset).read(table).write(&mut values).value(len as i32).over(len.div_ceil(4));
    values
}
