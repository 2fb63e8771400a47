//! A CUDA device without a GPU, for tests (the cargo feature `emulator`, which `cargo test` switches on): the kernels'
//! own sources, compiled as C++ (kernels/emulation), run on the processor. It is slow, and checks everything that it
//! can.
//!
//! - Every launch must have as many arguments, of as many bytes, as the kernel's source.
//! - Around each buffer there are guard zones. Reading them gives NaN; writing them is detected after the launch.
//! - Threads and blocks run in the order that [`set_order`] chooses.
//! - While a graph is captured nothing runs, as on a GPU; a replay runs what was recorded.
//! - It can have little memory, or fail after some launches ([`MEMORY`], [`LAUNCHES`]).

#![allow(unsafe_code)]

use super::devices;
use super::driver::{Address, Driver, Executable, Failure, Function, Launch, Mark};
use libloading::{Library, Symbol};
use std::alloc::{Layout, alloc, dealloc};
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

/// The environment variable that names the folder of compiled kernels, `<stem>.so`.
pub const FOLDER: &str = "MINIMAX_CUDA_EMULATOR";

/// The environment variable with the bytes of device memory that there are; any number without it.
pub const MEMORY: &str = "MINIMAX_CUDA_EMULATOR_MEMORY";

/// The environment variable with the number of launches after which the device is lost; never without it.
pub const LAUNCHES: &str = "MINIMAX_CUDA_EMULATOR_LAUNCHES";

/// Values on either side of a buffer.
const GUARD: usize = 64;

/// What they hold: a NaN that no computation gives.
const GUARD_BITS: u32 = 0x7fd5_a5a5;

/// Device addresses are multiples of this.
const ALIGNMENT: usize = 256;

static ORDER: AtomicU64 = AtomicU64::new(0);

/// Makes `cuda` the emulated device, with the kernels in `folder`. Once a device has been used, this changes nothing.
///
/// # Safety
/// The folder's libraries are the project's kernels, compiled: their code runs.
pub unsafe fn start(folder: &Path) {
    // SAFETY: the caller's.
    devices::emulate(|| Box::new(unsafe { Emulator::new(folder) }));
}

/// [`start`] with the folder that the environment variable [`FOLDER`] names, if it names one.
pub fn start_if_named() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        // SAFETY: whoever set the variable says so. Nothing but what tests are made of calls this.
        unsafe { start(Path::new(&folder)) };
    }
}

/// Sets the order in which the threads of a block, and the blocks, run from now on: ascending for 0, else a random
/// order from this seed.
pub fn set_order(seed: u64) {
    ORDER.store(seed, Ordering::Relaxed);
}

/// A row of a module's table (kernels/emulation/emulation.h).
#[repr(C)]
struct Kernel {
    name: *const c_char,
    call: usize,
    sizes: *const usize,
    count: usize,
}

impl Kernel {
    fn name(&self) -> String {
        // SAFETY: the table's names are C strings that live as long as the library.
        unsafe { CStr::from_ptr(self.name) }.to_string_lossy().into_owned()
    }

    fn sizes(&self) -> &[usize] {
        // SAFETY: the table says how many there are.
        unsafe { std::slice::from_raw_parts(self.sizes, self.count) }
    }
}

type Find = unsafe extern "C" fn(*const c_char) -> *const Kernel;
type Run = unsafe extern "C" fn(*const Kernel, *const u32, *const u32, c_int, *mut *mut c_void, u64) -> *const c_char;

/// What a captured graph remembers.
enum Step {
    Launch { function: Function, launch: Launch, arguments: Vec<Vec<u64>> },
    Copy { to: Address, from: Address, bytes: usize },
}

#[derive(Default)]
struct State {
    /// Of each stem that has been used, its library and what runs its kernels.
    modules: HashMap<String, (Library, Run)>,
    runs: HashMap<usize, Run>,
    /// The bytes of each buffer.
    buffers: HashMap<Address, usize>,
    /// What has been remembered, while a graph is captured.
    capture: Option<Vec<Step>>,
    graphs: HashMap<usize, Vec<Step>>,
    /// Launches made.
    launches: u64,
}

/// The emulated device.
pub struct Emulator {
    folder: PathBuf,
    memory: usize,
    launches: u64,
    state: Mutex<State>,
}

impl Emulator {
    /// The device whose kernels are in `folder`.
    ///
    /// # Safety
    /// The folder's libraries are kernels that have been compiled as `emulation.h` says: their code runs.
    pub unsafe fn new(folder: &Path) -> Emulator {
        let number = |name| std::env::var(name).ok()?.parse().ok();
        Emulator {
            folder: folder.to_path_buf(),
            memory: number(MEMORY).unwrap_or(u64::MAX) as usize,
            launches: number(LAUNCHES).unwrap_or(u64::MAX),
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// The guard zones of a buffer of `bytes` at `at`.
fn guards(at: Address, bytes: usize) -> [*mut u32; 2] {
    let end = at as usize + bytes;
    [at as usize - 4 * GUARD, end].map(|zone| zone as *mut u32)
}

fn layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes + 2 * ALIGNMENT, ALIGNMENT).expect("a buffer fits into memory")
}

impl State {
    /// The row of the table of a loaded library that `function` is, if it is one of this device's.
    fn kernel(&self, function: Function) -> Option<&Kernel> {
        let known = self.runs.contains_key(&function.0);
        // SAFETY: what is known is a row, and its library stays loaded as long as the device is there.
        known.then(|| unsafe { &*(function.0 as *const Kernel) })
    }

