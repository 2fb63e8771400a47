//! Buffers that begin with one value.

use super::buffer::Buffer;
use super::context::Context;
use super::launch::Call;

impl Buffer {
    /// `len` times `value`.
    #[track_caller]
    pub fn full(len: usize, value: f32, context: &'static Context) -> Buffer {
        let mut buffer = Buffer::unspecified(len, context);
        Call::new(context, "fill", "fill_value").write(&mut buffer).value(len as i32).value(value).over(len);
        buffer
    }
}
