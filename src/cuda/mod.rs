//! What CUDA launchers share: devices, memory, launches and captured graphs. It knows buffers and geometry,
//! never tensors; a kernel's launcher stands in its op's stem, `src/ops/<stem>/cuda.rs`.
//!
//! In reading order: [`driver`] is what a device is asked to do; [`nvidia`] asks a GPU, [`emulator`] runs the
//! same kernels on the processor, for tests; [`context`](mod@context) is a device in use, with its [`pool`] of memory;
//! [`buffer`] and [`launch`] are what launchers are written with, [`product`] those of matrix products; [`capture`] turns a training step into a
//! graph. [`ladder`] is apart: how a kernel becomes fast, rung by rung.

pub mod buffer;
pub mod capture;
pub mod columns;
pub mod context;
pub mod driver;
pub mod emulator;
pub mod geometry;
pub mod ladder;
pub mod launch;
pub mod modules;
pub mod nvidia;
pub mod pixels;
pub mod pool;
pub mod product;
pub mod strided;
pub mod tensors;

pub use buffer::Buffer;
pub use context::{Context, catch};

use crate::{Error, Result};
use emulator::Emulator;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

/// The devices that have been opened, by ordinal.
static OPEN: Mutex<Vec<(usize, &'static Context)>> = Mutex::new(Vec::new());

/// The emulated device, if there is to be one.
static EMULATED: OnceLock<Option<&'static Context>> = OnceLock::new();

fn emulated() -> Option<&'static Context> {
    let named = || std::env::var_os(emulator::FOLDER).map(|folder| emulate(Path::new(&folder)));
    *EMULATED.get_or_init(named)
}

fn emulate(folder: &Path) -> &'static Context {
    let driver = Box::new(Emulator::new(folder));
    Box::leak(Box::new(Context::new(0, driver)))
}

/// Makes `cuda` the emulated device, with the kernels in `folder`, as the environment variable
/// [`emulator::FOLDER`] does. Once a device has been used, this changes nothing.
pub fn use_emulator(folder: &Path) {
    EMULATED.get_or_init(|| Some(emulate(folder)));
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
        .map_err(|what| Error::Cuda {
            device: "cuda".into(),
            what: format!("{what}; use --device cpu"),
        })
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
    let driver = nvidia::Nvidia::open(ordinal).map_err(|what| Error::Cuda {
        device: device.clone(),
        what,
    })?;
    let context: &'static Context = Box::leak(Box::new(Context::new(ordinal, Box::new(driver))));
    open.push((ordinal, context));
    Ok(context)
}

/// As [`open`]; what is wrong unwinds to [`catch`].
pub fn context(ordinal: usize) -> &'static Context {
    open(ordinal).unwrap_or_else(|error| context::unwind(error))
}
