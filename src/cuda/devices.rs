//! The devices. Each is opened when it is first asked for.

use super::context::Context;
#[cfg(feature = "emulator")]
use super::driver::Driver;
use super::nvidia;
use crate::unwind::unwind;
use crate::{Error, Result};
use std::sync::{Mutex, OnceLock};

/// The devices that have been opened, by ordinal.
static OPEN: Mutex<Vec<(usize, &'static Context)>> = Mutex::new(Vec::new());

/// The emulated device, if there is to be one: that is tests' to say.
static EMULATED: OnceLock<Option<&'static Context>> = OnceLock::new();

/// Makes `cuda` the device that `driver` makes. Once a device has been used, this changes nothing.
#[cfg(feature = "emulator")]
pub(super) fn emulate(driver: impl FnOnce() -> Box<dyn Driver>) {
    EMULATED.get_or_init(|| Some(Box::leak(Box::new(Context::new(0, driver())))));
}

fn emulated() -> Option<&'static Context> {
    *EMULATED.get_or_init(|| None)
}

/// The number of CUDA devices.
///
/// # Errors
/// [`Error::Cuda`] that says what is missing, if there are none.
pub fn count() -> Result<usize> {
    if emulated().is_some() {
        return Ok(1);
    }
    static COUNT: OnceLock<std::result::Result<usize, String>> = OnceLock::new();
    COUNT
        .get_or_init(nvidia::count)
        .clone()
        .map_err(|what| Error::Cuda { device: "cuda".into(), what: format!("{what}; use --device cpu") })
}

/// Waits until every device in use has finished its queued work. Failures are reported by the next operation.
pub fn settle() {
    let open = OPEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let emulated = EMULATED.get().copied().flatten();
    for context in open.iter().map(|(_, context)| *context).chain(emulated) {
        let _ = context.driver().synchronize();
    }
}

/// Device `ordinal`, which is opened when it is first asked for.
///
/// # Errors
/// [`Error::Cuda`] if there is none, or it can't be used.
pub fn open(ordinal: usize) -> Result<&'static Context> {
    let device = format!("cuda:{ordinal}");
    let count = count()?;
    if ordinal >= count {
        let what = format!("there are {count} CUDA devices, counted from 0; choose another");
        return Err(Error::Cuda { device, what });
    }
    if let Some(context) = emulated() {
        return Ok(context);
    }
    let mut open = OPEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some((_, context)) = open.iter().find(|(which, _)| *which == ordinal) {
        return Ok(context);
    }
    let driver = nvidia::Nvidia::open(ordinal).map_err(|what| Error::Cuda { device: device.clone(), what })?;
    let context: &'static Context = Box::leak(Box::new(Context::new(ordinal, Box::new(driver))));
    open.push((ordinal, context));
    Ok(context)
}

/// As [`open`], but an error unwinds to [`catch`](super::catch).
///
/// # Panics
/// With the error's message, if there is no `catch`.
#[track_caller]
pub fn context(ordinal: usize) -> &'static Context {
    match open(ordinal) {
        Ok(context) => context,
        Err(error) => unwind(error),
    }
}
