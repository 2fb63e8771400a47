//! Errors of a device (it doesn't exist, its memory is full, it is lost) on their way to code that can report them.
//!
//! Ops return tensors, not results. So such an error unwinds to the caller of [`catch`], which returns it as an
//! [`Error`]. Without a [`catch`] it is a panic like any other, with the error's message.

use crate::{Error, Result};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

thread_local! {
    /// The number of calls of [`catch`] that this thread is in.
    static HERE: Cell<usize> = const { Cell::new(0) };
}

/// The number of calls that any thread is in.
static ANYWHERE: AtomicUsize = AtomicUsize::new(0);

/// The number of errors on their way.
static UNWINDING: AtomicUsize = AtomicUsize::new(0);

/// The payload that carries an error to [`catch`].
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

/// The result of `f`, or the error of a device that could not go on.
///
/// ```
/// use minimax::unwind::catch;
/// use minimax::{Device, Tensor};
///
/// let sum = catch(|| Ok(Tensor::ones([3], Device::Cpu).sum(..).item()))?;
/// assert_eq!(sum, 3.0);
/// # Ok::<(), minimax::Error>(())
/// ```
///
/// # Errors
/// Those of `f`, [`Error::Cuda`] and [`Error::Memory`].
pub fn catch<T>(f: impl FnOnce() -> Result<T>) -> Result<T> {
    let _inside = Inside::new();
    // The code that gets the error drops what f leaves half-changed.
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|payload| match payload.downcast::<Unwinding>() {
        Ok(mut unwinding) => Err(unwinding.0.take().expect("it is taken here alone")),
        Err(panic) => resume_unwind(panic),
    })
}

/// Unwinds to [`catch`] with `error`; without one, panics with the error's message.
#[track_caller]
pub(crate) fn unwind(error: Error) -> ! {
    // A thread of the pool works for another thread that waits for it, and that gets the payload.
    let by_others = rayon::current_thread_index().is_some() && ANYWHERE.load(Ordering::Relaxed) > 0;
    if HERE.get() > 0 || by_others {
        // Nothing is printed, as the code that gets the error reports it.
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
