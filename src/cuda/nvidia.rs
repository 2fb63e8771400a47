//! NVIDIA's driver, found at run time by cudarc: one context, one stream that waits for no other.

#![allow(unsafe_code)]

use super::driver::{Address, Driver, Executable, Failure, Function, Launch, Mark};
use super::modules;
use cudarc::driver::result::{self, DriverError, ctx, device, event, module, stream};
use cudarc::driver::sys;
use std::collections::HashMap;
use std::ffi::{CString, c_void};
use std::sync::Mutex;

/// CUDA 12.4, whose PTX the embedded kernels are: driver 550 and later.
const NEEDED: i32 = 12040;

/// Device `ordinal` of NVIDIA's driver.
pub struct Nvidia {
    name: String,
    context: sys::CUcontext,
    stream: sys::CUstream,
    modules: Mutex<HashMap<String, usize>>,
}

// SAFETY: the driver's handles may be used from any thread; every call below makes the context that
// thread's own first.
unsafe impl Send for Nvidia {}
// SAFETY: likewise, and the driver's functions may be called at once.
unsafe impl Sync for Nvidia {}

/// How many devices there are.
///
/// # Errors
/// In words, if there is no driver, it is too old or it finds nothing.
pub fn count() -> Result<usize, String> {
    // Before anything else: without the library any other call would panic.
    // SAFETY: loads the driver's library, which is made to be loaded.
    if !unsafe { sys::is_culib_present() } {
        return Err("there is no NVIDIA driver (libcuda) on this machine".into());
    }
    result::init().map_err(|error| match error.0 {
        sys::CUresult::CUDA_ERROR_NO_DEVICE => "the NVIDIA driver finds no device".to_string(),
        _ => format!("the NVIDIA driver does not start: {}", words(error)),
    })?;
    let mut version = 0;
    // SAFETY: writes one int.
    unsafe { sys::cuDriverGetVersion(&mut version) }.result().map_err(words)?;
    if version < NEEDED {
        let found = format!("{}.{}", version / 1000, version % 1000 / 10);
        return Err(format!("the NVIDIA driver is for CUDA {found}; 12.4 (driver 550) or newer is needed"));
    }
    let count = device::get_count().map_err(words)?;
    match usize::try_from(count) {
        Ok(count) if count > 0 => Ok(count),
        _ => Err("the NVIDIA driver finds no device".into()),
    }
}

/// The driver's description of an error.
fn words(error: DriverError) -> String {
    let text = error.error_string().map(|text| text.to_string_lossy());
    text.map_or_else(|_| format!("{:?}", error.0), |text| text.into_owned())
}

fn failure(error: DriverError) -> Failure {
    match error.0 {
        sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY => Failure::OutOfMemory,
        _ => Failure::Other(words(error)),
    }
}

