//! What goes wrong in the library, as Python's exceptions.

use minimax::unwind::catch;
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use std::any::Any;
use std::panic::{self, AssertUnwindSafe, catch_unwind, resume_unwind};

create_exception!(
    minimax,
    Error,
    PyException,
    "What can go wrong with a file, a recipe, a device or a check: one line that names the thing and what to do about it."
);

/// Has a panic say nothing by itself: its words are those of the exception that it becomes. It is about this module's
/// panics alone, which has a Rust runtime of its own.
pub fn quieten_panics() {
    panic::set_hook(Box::new(|_| {}));
}

/// An exception on its way through the library, from a Python function that it has called.
struct Raised(PyErr);

/// Unwinds with `error` to [`guarded`].
pub fn raise(error: PyErr) -> ! {
    resume_unwind(Box::new(Raised(error)))
}

/// What `f` gives. An error of the library is raised as [`Error`], a panic, as shapes that don't fit are, as `ValueError`.
pub fn guarded<T>(f: impl FnOnce() -> minimax::Result<T>) -> PyResult<T> {
    // What f leaves half-changed is its own, and dropped.
    match catch_unwind(AssertUnwindSafe(|| catch(f))) {
        Ok(given) => given.map_err(|error| Error::new_err(error.to_string())),
        Err(panic) => Err(exception(panic)),
    }
}

fn exception(panic: Box<dyn Any + Send>) -> PyErr {
    let panic = match panic.downcast::<Raised>() {
        Ok(raised) => return raised.0,
        Err(panic) => panic,
    };
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    PyValueError::new_err(text.unwrap_or("a panic without a message").to_string())
}
