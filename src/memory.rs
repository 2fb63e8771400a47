//! What happens if the system has no memory left.
//!
//! Buffers of values are allocated by [`attempt`], which gives an [`Error::Memory`] if there is no memory for them.
//! Everything else is allocated by Rust's collections, which abort the process. A program that uses the library ends in
//! that way; the command, whose allocator is [`OneLine`], ends with a line and exit code 1.

use crate::error::Error;
use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    /// True within [`attempt`].
    static ATTEMPT: Cell<bool> = const { Cell::new(false) };
}

/// Calls `allocate`, which handles missing memory itself.
pub fn attempt<T>(allocate: impl FnOnce() -> T) -> T {
    let before = ATTEMPT.replace(true);
    let given = allocate();
    ATTEMPT.set(before);
    given
}

/// An allocator that ends the process with one line and exit code 1 if the allocator inside of it has no memory, except
/// within an [`attempt`].
pub struct OneLine<A>(pub A);

#[allow(unsafe_code)] // an allocator's interface
// SAFETY: it passes on what the other allocator gives.
unsafe impl<A: GlobalAlloc> GlobalAlloc for OneLine<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's.
        given(unsafe { self.0.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's.
        given(unsafe { self.0.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        // SAFETY: the caller's.
        given(unsafe { self.0.realloc(at, layout, bytes) }, bytes)
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's.
        unsafe { self.0.dealloc(at, layout) };
    }
}

fn given(at: *mut u8, bytes: usize) -> *mut u8 {
    if at.is_null() && !ATTEMPT.get() {
        end(bytes);
    }
    at
}

#[cold]
#[expect(clippy::disallowed_methods, reason = "there is nobody to give an error to")]
fn end(bytes: usize) -> ! {
    static ENDING: AtomicBool = AtomicBool::new(false);
    // Writing the line needs memory too, which there may not be.
    ATTEMPT.set(true);
    if ENDING.swap(true, Ordering::Relaxed) {
        // Another thread is already ending the process.
        loop {
            std::thread::park();
        }
    }
    let _ = writeln!(std::io::stderr(), "error: {}", Error::Memory { bytes });
    std::process::exit(1)
}
