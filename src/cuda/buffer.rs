//! f32 values in device memory.

#![allow(unsafe_code)]

use super::context::Context;
use super::driver::Address;
use super::pool::Arena;
use std::fmt;

/// The most values of a buffer, as kernels count in 32 bits.
pub const MAX_LENGTH: usize = 1 << 30;

/// f32 values in device memory, on loan from the device's pool; dropping it gives them back.
pub struct Buffer {
    context: &'static Context,
    at: Address,
    len: usize,
    /// Its size in the pool.
    bytes: usize,
    arena: Arena,
}

impl Buffer {
    /// `len` values that have whatever their last owner left, for kernels that write every one.
    #[track_caller]
    pub fn unspecified(len: usize, context: &'static Context) -> Buffer {
        if len > MAX_LENGTH {
            context.fail(format!("a tensor of {len} values; kernels count to {MAX_LENGTH}, lower the batch size"));
        }
        let (at, bytes, arena) = match len {
            0 => (0, 0, 0),
            _ => context.take(4 * len),
        };
        Buffer { context, at, len, bytes, arena }
    }

    /// As many values as `self`, on the same device.
    #[track_caller]
    pub fn like(&self) -> Buffer {
        Buffer::unspecified(self.len, self.context)
    }

    /// A copy of `values`.
    #[track_caller]
    pub fn from_slice(values: &[f32], context: &'static Context) -> Buffer {
        let mut buffer = Buffer::unspecified(values.len(), context);
        buffer.upload(values);
        buffer
    }

    /// `bytes`, four in the space of a value, for kernels that read bytes.
    #[track_caller]
    pub fn from_bytes(bytes: &[u8], context: &'static Context) -> Buffer {
        let buffer = Buffer::unspecified(bytes.len().div_ceil(4), context);
        if !bytes.is_empty() {
            // SAFETY: the buffer has as many bytes.
            context.hold(unsafe { context.driver().upload(buffer.at, bytes) });
        }
        buffer
    }

    /// Overwrites the first values with `values`.
    ///
    /// # Panics
    /// If there are more of them.
    #[track_caller]
    pub fn upload(&mut self, values: &[f32]) {
        assert!(values.len() <= self.len, "upload: too many values");
        let bytes: &[u8] = bytemuck::cast_slice(values);
        if !bytes.is_empty() {
            // SAFETY: the buffer has as many bytes.
            self.context.hold(unsafe { self.context.driver().upload(self.at, bytes) });
        }
    }

    /// Overwrites the values with those of `from`, on the device.
    ///
    /// # Panics
    /// If the lengths differ, or `from` is on another device.
    #[track_caller]
    pub fn copy_from(&mut self, from: &Buffer) {
        assert!(
            self.len == from.len && std::ptr::eq(self.context, from.context),
            "copy_from: {} values on cuda:{} for {} on cuda:{}",
            from.len,
            from.context.ordinal(),
            self.len,
            self.context.ordinal()
        );
        if self.len > 0 {
            self.context.note(&[self.at, from.at]);
            // SAFETY: both have as many bytes.
            let copied = unsafe { self.context.driver().copy(self.at, from.at, 4 * self.len) };
            self.context.hold(copied);
        }
    }

    /// A copy of the values; it waits for all queued work of the device.
    #[track_caller]
    pub fn to_vec(&self) -> Vec<f32> {
        let mut values = vec![0.0f32; self.len];
        if self.len > 0 {
            let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut values);
            // SAFETY: the buffer has as many bytes.
            self.context.hold(unsafe { self.context.driver().download(bytes, self.at) });
        }
        values
    }

    /// The number of values.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Where they are.
    pub(crate) fn address(&self) -> Address {
        self.at
    }

    /// The context that owns their memory.
    pub fn context(&self) -> &'static Context {
        self.context
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Buffer {
        let mut buffer = self.like();
        buffer.copy_from(self);
        buffer
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_vec().fmt(f)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.context.give_back(self.at, self.bytes, self.arena);
        }
    }
}