impl Nvidia {
    /// Opens device `ordinal`, one of [`count`].
    ///
    /// # Errors
    /// In words, if it is too old or can't be used.
    pub fn open(ordinal: usize) -> Result<Nvidia, String> {
        let device = device::get(ordinal as i32).map_err(words)?;
        let name = device::get_name(device).map_err(words)?;
        let attribute = |which| {
            // SAFETY: `device` is the driver's.
            unsafe { device::get_attribute(device, which) }.map_err(words)
        };
        use sys::CUdevice_attribute_enum as Attribute;
        let major = attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
        let minor = attribute(Attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
        if major < 8 {
            return Err(format!("{name} has compute capability {major}.{minor}; 8.0 (Ampere) or newer is needed"));
        }
        // SAFETY: the primary context is retained for as long as the process runs.
        let context = unsafe { result::primary_ctx::retain(device) }.map_err(words)?;
        // SAFETY: it has just been made.
        unsafe { ctx::set_current(context) }.map_err(words)?;
        let stream = stream::create(stream::StreamKind::NonBlocking).map_err(words)?;
        Ok(Nvidia { name, context, stream, modules: Mutex::default() })
    }

    /// Makes the context the calling thread's.
    fn enter(&self) -> Result<(), Failure> {
        // SAFETY: the context lives as long as the process.
        unsafe { ctx::set_current(self.context) }.map_err(failure)
    }

    // ANCHOR: module
    /// The module of kernels/`stem`.cu, loaded when it is first asked for.
    fn module(&self, stem: &str) -> Result<sys::CUmodule, Failure> {
        let mut modules = self.modules.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(&module) = modules.get(stem) {
            return Ok(module as sys::CUmodule);
        }
        let Some(ptx) = modules::ptx(stem) else {
            return Err(Failure::Other(format!("there are no kernels named {stem}")));
        };
        let text = CString::new(ptx).expect("PTX has no zero byte");
        // SAFETY: the text ends in a zero byte.
        let loaded = unsafe { module::load_data(text.as_ptr().cast()) }.map_err(|error| {
            Failure::Other(format!("the driver does not load kernels/ptx/{stem}.ptx: {}", words(error)))
        })?;
        modules.insert(stem.to_string(), loaded as usize);
        Ok(loaded)
    }
    // ANCHOR_END: module
}

impl Driver for Nvidia {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn memory(&self) -> (usize, usize) {
        match self.enter().map(|()| result::mem_get_info()) {
            Ok(Ok(memory)) => memory,
            _ => (0, 0),
        }
    }

    fn granularity(&self) -> usize {
        512
    }

    fn allocate(&self, bytes: usize) -> Result<Address, Failure> {
        self.enter()?;
        // SAFETY: asks for memory, and nothing more.
        unsafe { result::malloc_sync(bytes) }.map_err(failure)
    }

    unsafe fn free(&self, at: Address) {
        // At the end of the process the driver may be gone before us: then there is nothing to free.
        if self.enter().is_ok() {
            // SAFETY: the caller's. cuMemFree waits for the work that may still use it.
            let _ = unsafe { result::free_sync(at) };
        }
    }

    fn function(&self, stem: &str, name: &str) -> Result<Function, Failure> {
        self.enter()?;
        let module = self.module(stem)?;
        let symbol = CString::new(name).expect("a kernel's name has no zero byte");
        // SAFETY: the module is never unloaded.
        let function = unsafe { module::get_function(module, symbol) }.map_err(failure)?;
        // Beyond 48 KiB a kernel must be allowed its dynamic shared memory; this much every device of
        // compute capability 8.0 and later has, and kernels that declare some of their own ask for less.
        const SHARED: i32 = 96 * 1024;
        use sys::CUfunction_attribute_enum as Attribute;
        let which = Attribute::CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
        // SAFETY: the function has just been found. One that can't have as much keeps its 48 KiB.
        let _ = unsafe { result::function::set_function_attribute(function, which, SHARED) };
        Ok(Function(function as usize))
    }

    fn argument_sizes(&self, _: Function) -> Option<Vec<usize>> {
        None // the tests hold every launch to its kernel's source
    }

    unsafe fn launch(&self, function: Function, launch: Launch, arguments: &mut [*mut c_void]) -> Result<(), Failure> {
        self.enter()?;
        let [gx, gy, gz] = launch.grid;
        let [bx, by, bz] = launch.block;
        // SAFETY: the function came from this driver; its arguments are the caller's.
        unsafe {
            result::launch_kernel(
                function.0 as sys::CUfunction,
                (gx, gy, gz),
                (bx, by, bz),
                launch.shared,
                self.stream,
                arguments,
            )
        }
        .map_err(failure)
    }

    unsafe fn upload(&self, to: Address, from: &[u8]) -> Result<(), Failure> {
        self.enter()?;
        // SAFETY: the caller's. Memory that isn't pinned is mostly staged before the call returns, but nowhere is
        // that promised: the wait makes sure.
        unsafe { result::memcpy_htod_async(to, from, self.stream) }.map_err(failure)?;
        self.synchronize()
    }

    unsafe fn upload_pinned(&self, to: Address, from: *const u8, bytes: usize) -> Result<(), Failure> {
        self.enter()?;
        // SAFETY: the caller's.
        unsafe { sys::cuMemcpyHtoDAsync_v2(to, from.cast(), bytes, self.stream) }.result().map_err(failure)
    }

