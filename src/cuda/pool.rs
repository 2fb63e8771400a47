//! A pool of device memory. Asking the driver for memory is slow and waits for the device, so the memory of a freed
//! buffer is used for the next one of its size. As launches are in order on one stream, that can happen even before the
//! last launch that uses the freed buffer has run.
//!
//! A captured graph always writes to the same memory. So memory that is needed during a capture comes from an arena of
//! its own, which lives as long as the graph and is used for nothing else. Other buffers that the graph reads and
//! writes may be freed earlier; their memory is then kept until the graph is gone.

use super::driver::{Address, Driver, Failure};
use std::collections::{HashMap, HashSet};

/// The arena of a buffer: 0 is shared, any other number belongs to a graph.
pub type Arena = u64;

/// The buffers that wait, and which arena is asked.
#[derive(Default)]
pub struct Pool {
    waiting: HashMap<(Arena, usize), Vec<Address>>,
    arena: Arena,
    arenas: Arena,
    /// The arenas of graphs that were dropped: their buffers are freed, not kept.
    gone: Vec<Arena>,
    /// The buffers that graphs use, and how many do.
    kept: HashMap<Address, usize>,
    /// What was given back, or was to be freed, while a graph used it or was captured.
    late: Vec<(Address, usize, Arena)>,
    /// Bytes asked of the driver and not given back, in use or waiting.
    pub bytes: usize,
    /// How often the driver was asked.
    pub allocations: u64,
}

impl Pool {
    // ANCHOR: take
    /// At least `bytes` bytes, what they really are, and the arena they are from.
    pub fn take(&mut self, driver: &dyn Driver, bytes: usize) -> Result<(Address, usize, Arena), Failure> {
        let size = size_class(bytes, driver.granularity());
        let waiting = self.waiting.get_mut(&(self.arena, size));
        if let Some(at) = waiting.and_then(Vec::pop) {
            return Ok((at, size, self.arena));
        }
        let at = match driver.allocate(size) {
            // While a graph is captured nothing can be given back: that waits for the device.
            Err(Failure::OutOfMemory) if self.arena == 0 => {
                self.release(driver);
                driver.allocate(size)
            }
            answer => answer,
        }?;
        self.bytes += size;
        self.allocations += 1;
        Ok((at, size, self.arena))
    }
    // ANCHOR_END: take

    /// Takes back what [`Pool::take`] gave.
    pub fn give_back(&mut self, driver: &dyn Driver, at: Address, size: usize, arena: Arena) {
        let captured_elsewhere = self.arena != 0 && arena != self.arena;
        if captured_elsewhere || self.kept.contains_key(&at) {
            self.late.push((at, size, arena));
        } else if self.gone.contains(&arena) {
            self.free(driver, at, size);
        } else {
            self.waiting.entry((arena, size)).or_default().push(at);
        }
    }

    /// Gives what waits, for anybody, back to the driver.
    pub fn release(&mut self, driver: &dyn Driver) {
        // A driver frees nothing in a capture.
        if self.arena == 0 {
            self.empty(driver, 0);
        }
    }

    /// From here on memory comes from a new arena.
    pub fn enter_arena(&mut self) -> Arena {
        self.arenas += 1;
        self.arena = self.arenas;
        self.arena
    }

    /// From here on it comes from the one that is everybody's.
    pub fn leave_arena(&mut self, driver: &dyn Driver) {
        self.arena = 0;
        self.catch_up(driver);
    }

    /// A graph uses these buffers: [`Pool::drop_arena`] ends that.
    pub fn keep(&mut self, used: &HashSet<Address>) {
        for &at in used {
            *self.kept.entry(at).or_default() += 1;
        }
    }

    /// The graph of `arena`, which used these buffers, is gone. Gives its memory back: what waits now, and the rest
    /// when its buffers go.
    pub fn drop_arena(&mut self, driver: &dyn Driver, arena: Arena, used: &HashSet<Address>) {
        for at in used {
            if let Some(graphs) = self.kept.get_mut(at) {
                *graphs -= 1;
                if *graphs == 0 {
                    self.kept.remove(at);
                }
            }
        }
        self.gone.push(arena);
        // A driver frees nothing in a capture.
        if self.arena == 0 {
            self.catch_up(driver);
        }
    }

    /// Frees what waits in the arenas of graphs that are gone, and takes what came late, unless it is still in use.
    fn catch_up(&mut self, driver: &dyn Driver) {
        for arena in self.gone.clone() {
            self.empty(driver, arena);
        }
        for (at, size, arena) in std::mem::take(&mut self.late) {
            self.give_back(driver, at, size, arena);
        }
    }

    fn empty(&mut self, driver: &dyn Driver, arena: Arena) {
        let keys: Vec<_> = self.waiting.keys().copied().collect();
        for key in keys.into_iter().filter(|key| key.0 == arena) {
            for at in self.waiting.remove(&key).unwrap_or_default() {
                self.free(driver, at, key.1);
            }
        }
    }

    #[allow(unsafe_code)]
    fn free(&mut self, driver: &dyn Driver, at: Address, size: usize) {
        self.bytes -= size;
        // SAFETY: what waits is nobody's, and what a buffer gives back is its no more.
        unsafe { driver.free(at) };
    }
}

/// The bytes that a buffer of `bytes` really has: up to an eighth more, so that sizes that hardly
/// differ share; on a device that counts in floats, no more.
fn size_class(bytes: usize, granularity: usize) -> usize {
    let bytes = bytes.next_multiple_of(granularity);
    match granularity {
        4 => bytes,
        _ => bytes.next_multiple_of((bytes.next_power_of_two() / 16).max(granularity)),
    }
}
