//! The devices that there are, each opened when it is first asked for.

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

/// How many CUDA devices there are.
///
/// # Errors
/// [`Error::Cuda`] with what is missing, if there are none.
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

/// Waits for every device in use to be done with what it was asked for. What fails is told by what comes next.
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

/// As [`open`]; what is wrong unwinds to [`catch`](super::catch).
///
/// # Panics
/// With what is wrong, where nobody catches it.
#[track_caller]
pub fn context(ordinal: usize) -> &'static Context {
    match open(ordinal) {
        Ok(context) => context,
        Err(error) => unwind(error),
    }
}