    unsafe fn download(&self, to: &mut [u8], from: Address) -> Result<(), Failure> {
        self.enter()?;
        // SAFETY: the caller's; the wait makes sure that the bytes have come.
        unsafe { result::memcpy_dtoh_async(to, from, self.stream) }.map_err(failure)?;
        self.synchronize()
    }

    unsafe fn download_pinned(&self, to: *mut u8, bytes: usize, from: Address) -> Result<(), Failure> {
        self.enter()?;
        // SAFETY: the caller's.
        unsafe { sys::cuMemcpyDtoHAsync_v2(to.cast(), from, bytes, self.stream) }.result().map_err(failure)
    }

    unsafe fn copy(&self, to: Address, from: Address, bytes: usize) -> Result<(), Failure> {
        self.enter()?;
        // SAFETY: the caller's.
        unsafe { result::memcpy_dtod_async(to, from, bytes, self.stream) }.map_err(failure)
    }

    fn allocate_pinned(&self, bytes: usize) -> Result<*mut u8, Failure> {
        self.enter()?;
        // SAFETY: asks for memory, and nothing more.
        let at = unsafe { result::malloc_host(bytes, 0) }.map_err(failure)?;
        Ok(at.cast())
    }

    unsafe fn free_pinned(&self, at: *mut u8, _: usize) {
        if self.enter().is_ok() {
            // SAFETY: the caller's.
            let _ = unsafe { result::free_host(at.cast()) };
        }
    }

    fn mark(&self) -> Result<Mark, Failure> {
        self.enter()?;
        let event = event::create(sys::CUevent_flags::CU_EVENT_DISABLE_TIMING).map_err(failure)?;
        // SAFETY: both have been made by this driver.
        unsafe { event::record(event, self.stream) }.map_err(failure)?;
        Ok(Mark(event as usize))
    }

    fn wait(&self, mark: Mark) -> Result<(), Failure> {
        self.enter()?;
        let event = mark.0 as sys::CUevent;
        // SAFETY: the event is one of ours, which nobody else has.
        let reached = unsafe { event::synchronize(event) };
        // SAFETY: likewise; this is its end.
        let _ = unsafe { event::destroy(event) };
        reached.map_err(failure)
    }

    fn synchronize(&self) -> Result<(), Failure> {
        self.enter()?;
        // SAFETY: the stream lives as long as the process.
        unsafe { stream::synchronize(self.stream) }.map_err(failure)
    }

    fn begin_capture(&self) -> Result<(), Failure> {
        self.enter()?;
        // Relaxed: memory may be asked for while a graph is captured.
        let mode = sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_RELAXED;
        // SAFETY: the stream lives as long as the process.
        unsafe { stream::begin_capture(self.stream, mode) }.map_err(failure)
    }

    fn end_capture(&self) -> Result<Executable, Failure> {
        self.enter()?;
        // SAFETY: a capture has begun on this stream.
        let graph = unsafe { stream::end_capture(self.stream) }.map_err(failure)?;
        let mut executable = std::ptr::null_mut();
        // SAFETY: the graph has just been made; it is done with once an executable one is.
        let made = unsafe {
            let made = sys::cuGraphInstantiateWithFlags(&mut executable, graph, 0).result();
            let _ = result::graph::destroy(graph);
            made
        };
        made.map_err(failure)?;
        Ok(Executable(executable as usize))
    }

    unsafe fn replay(&self, graph: &Executable) -> Result<(), Failure> {
        self.enter()?;
        // SAFETY: the graph is one of ours; what its launches touch is the caller's.
        unsafe { result::graph::launch(graph.0 as sys::CUgraphExec, self.stream) }.map_err(failure)
    }

    fn forget(&self, graph: Executable) {
        if self.enter().is_ok() {
            // SAFETY: the graph is one of ours, which nobody else has.
            let _ = unsafe { result::graph::exec_destroy(graph.0 as sys::CUgraphExec) };
        }
    }
}
