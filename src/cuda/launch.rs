//! A kernel's arguments and grid.

#![allow(unsafe_code)]

use super::buffer::Buffer;
use super::context::{COUNTERS, Context, Kernel};
use super::driver::{Address, Launch};
use bytemuck::NoUninit;
use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering};

/// Threads of a block that goes over an array.
pub const THREADS: usize = 256;

/// The most threads of a block.
pub const MANY_THREADS: usize = 1024;

/// Blocks of a grid that goes over an array, at most: enough for any GPU; each thread takes several values
/// beyond that.
const MAX_BLOCKS: usize = 4096;

static LAUNCHES: AtomicU64 = AtomicU64::new(0);

/// How many launches have been asked for, on all devices.
pub fn launches() -> u64 {
    LAUNCHES.load(Ordering::Relaxed)
}

/// A launch in the making: arguments in the order of the kernel's parameters, then the grid.
#[must_use]
pub struct Call {
    context: &'static Context,
    name: &'static str,
    kernel: Kernel,
    /// The arguments, each from the start of a word on.
    words: Vec<u64>,
    /// For each argument its first word and its bytes.
    arguments: Vec<(usize, usize)>,
    /// Where the memory lies that it works in, each buffer by its first address.
    buffers: Vec<Address>,
}

impl Call {
    /// A launch of kernel `name` of kernels/`stem`.cu, to be given its arguments.
    pub fn new(context: &'static Context, stem: &'static str, name: &'static str) -> Call {
        Call {
            context,
            name,
            kernel: context.kernel(stem, name),
            words: Vec::with_capacity(16),
            arguments: Vec::with_capacity(8),
            buffers: Vec::with_capacity(8),
        }
    }

    /// A buffer that the kernel reads.
    ///
    /// # Panics
    /// If it is on another device.
    pub fn read(self, buffer: &Buffer) -> Call {
        self.read_from(buffer, 0)
    }

    /// A buffer that the kernel reads from byte `offset` on.
    ///
    /// # Panics
    /// If it is on another device or has no such byte.
    pub fn read_from(self, buffer: &Buffer, offset: usize) -> Call {
        assert!(offset <= 4 * buffer.len(), "{}: an offset", self.name);
        assert!(
            std::ptr::eq(buffer.context(), self.context),
            "{}: tensors of cuda:{} and cuda:{}",
            self.name,
            self.context.ordinal(),
            buffer.context().ordinal()
        );
        self.uses(buffer.address()).value(buffer.address() + offset as Address)
    }

    /// Says that the kernel reads or writes the buffer at `at`, by way of what it is given otherwise.
    pub(super) fn uses(mut self, at: Address) -> Call {
        self.buffers.push(at);
        self
    }

    /// A buffer that it writes.
    ///
    /// # Panics
    /// If it is on another device.
    pub fn write(self, buffer: &mut Buffer) -> Call {
        self.read(buffer)
    }

    /// A buffer that it reads, or a null pointer.
    ///
    /// # Panics
    /// If it is on another device.
    pub fn read_if(self, buffer: Option<&Buffer>) -> Call {
        match buffer {
            Some(buffer) => self.read(buffer),
            None => self.value(0u64),
        }
    }

    /// `count` counters by which a kernel's blocks find out which of them comes last.
    ///
    /// # Panics
    /// If there aren't as many.
    pub fn counters(self, count: usize) -> Call {
        assert!(count <= COUNTERS, "{}: {count} counters", self.name);
        let at = self.context.counters();
        self.value(at)
    }

    /// A value, of the same bytes in Rust and in CUDA.
    pub fn value<T: NoUninit>(mut self, value: T) -> Call {
        let (first, bytes) = (self.words.len(), bytemuck::bytes_of(&value));
        self.words.resize(first + bytes.len().div_ceil(8), 0);
        let to = bytemuck::cast_slice_mut::<u64, u8>(&mut self.words[first..]);
        to[..bytes.len()].copy_from_slice(bytes);
        self.arguments.push((first, bytes.len()));
        self
    }

    // ANCHOR: over
    /// Launches over an array of `len` values, or not at all if it has none.
    pub fn over(self, len: usize) {
        let blocks = len.div_ceil(THREADS).min(MAX_BLOCKS);
        self.grid([blocks, 1, 1], THREADS, 0);
    }
    // ANCHOR_END: over

    /// Launches `grid` blocks of `threads` threads with `shared` bytes of dynamic shared memory each; no
    /// blocks, no launch.
    ///
    /// # Panics
    /// If the grid is larger than CUDA's.
    pub fn grid(mut self, grid: [usize; 3], threads: usize, shared: usize) {
        if grid.contains(&0) {
            return;
        }
        let Call { context, name, kernel, .. } = &self;
        let limits = [i32::MAX as usize, 65_535, 65_535];
        if grid.iter().zip(limits).any(|(&blocks, limit)| blocks > limit) {
            context.fail(format!("{name}: a grid of {grid:?} blocks; lower the batch size"));
        }
        let given = self.arguments.iter().map(|&(_, bytes)| bytes);
        if let Some(sizes) = &kernel.sizes {
            let given: Vec<usize> = given.collect();
            assert!(given[..] == sizes[..], "{name}: arguments of {given:?} bytes, it takes {sizes:?}");
        }
        let (context, kernel) = (*context, kernel.clone());
        let start = self.words.as_mut_ptr();
        let pointers = self.arguments.iter();
        let mut pointers: Vec<*mut c_void> =
            pointers.map(|&(first, _)| start.wrapping_add(first).cast::<c_void>()).collect();
        let launch =
            Launch { grid: grid.map(|blocks| blocks as u32), block: [threads as u32, 1, 1], shared: shared as u32 };
        LAUNCHES.fetch_add(1, Ordering::Relaxed);
        context.note(&self.buffers);
        // SAFETY: the pointers lead to values within the words; buffers live until their launches are over, since the pool hands their memory out only to later
        // launches of the same stream; the emulated device holds every launch of the tests to its kernel's source.
        let launched = unsafe { context.driver().launch(kernel.function, launch, &mut pointers) };
        if let Err(failure) = launched {
            context.fail(format!("{}: {failure}", self.name));
        }
    }
}
