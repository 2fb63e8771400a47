//! Whether ops are recorded. The library pauses that for the length of a call, Python for that of a `with` block: so each
//! thread counts the blocks that it is in.

use pyo3::prelude::*;
use std::cell::Cell;

thread_local! {
    static BLOCKS: Cell<usize> = const { Cell::new(0) };
}

/// Begins a block in which this thread records nothing.
#[pyfunction]
pub fn pause_recording() {
    BLOCKS.set(BLOCKS.get() + 1);
}

/// Ends such a block.
#[pyfunction]
pub fn resume_recording() {
    BLOCKS.set(BLOCKS.get().saturating_sub(1));
}

/// Whether this thread is in such a block.
pub fn is_paused() -> bool {
    BLOCKS.get() > 0
}

/// Runs `f`, recorded unless this thread is in such a block.
pub fn recorded_unless_paused<T>(f: impl FnOnce() -> T) -> T {
    match is_paused() {
        true => minimax::no_grad(f),
        false => f(),
    }
}
