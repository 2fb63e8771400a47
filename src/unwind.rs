//! What a device can't do (there is none, its memory is full, it is lost), on its way to whoever can say it.
//!
//! Ops return tensors, not results. So such an error unwinds to whoever called [`catch`], which gives it back as an
//! [`Error`]. Where nobody did, it is a panic like any other: its message is the error's.

use crate::{Error, Result};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

thread_local! {
    /// The calls of [`catch`] that this thread is in.
    static HERE: Cell<usize> = const { Cell::new(0) };
}

/// Those that any thread is in.
static ANYWHERE: AtomicUsize = AtomicUsize::new(0);

/// Errors on their way.
static UNWINDING: AtomicUsize = AtomicUsize::new(0);

/// How an error travels to [`catch`].
struct Unwinding(Option<Error>);

impl Unwinding {
    fn new(error: Error) -> Unwinding {
        UNWINDING.fetch_add(1, Ordering::Relaxed);
        Unwinding(Some(error))
    }
}

impl Drop for Unwinding {
    fn drop(&mut self) {
        UNWINDING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What `f` gives, or the error of a device that could not go on.
///
/// # Errors
/// Those of `f`, [`Error::Cuda`] and [`Error::Memory`].
pub fn catch<T>(f: impl FnOnce() -> Result<T>) -> Result<T> {
    let _inside = Inside::new();
    // What f leaves half-changed is dropped by whoever gets the error.
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|payload| match payload.downcast::<Unwinding>() {
        Ok(mut unwinding) => Err(unwinding.0.take().expect("it is taken here alone")),
        Err(panic) => resume_unwind(panic),
    })
}

/// Unwinds to [`catch`] with `error`; panics with its words where there is none.
#[track_caller]
pub(crate) fn unwind(error: Error) -> ! {
    // A thread of the pool works for whoever waits for it, who gets what it unwinds with.
    let by_others = rayon::current_thread_index().is_some() && ANYWHERE.load(Ordering::Relaxed) > 0;
    if HERE.get() > 0 || by_others {
        // Nothing is printed: that is the business of whoever gets the error.
        resume_unwind(Box::new(Unwinding::new(error)));
    }
    panic!("{error}")
}

/// Whether an error is on its way to [`catch`], on any thread.
pub(crate) fn is_on_its_way() -> bool {
    UNWINDING.load(Ordering::Relaxed) > 0
}

/// A call of [`catch`].
struct Inside;

impl Inside {
    fn new() -> Inside {
        HERE.set(HERE.get() + 1);
        ANYWHERE.fetch_add(1, Ordering::Relaxed);
        Inside
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        HERE.set(HERE.get() - 1);
        ANYWHERE.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost() -> Error {
        Error::Cuda { device: "cuda:0".into(), what: "lost; restart".into() }
    }

    #[test]
    fn an_error_is_caught_and_is_a_panic_with_its_words_where_nobody_catches_it() {
        let caught = catch(|| -> Result<()> { unwind(lost()) });
        assert_eq!(caught.unwrap_err().to_string(), "cuda:0: lost; restart");
        let panicked = catch_unwind(|| unwind(lost())).unwrap_err();
        assert_eq!(*panicked.downcast::<String>().unwrap(), "cuda:0: lost; restart");
    }

    #[test]
    fn what_a_thread_of_the_pool_meets_reaches_whoever_waits_for_it() {
        let caught = catch(|| {
            let (_, ()) = rayon::join(|| 1, || unwind(lost()));
            Ok(())
        });
        assert_eq!(caught.unwrap_err().to_string(), "cuda:0: lost; restart");
    }
}
