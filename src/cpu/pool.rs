//! The buffer pool. A training step asks for the same sizes again and again, so a buffer that is let go
//! waits here for the next one who asks, and after the first steps the system is asked for nothing.
//!
//! Sizes are rounded up to four classes per power of two (at most 25% is wasted). The last buffer
//! returned is the first handed out: it may still be in cache.

use std::collections::HashMap;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{LazyLock, Mutex, MutexGuard};

/// Where a buffer begins, in bytes: at a cache line, so that no vector lies across two.
const ALIGNMENT: usize = 64;

/// f32 values on loan from the pool; dropping it gives them back.
pub struct Buffer {
    values: Box<[f32]>,
    start: usize,
    len: usize,
}

impl Buffer {
    /// `len` values that hold whatever their last owner left: for kernels that write every one.
    pub fn unspecified(len: usize) -> Buffer {
        let class = size_class(len);
        let values = pool()
            .take(class)
            .unwrap_or_else(|| vec![0.0; class + ALIGNMENT / 4].into_boxed_slice());
        let start = values.as_ptr().align_offset(ALIGNMENT);
        Buffer { values, start, len }
    }

    /// `len` zeros.
    pub fn zeros(len: usize) -> Buffer {
        Buffer::full(len, 0.0)
    }

    /// `len` times `value`.
    pub fn full(len: usize, value: f32) -> Buffer {
        let mut buffer = Buffer::unspecified(len);
        buffer.fill(value);
        buffer
    }
}

impl From<&[f32]> for Buffer {
    fn from(values: &[f32]) -> Buffer {
        let mut buffer = Buffer::unspecified(values.len());
        buffer.copy_from_slice(values);
        buffer
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Buffer {
        Buffer::from(&**self)
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl Deref for Buffer {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.values[self.start..][..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[self.start..][..self.len]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.values);
        pool().give_back(values);
    }
}

/// What the pool has done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// Buffers asked of the system.
    pub allocations: u64,
    /// Buffers handed out again.
    pub reuses: u64,
    /// Bytes held, in use or waiting.
    pub bytes: usize,
}

/// The pool's counters: the test that a training loop stops allocating reads them.
pub fn stats() -> PoolStats {
    pool().stats
}

#[derive(Default)]
struct Pool {
    waiting: HashMap<usize, Vec<Box<[f32]>>>,
    stats: PoolStats,
}

impl Pool {
    fn take(&mut self, class: usize) -> Option<Box<[f32]>> {
        let found = self.waiting.get_mut(&class).and_then(Vec::pop);
        if found.is_some() {
            self.stats.reuses += 1;
        } else {
            self.stats.allocations += 1;
            self.stats.bytes += 4 * class;
        }
        found
    }

    fn give_back(&mut self, values: Box<[f32]>) {
        let class = values.len() - ALIGNMENT / 4;
        self.waiting.entry(class).or_default().push(values);
    }
}

fn pool() -> MutexGuard<'static, Pool> {
    static POOL: LazyLock<Mutex<Pool>> = LazyLock::new(Mutex::default);
    // A panic elsewhere can't leave the pool half-changed: every change is one push or pop.
    POOL.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// The length that a buffer of `len` values really has.
fn size_class(len: usize) -> usize {
    let len = len.max(64);
    let step = (len.next_power_of_two() / 8).max(16);
    len.next_multiple_of(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_classes_waste_at_most_a_quarter() {
        for len in (65..5000).chain([1 << 20, (1 << 20) + 1, 12_345_678]) {
            let class = size_class(len);
            assert!(
                class >= len && class <= len + len / 4 + 16,
                "{len} -> {class}"
            );
        }
    }

    #[test]
    fn a_returned_buffer_is_the_next_one_handed_out() {
        let len = 1_234_567; // a class that no other test uses
        let mut first = Buffer::zeros(len);
        first[0] = 5.0;
        let at = first.as_ptr();
        drop(first);
        let second = Buffer::unspecified(len - 1);
        assert_eq!(
            (second.as_ptr(), second[0], second.len()),
            (at, 5.0, len - 1)
        );
    }
}