    /// # Safety
    /// As for [`Driver::launch`].
    unsafe fn run(
        &mut self,
        most: u64,
        function: Function,
        launch: Launch,
        arguments: &mut [*mut c_void],
    ) -> Result<(), Failure> {
        if self.launches >= most {
            return Err(Failure::Other("the device is lost".into()));
        }
        self.launches += 1;
        let run = self.runs[&function.0];
        let kernel = self.kernel(function).expect("it has just been found");
        let shared = launch.shared as c_int;
        let order = ORDER.load(Ordering::Relaxed);
        let (grid, block) = (launch.grid.as_ptr(), launch.block.as_ptr());
        // SAFETY: the caller's.
        let failed = unsafe { run(kernel, grid, block, shared, arguments.as_mut_ptr(), order) };
        if !failed.is_null() {
            // SAFETY: a C string that lives until the next launch.
            let what = unsafe { CStr::from_ptr(failed) }.to_string_lossy();
            return Err(Failure::Other(format!("{}: {what}", kernel.name())));
        }
        for (&at, &bytes) in &self.buffers {
            for zone in guards(at, bytes) {
                // SAFETY: guard zones are part of their buffer's allocation.
                let zone = unsafe { std::slice::from_raw_parts(zone, GUARD) };
                if zone.iter().any(|&word| word != GUARD_BITS) {
                    let what = format!("{} writes beyond a buffer of {bytes} bytes", kernel.name());
                    return Err(Failure::Other(what));
                }
            }
        }
        Ok(())
    }
}

impl Driver for Emulator {
    fn name(&self) -> String {
        "emulated on the processor".into()
    }

    fn memory(&self) -> (usize, usize) {
        let held: usize = self.state().buffers.values().sum();
        (self.memory - held, self.memory)
    }

    /// A float, so that guard zones are right beside the values.
    fn granularity(&self) -> usize {
        4
    }

    fn allocate(&self, bytes: usize) -> Result<Address, Failure> {
        assert!(bytes.is_multiple_of(4), "buffers are of whole floats");
        if bytes > Driver::memory(self).0 {
            return Err(Failure::OutOfMemory);
        }
        // SAFETY: the layout is not empty.
        let start = unsafe { alloc(layout(bytes)) };
        if start.is_null() {
            return Err(Failure::OutOfMemory);
        }
        let at = start as Address + ALIGNMENT as Address;
        // New memory holds NaN as well.
        let words = GUARD + bytes / 4 + GUARD;
        // SAFETY: 256 bytes lie before `at`, as many after its end.
        unsafe {
            std::slice::from_raw_parts_mut((at as usize - 4 * GUARD) as *mut u32, words).fill(GUARD_BITS);
        }
        self.state().buffers.insert(at, bytes);
        Ok(at)
    }

    unsafe fn free(&self, at: Address) {
        let mut state = self.state();
        // A driver waits for the device first, which in a capture it may not.
        assert!(state.capture.is_none(), "freed in a captured graph");
        let bytes = state.buffers.remove(&at);
        drop(state);
        let bytes = bytes.expect("only buffers are freed");
        // SAFETY: `at` is ALIGNMENT bytes behind where the allocation starts.
        unsafe { dealloc((at as usize - ALIGNMENT) as *mut u8, layout(bytes)) };
    }

    fn function(&self, stem: &str, name: &str) -> Result<Function, Failure> {
        let mut state = self.state();
        let path = self.folder.join(format!("{stem}.so"));
        let missing = |error| Failure::Other(format!("{}: {error}", path.display()));
        if !state.modules.contains_key(stem) {
            // SAFETY: whoever made the device says that the folder holds compiled kernels.
            let library = unsafe { Library::new(&path) }.map_err(missing)?;
            // SAFETY: emulation.h defines it so.
            let run: Symbol<Run> = unsafe { library.get(b"launch_kernel") }.map_err(missing)?;
            let run = *run;
            state.modules.insert(stem.to_string(), (library, run));
        }
        let (library, run) = &state.modules[stem];
        let run = *run;
        // SAFETY: emulation.h defines it so.
        let find: Symbol<Find> = unsafe { library.get(b"find_kernel") }.map_err(missing)?;
        let symbol = CString::new(name).expect("a kernel's name has no zero byte");
        // SAFETY: the string ends in a zero byte.
        let kernel = unsafe { find(symbol.as_ptr()) };
        if kernel.is_null() {
            return Err(Failure::Other(format!("kernels/{stem}.cu has no {name}")));
        }
        state.runs.insert(kernel as usize, run);
        Ok(Function(kernel as usize))
    }

