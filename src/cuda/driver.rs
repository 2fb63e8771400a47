//! The interface to a CUDA device. It has two implementations: `nvidia`, through NVIDIA's driver, and, for tests,
//! `emulator`, which runs the same kernels on the processor.
//!
//! There is one stream: launches and copies happen in the order in which they are queued. An address is plain device
//! memory; `pool` keeps track of its owners.

use std::ffi::c_void;
use std::fmt;

/// An address in device memory, or 0.
pub type Address = u64;

/// A kernel that has been loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Function(pub(super) usize);

/// A captured graph that has been made ready to be launched.
#[derive(Debug, PartialEq, Eq)]
pub struct Executable(pub(super) usize);

/// How a kernel is launched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Blocks along x, y and z.
    pub grid: [u32; 3],
    /// Threads of a block along x, y and z.
    pub block: [u32; 3],
    /// Bytes of shared memory a block gets, besides what the kernel declares.
    pub shared: u32,
}

/// Why something could not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is not enough device memory.
    OutOfMemory,
    /// Anything else, in the driver's words.
    Other(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::OutOfMemory => f.write_str("out of memory"),
            Failure::Other(what) => f.write_str(what),
        }
    }
}

/// A device and its stream. Callers must give it addresses of live memory that is long enough, and arguments of the
/// kernel's types.
#[allow(unsafe_code)] // declared here, called by `Context` and the buffers, which know what is live
pub trait Driver: Send + Sync {
    /// The device's name.
    fn name(&self) -> String;

    /// Free and all bytes of device memory.
    fn memory(&self) -> (usize, usize);

    /// Buffers are given a multiple of this many bytes.
    fn granularity(&self) -> usize;

    /// `bytes` of device memory, at a multiple of 256.
    fn allocate(&self, bytes: usize) -> Result<Address, Failure>;

    /// Gives them back.
    ///
    /// # Safety
    /// `at` came from [`Driver::allocate`], and nothing uses it any more.
    unsafe fn free(&self, at: Address);

    /// Kernel `name` of kernels/`stem`.cu.
    fn function(&self, stem: &str, name: &str) -> Result<Function, Failure>;

    /// The bytes of each of its arguments, if they are known; launches are then checked against them. `None` for a
    /// function of another device.
    fn argument_sizes(&self, function: Function) -> Option<Vec<usize>>;

    /// Puts a launch on the stream. `arguments` are the addresses of the kernel's arguments, which are
    /// read before this returns.
    ///
    /// # Safety
    /// The arguments are of the kernel's types, and what they point to is live and long enough.
    unsafe fn launch(&self, function: Function, launch: Launch, arguments: &mut [*mut c_void]) -> Result<(), Failure>;

    /// Copies to the device. `from` has been read when this returns.
    ///
    /// # Safety
    /// There are as many bytes at `to`.
    unsafe fn upload(&self, to: Address, from: &[u8]) -> Result<(), Failure>;

    /// Puts a copy from pinned memory to the device on the stream.
    ///
    /// # Safety
    /// There are as many bytes at `to`; `from` lives, and stays as it is, until a later mark is reached.
    unsafe fn upload_pinned(&self, to: Address, from: *const u8, bytes: usize) -> Result<(), Failure>;

    /// Copies from the device, and waits for it.
    ///
    /// # Safety
    /// There are as many bytes at `from`.
    unsafe fn download(&self, to: &mut [u8], from: Address) -> Result<(), Failure>;

    /// Puts a copy from the device to pinned memory on the stream.
    ///
    /// # Safety
    /// There are as many bytes at `from`; `to` is live, and not looked at until a later mark is reached.
    unsafe fn download_pinned(&self, to: *mut u8, bytes: usize, from: Address) -> Result<(), Failure>;

    /// Puts a copy within device memory on the stream.
    ///
    /// # Safety
    /// There are as many bytes at both places.
    unsafe fn copy(&self, to: Address, from: Address, bytes: usize) -> Result<(), Failure>;

    /// Memory of this machine that the device can reach by itself.
    fn allocate_pinned(&self, bytes: usize) -> Result<*mut u8, Failure>;

    /// Gives it back.
    ///
    /// # Safety
    /// `at` came from [`Driver::allocate_pinned`] with as many bytes, and nothing uses it any more.
    unsafe fn free_pinned(&self, at: *mut u8, bytes: usize);

    /// Puts a mark on the stream.
    fn mark(&self) -> Result<Mark, Failure>;

    /// Waits until the stream has passed `mark`.
    fn wait(&self, mark: Mark) -> Result<(), Failure>;

    /// Waits for everything on the stream.
    fn synchronize(&self) -> Result<(), Failure>;

    /// From here on launches and copies within device memory are recorded, not made.
    fn begin_capture(&self) -> Result<(), Failure>;

    /// Ends the capture, and makes the recorded graph ready to be launched.
    fn end_capture(&self) -> Result<Executable, Failure>;

    /// Puts the whole graph on the stream.
    ///
    /// # Safety
    /// All addresses that its launches were given are live.
    unsafe fn replay(&self, graph: &Executable) -> Result<(), Failure>;

    /// Destroys the graph.
    fn forget(&self, graph: Executable);
}

/// A point on the stream.
#[derive(Debug, PartialEq, Eq)]
pub struct Mark(pub(super) usize);
