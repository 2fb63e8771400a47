//! The pool of buffers. A training step needs the same sizes again and again, so the memory of a freed buffer stays
//! here for the next ones (see `arena.rs`), and after the first steps the system is asked for no more memory.

mod arena;

use crate::error::Error;
use crate::unwind::unwind;
use arena::{Arena, Stretch};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::{LazyLock, Mutex, MutexGuard};

/// f32 values on loan from the pool; dropping it gives them back.
pub struct Buffer {
    first: NonNull<f32>,
    len: usize,
    stretch: Stretch,
}

// SAFETY: whoever has the buffer has its values, as with a box.
#[allow(unsafe_code)]
unsafe impl Send for Buffer {}
// SAFETY: a shared buffer is only read.
#[allow(unsafe_code)]
unsafe impl Sync for Buffer {}

impl Buffer {
    /// `len` values that have whatever their last owner left, for kernels that write every one.
    ///
    /// # Panics
    /// If the system has no memory for them; within [`catch`](crate::unwind::catch) that is an
    /// [`Error::Memory`] instead.
    #[track_caller]
    pub fn unspecified(len: usize) -> Buffer {
        let Some((stretch, first)) = pool().take(len) else {
            let bytes = len.saturating_mul(size_of::<f32>());
            unwind(Error::Memory { bytes });
        };
        Buffer { first, len, stretch }
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
        // SAFETY: the arena lends a stretch of at least `len` values, each some f32, to this buffer alone.
        #[allow(unsafe_code)]
        unsafe {
            std::slice::from_raw_parts(self.first.as_ptr(), self.len)
        }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above.
        #[allow(unsafe_code)]
        unsafe {
            std::slice::from_raw_parts_mut(self.first.as_ptr(), self.len)
        }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        pool().give_back(self.stretch);
    }
}

/// The counters of the pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// How many times the system was asked for memory.
    pub allocations: u64,
    /// The bytes of all segments, in use or free.
    pub held: usize,
    /// The bytes in use.
    pub used: usize,
    /// The most bytes that were in use at once.
    pub most_used: usize,
}

/// The pool's counters: the test that a training loop stops allocating reads them.
pub fn stats() -> PoolStats {
    pool().stats
}

/// Returns wholly unused segments to the system.
pub fn release() {
    pool().release();
}

#[derive(Default)]
struct Pool {
    arena: Arena,
    stats: PoolStats,
}

impl Pool {
    /// Room for `len` values, the system's if need be; none if it has no memory for them.
    fn take(&mut self, len: usize) -> Option<(Stretch, NonNull<f32>)> {
        let taken = self.arena.take(len).or_else(|| {
            self.grow(len)?;
            self.arena.take(len)
        })?;
        let stats = &mut self.stats;
        stats.used += taken.0.bytes();
        stats.most_used = stats.most_used.max(stats.used);
        Some(taken)
    }

    /// Asks the system for room for `len` values, and once more after it has been given back what is free.
    fn grow(&mut self, len: usize) -> Option<()> {
        let bytes = self.arena.grow(len).or_else(|| {
            self.release();
            self.arena.grow(len)
        })?;
        self.stats.allocations += 1;
        self.stats.held += bytes;
        Some(())
    }

    fn release(&mut self) {
        self.stats.held -= self.arena.release();
    }

    fn give_back(&mut self, stretch: Stretch) {
        self.stats.used -= stretch.bytes();
        self.arena.give_back(stretch);
    }
}

fn pool() -> MutexGuard<'static, Pool> {
    static POOL: LazyLock<Mutex<Pool>> = LazyLock::new(Mutex::default);
    // What a panic elsewhere unwinds through leaves the arena as it was: no call of it is ever left halfway.
    POOL.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unwind::catch;

    #[test]
    fn what_no_memory_holds_is_an_error_and_the_pool_goes_on() {
        for len in [1 << 45, usize::MAX / 2, usize::MAX] {
            let asked = catch(|| Ok(Buffer::unspecified(len)));
            let error = asked.unwrap_err().to_string();
            assert!(error.starts_with("no memory for ") && !error.contains('\n'), "{error}");
        }
        assert_eq!(Buffer::full(70, 2.0)[69], 2.0);
    }
}
