//! The buffer pool. A training step asks for the same sizes again and again, so a buffer that is let go
//! waits here for the next one who asks, and after the first steps the system is asked for nothing.
//!
//! Sizes are rounded up to four classes per power of two (at most 25% is wasted). The last buffer
//! returned is the first handed out: it may still be in cache.

use crate::error::Error;
use crate::memory::attempt;
use crate::unwind::unwind;
use bytemuck::allocation::try_zeroed_slice_box;
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
    ///
    /// # Panics
    /// If the system has no memory for them; within [`catch`](crate::unwind::catch) that is an
    /// [`Error::Memory`] instead.
    #[track_caller]
    pub fn unspecified(len: usize) -> Buffer {
        let Some(values) = asked_for(len) else {
            let bytes = len.saturating_mul(size_of::<f32>());
            unwind(Error::Memory { bytes });
        };
        let start = values.as_ptr().align_offset(ALIGNMENT);
        Buffer { values, start, len }
    }

    /// `len` zeros.
    #[track_caller]
    pub fn zeros(len: usize) -> Buffer {
        Buffer::full(len, 0.0)
    }

    /// `len` times `value`.
    #[track_caller]
    pub fn full(len: usize, value: f32) -> Buffer {
        let mut buffer = Buffer::unspecified(len);
        buffer.fill(value);
        buffer
    }
}

impl From<&[f32]> for Buffer {
    #[track_caller]
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

/// Values for a buffer of `len`, from the pool or else from the system; none if it has no memory for them, even
/// after it has been given back what waits here.
fn asked_for(len: usize) -> Option<Box<[f32]>> {
    let class = size_class(len)?;
    if let Some(values) = pool().take(class) {
        return Some(values);
    }
    let zeros = || attempt(|| try_zeroed_slice_box(class + ALIGNMENT / 4).ok());
    let values = zeros().or_else(|| {
        release();
        zeros()
    })?;
    pool().count(class);
    Some(values)
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

/// Gives what waits here back to the system: for when other sizes are about to be asked for.
pub fn release() {
    let mut pool = pool();
    for (class, buffers) in std::mem::take(&mut pool.waiting) {
        pool.stats.bytes -= 4 * class * buffers.len();
    }
}

#[derive(Default)]
struct Pool {
    waiting: HashMap<usize, Vec<Box<[f32]>>>,
    stats: PoolStats,
}

impl Pool {
    fn take(&mut self, class: usize) -> Option<Box<[f32]>> {
        let found = self.waiting.get_mut(&class).and_then(Vec::pop);
        self.stats.reuses += u64::from(found.is_some());
        found
    }

    /// Counts what was asked of the system.
    fn count(&mut self, class: usize) {
        self.stats.allocations += 1;
        self.stats.bytes += 4 * class;
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

/// The length that a buffer of `len` values really has; none if no memory could hold it.
fn size_class(len: usize) -> Option<usize> {
    let len = len.max(64);
    let step = (len.checked_next_power_of_two()? / 8).max(16);
    let class = len.checked_next_multiple_of(step)?;
    (class <= isize::MAX as usize / 8).then_some(class)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unwind::catch;

    #[test]
    fn size_classes_waste_at_most_a_quarter() {
        for len in (65..5000).chain([1 << 20, (1 << 20) + 1, 12_345_678]) {
            let class = size_class(len).unwrap();
            assert!(class >= len && class <= len + len / 4 + 16, "{len} -> {class}");
        }
    }

    #[test]
    fn what_no_memory_holds_is_an_error_and_the_pool_goes_on() {
        for len in [1 << 45, usize::MAX / 2, usize::MAX] {
            let asked = catch(|| Ok(Buffer::unspecified(len)));
            let error = asked.unwrap_err().to_string();
            assert!(error.starts_with("no memory for ") && !error.contains('\n'), "{error}");
        }
        assert_eq!(Buffer::full(70, 2.0)[69], 2.0);
    }

    #[test]
    fn a_returned_buffer_is_the_next_one_handed_out() {
        let len = 1_234_567; // a class that no other test uses
        let mut first = Buffer::zeros(len);
        first[0] = 5.0;
        let at = first.as_ptr();
        drop(first);
        let second = Buffer::unspecified(len - 1);
        assert_eq!((second.as_ptr(), second[0], second.len()), (at, 5.0, len - 1));
    }
}
