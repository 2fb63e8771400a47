//! A device in use: its driver, its pool, its kernels, the capture that is going on, and how failures are handled.
//!
//! A failure (no memory left, the GPU is lost) unwinds: see [`crate::unwind`].

use super::driver::{Address, Driver, Failure, Function};
use super::pool::{Arena, Pool};
use crate::error::{Error, megabytes};
use crate::unwind::unwind;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

/// A device in use.
pub struct Context {
    ordinal: usize,
    driver: Box<dyn Driver>,
    pool: Mutex<Pool>,
    functions: Mutex<HashMap<&'static str, Kernel>>,
    captured: Mutex<Option<Captured>>,
    /// Addresses of pinned memory that waits to be used again, by its bytes. Asking the driver for some, or giving it
    /// back, can wait for the device, and every step reads its report by way of it.
    pinned: Mutex<HashMap<usize, Vec<usize>>>,
    tf32: AtomicBool,
    counters: OnceLock<Address>,
}

/// The most counters of a launch.
pub(super) const COUNTERS: usize = 1 << 16;

/// A kernel that has been found, with the bytes of each argument where they are known.
#[derive(Clone)]
pub(super) struct Kernel {
    pub function: Function,
    pub sizes: Option<Arc<[usize]>>,
}

/// The capture that a device is in.
pub(super) struct Captured {
    /// Where a replay finds the block at which it begins to read each random stream, a u64 for each.
    pub starts: Address,
    /// Those of the step that is captured.
    pub first: Vec<u64>,
    /// The buffers that its launches and copies read and write.
    pub used: HashSet<Address>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A failure unwinds through these only between changes.
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

impl Context {
    pub(super) fn new(ordinal: usize, driver: Box<dyn Driver>) -> Context {
        Context {
            ordinal,
            driver,
            pool: Mutex::default(),
            functions: Mutex::default(),
            captured: Mutex::default(),
            pinned: Mutex::default(),
            tf32: AtomicBool::new(false),
            counters: OnceLock::new(),
        }
    }

    /// The device's name.
    pub fn name(&self) -> String {
        self.driver.name()
    }

    /// The bytes of device memory that the pool has, in use or free.
    pub fn bytes_held(&self) -> usize {
        locked(&self.pool).bytes
    }

    /// Gives the pool's free memory back to the driver.
    pub fn release(&self) {
        self.pool().release(self.driver());
    }

    /// How many times the driver was asked for device memory.
    pub fn allocations(&self) -> u64 {
        locked(&self.pool).allocations
    }

    /// Lets products and convolutions run on tensor cores, which read their operands in TF32: f32's range with
    /// 10 bits of fraction. Sums stay in f32.
    pub fn set_tf32(&self, on: bool) {
        self.tf32.store(on, Ordering::Relaxed);
    }

    /// True if products and convolutions run on tensor cores.
    pub fn tf32(&self) -> bool {
        self.tf32.load(Ordering::Relaxed)
    }

    /// Waits for all queued work of the device.
    pub fn synchronize(&self) {
        self.hold(self.driver.synchronize());
    }

    /// The context's number, as [`Device::Cuda`](crate::Device::Cuda) has it.
    pub(crate) fn ordinal(&self) -> usize {
        self.ordinal
    }

    /// True while launches are captured, not made.
    pub(crate) fn is_capturing(&self) -> bool {
        self.captured().is_some()
    }

    /// Kernel `name` of kernels/`stem`.cu, which is loaded when it is first asked for.
    pub(super) fn kernel(&self, stem: &'static str, name: &'static str) -> Kernel {
        let found = locked(&self.functions).get(name).cloned();
        found.unwrap_or_else(|| {
            let function = self.hold(self.driver.function(stem, name));
            let kernel = Kernel { function, sizes: self.driver.argument_sizes(function).map(Arc::from) };
            locked(&self.functions).insert(name, kernel.clone());
            kernel
        })
    }

    pub(super) fn driver(&self) -> &dyn Driver {
        &*self.driver
    }

    pub(super) fn captured(&self) -> MutexGuard<'_, Option<Captured>> {
        locked(&self.captured)
    }

    /// Remembers, in a captured step, that it uses the buffers at these addresses.
    pub(super) fn note(&self, buffers: &[Address]) {
        if let Some(captured) = &mut *self.captured() {
            captured.used.extend(buffers);
        }
    }

    /// The block at which a captured step begins to read random stream `stream`, and the address at which a replay
    /// finds its own; 0 and no address outside of one.
    pub(super) fn start_of(&self, stream: u64) -> (u64, Address) {
        match &*self.captured() {
            None => (0, 0),
            Some(captured) => {
                let first = captured.first.get(stream as usize);
                (*first.expect("a captured step reads random streams of this crate only"), captured.starts + 8 * stream)
            }
        }
    }

    pub(super) fn pool(&self) -> MutexGuard<'_, Pool> {
        locked(&self.pool)
    }

    #[track_caller]
    pub(super) fn take(&self, bytes: usize) -> (Address, usize, Arena) {
        let taken = self.pool().take(self.driver(), bytes);
        match taken {
            Ok(taken) => taken,
            Err(Failure::OutOfMemory) => {
                let (free, all) = self.driver.memory();
                let [asked, free, all] = [bytes, free, all].map(megabytes);
                self.fail(format!("no memory for {asked} more ({free} of {all} are free); lower the batch size"))
            }
            Err(failure) => self.fail(failure),
        }
    }

    pub(super) fn give_back(&self, at: Address, bytes: usize, arena: Arena) {
        self.pool().give_back(self.driver(), at, bytes, arena);
    }

    /// Where the counters lie by which a block finds out that it is the last of a launch (`last_to_come` in
    /// kernels/reduce.cuh): a u32 each, 0 between launches, which all use the same ones. They must be there before a
    /// step is captured.
    #[allow(unsafe_code)]
    pub(super) fn counters(&self) -> Address {
        *self.counters.get_or_init(|| {
            let at = self.hold(self.driver.allocate(4 * COUNTERS));
            // SAFETY: there are as many bytes.
            self.hold(unsafe { self.driver.upload(at, &[0; 4 * COUNTERS]) });
            at
        })
    }

    /// `bytes` of pinned memory.
    pub(super) fn take_pinned(&self, bytes: usize) -> *mut u8 {
        let waiting = locked(&self.pinned).get_mut(&bytes).and_then(Vec::pop);
        match waiting {
            Some(at) => at as *mut u8,
            None => self.hold(self.driver.allocate_pinned(bytes)),
        }
    }

    /// Takes back what [`Context::take_pinned`] gave; no copy from or to it is under way.
    pub(super) fn give_back_pinned(&self, at: *mut u8, bytes: usize) {
        let mut pinned = locked(&self.pinned);
        pinned.entry(bytes).or_default().push(at as usize);
    }

    /// What `answer` holds; unwinds if it is a failure.
    #[track_caller]
    pub(super) fn hold<T>(&self, answer: Result<T, Failure>) -> T {
        match answer {
            Ok(held) => held,
            Err(failure) => self.fail(failure),
        }
    }

    /// Unwinds with an [`Error::Cuda`].
    #[track_caller]
    pub(super) fn fail(&self, what: impl fmt::Display) -> ! {
        let device = format!("cuda:{}", self.ordinal);
        let what = what.to_string();
        unwind(Error::Cuda { device, what })
    }
}