    unsafe fn launch(&self, function: Function, launch: Launch, arguments: &mut [*mut c_void]) -> Result<(), Failure> {
        let mut state = self.state();
        if state.capture.is_none() {
            // SAFETY: the caller's.
            return unsafe { state.run(self.launches, function, launch, arguments) };
        }
        let kernel = state.kernel(function).expect("a kernel of this device");
        // As CUDA does, the values of the arguments are remembered.
        let values = arguments.iter().zip(kernel.sizes());
        let values = values.map(|(&from, &bytes)| {
            let mut value = vec![0u64; bytes.div_ceil(8)];
            // SAFETY: the caller's: as many bytes as the kernel's type has.
            unsafe { std::ptr::copy_nonoverlapping(from.cast(), value.as_mut_ptr().cast::<u8>(), bytes) };
            value
        });
        let step = Step::Launch { function, launch, arguments: values.collect() };
        state.capture.as_mut().expect("checked").push(step);
        Ok(())
    }

    fn argument_sizes(&self, function: Function) -> Option<Vec<usize>> {
        let state = self.state();
        state.kernel(function).map(|kernel| kernel.sizes().to_vec())
    }

    unsafe fn upload(&self, to: Address, from: &[u8]) -> Result<(), Failure> {
        // SAFETY: the caller's.
        unsafe { self.upload_pinned(to, from.as_ptr(), from.len()) }
    }

    unsafe fn upload_pinned(&self, to: Address, from: *const u8, bytes: usize) -> Result<(), Failure> {
        if self.state().capture.is_some() {
            return Err(Failure::Other("values are uploaded in a captured graph".into()));
        }
        // SAFETY: the caller's; device addresses are addresses here.
        unsafe { std::ptr::copy_nonoverlapping(from, to as *mut u8, bytes) };
        Ok(())
    }

    unsafe fn download(&self, to: &mut [u8], from: Address) -> Result<(), Failure> {
        // SAFETY: the caller's.
        unsafe { self.download_pinned(to.as_mut_ptr(), to.len(), from) }
    }

    unsafe fn download_pinned(&self, to: *mut u8, bytes: usize, from: Address) -> Result<(), Failure> {
        if self.state().capture.is_some() {
            return Err(Failure::Other("values are read in a captured graph".into()));
        }
        // SAFETY: the caller's.
        unsafe { std::ptr::copy_nonoverlapping(from as *const u8, to, bytes) };
        Ok(())
    }

    unsafe fn copy(&self, to: Address, from: Address, bytes: usize) -> Result<(), Failure> {
        let mut state = self.state();
        match &mut state.capture {
            Some(steps) => steps.push(Step::Copy { to, from, bytes }),
            // SAFETY: the caller's.
            None => unsafe { std::ptr::copy(from as *const u8, to as *mut u8, bytes) },
        }
        Ok(())
    }

    fn allocate_pinned(&self, bytes: usize) -> Result<*mut u8, Failure> {
        // SAFETY: the layout is not empty.
        let start = unsafe { alloc(layout(bytes)) };
        match start.is_null() {
            true => Err(Failure::OutOfMemory),
            false => Ok(start),
        }
    }

    unsafe fn free_pinned(&self, at: *mut u8, bytes: usize) {
        // SAFETY: the caller's.
        unsafe { dealloc(at, layout(bytes)) };
    }

    fn mark(&self) -> Result<Mark, Failure> {
        Ok(Mark(0))
    }

    fn wait(&self, _: Mark) -> Result<(), Failure> {
        Ok(())
    }

    fn synchronize(&self) -> Result<(), Failure> {
        Ok(())
    }

    fn begin_capture(&self) -> Result<(), Failure> {
        self.state().capture = Some(Vec::new());
        Ok(())
    }

    fn end_capture(&self) -> Result<Executable, Failure> {
        let mut state = self.state();
        let steps = state.capture.take().expect("a capture has begun");
        let id = state.graphs.keys().max().map_or(0, |last| last + 1);
        state.graphs.insert(id, steps);
        Ok(Executable(id))
    }

    unsafe fn replay(&self, graph: &Executable) -> Result<(), Failure> {
        let mut state = self.state();
        let steps = std::mem::take(state.graphs.get_mut(&graph.0).expect("it was captured"));
        for step in &steps {
            match step {
                Step::Launch { function, launch, arguments } => {
                    let mut arguments: Vec<*mut c_void> =
                        arguments.iter().map(|value| value.as_ptr().cast_mut().cast()).collect();
                    // SAFETY: the caller's: what was live then is live still.
                    unsafe { state.run(self.launches, *function, *launch, &mut arguments) }?;
                }
                // SAFETY: likewise.
                &Step::Copy { to, from, bytes } => unsafe {
                    std::ptr::copy(from as *const u8, to as *mut u8, bytes);
                },
            }
        }
        state.graphs.insert(graph.0, steps);
        Ok(())
    }

    fn forget(&self, graph: Executable) {
        self.state().graphs.remove(&graph.0);
    }
}
