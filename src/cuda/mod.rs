//! What CUDA launchers share: devices, memory, launches and captured graphs. It knows buffers and geometry,
//! never tensors; a kernel's launcher stands in its op's stem, `src/ops/<stem>/cuda.rs`.
//!
//! In reading order: [`driver`] is what a device is asked to do; `nvidia` asks a GPU, `emulator` runs the same kernels on
//! the processor, for tests; `context` is a device in use, with its `pool` of memory; `buffer` and `launch` are what
//! launchers are written with, `product` those of matrix products; [`capture`] turns a training step into a graph.
//! [`ladder`] is apart: how a kernel becomes fast, rung by rung.
//!
//! A launch can't be checked: what a kernel is given must be right. So what makes launches is private to the crate, and
//! what is public checks what it takes.

pub(crate) mod buffer;
pub mod capture;
pub(crate) mod columns;
pub(crate) mod context;
pub mod driver;
#[cfg(feature = "emulator")]
pub mod emulator;
pub(crate) mod geometry;
pub mod ladder;
pub(crate) mod launch;
pub(crate) mod modules;
pub(crate) mod nvidia;
pub(crate) mod pixels;
pub(crate) mod pool;
pub(crate) mod product;
pub(crate) mod strided;
pub(crate) mod tensors;

pub use crate::unwind::catch;
pub use buffer::Buffer;
pub use context::Context;

use crate::unwind::unwind;
use crate::{Error, Result};
use std::sync::{Mutex, OnceLock};

/// The devices that have been opened, by ordinal.
static OPEN: Mutex<Vec<(usize, &'static Context)>> = Mutex::new(Vec::new());

/// The emulated device, if there is to be one: that is tests' to say.
static EMULATED: OnceLock<Option<&'static Context>> = OnceLock::new();

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

/// As [`open`]; what is wrong unwinds to [`catch`].
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
