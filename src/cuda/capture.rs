//! A sequence of launches that is remembered once and made again and again as one: a CUDA graph.
//!
//! What a launch is given by value is the same in every replay. What changes from step to step lies in
//! device memory instead, in [`Inputs`]: where each random stream has come to, and the numbers of each
//! optimiser's update. They are uploaded before a replay.

#![allow(unsafe_code)]

use super::buffer::Buffer;
use super::context::Context;
use super::driver::{Address, Executable, Mark};
use super::geometry;
use super::pixels;
use super::pool::Arena;
use crate::random::Position;
use std::collections::HashSet;

/// Random streams that a step may read: those of [`Purpose`](crate::random::Purpose).
const STREAMS: usize = 16;

/// Optimisers that a step may use.
pub const OPTIMIZERS: usize = 2;

/// What changes from step to step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepNumbers {
    /// For each random stream, the block at which the step begins to read it.
    pub blocks: [u64; STREAMS],
    /// For each optimiser, the numbers of its update.
    pub updates: [[f32; 2]; OPTIMIZERS],
}

/// [`StepNumbers`] in device memory, as u64 words: the blocks, then two f32 in a word.
const WORDS: usize = STREAMS + OPTIMIZERS;

impl StepNumbers {
    /// As the bytes that kernels read.
    fn bytes(&self) -> Vec<u8> {
        let blocks = self.blocks.iter().flat_map(|block| block.to_le_bytes());
        let updates = self.updates.iter().flatten();
        blocks.chain(updates.flat_map(|number| number.to_le_bytes())).collect()
    }
}

/// Device memory that holds a step's numbers and the bytes of its batch, and how they get there: by way of
/// pinned memory, in turns, so that the next step's can be prepared while a step runs.
pub struct Inputs {
    context: &'static Context,
    device: Buffer,
    batch: usize,
    slots: [Slot; 2],
    turn: usize,
}

struct Slot {
    pinned: *mut u8,
    /// Reached when the slot has been read.
    read: Option<Mark>,
}

// SAFETY: the pinned memory is used by whoever has the `Inputs`, and by nobody else.
unsafe impl Send for Inputs {}

impl Inputs {
    /// For batches of `batch` bytes.
    pub fn new(batch: usize, context: &'static Context) -> Inputs {
        let bytes = batch.saturating_add(8 * WORDS);
        let device = Buffer::unspecified(bytes.div_ceil(4), context);
        let slot = || Slot { pinned: context.hold(context.driver().allocate_pinned(bytes)), read: None };
        Inputs { device, context, batch, slots: [slot(), slot()], turn: 0 }
    }

    /// Puts the upload of `numbers` and `batch` on the stream.
    ///
    /// # Panics
    /// If the batch has not as many bytes as was said.
    pub fn upload(&mut self, numbers: &StepNumbers, batch: &[u8]) {
        assert!(batch.len() == self.batch, "upload: {} bytes for {}", batch.len(), self.batch);
        let context = self.context;
        self.turn = (self.turn + 1) % self.slots.len();
        let slot = &mut self.slots[self.turn];
        if let Some(mark) = slot.read.take() {
            context.hold(context.driver().wait(mark));
        }
        let words = numbers.bytes();
        // SAFETY: the slot has as many bytes, and its last upload is over.
        unsafe {
            let to = slot.pinned;
            std::ptr::copy_nonoverlapping(words.as_ptr(), to, words.len());
            std::ptr::copy_nonoverlapping(batch.as_ptr(), to.add(words.len()), batch.len());
        }
        let bytes = words.len() + batch.len();
        let (to, from) = (self.device.address(), slot.pinned);
        // SAFETY: the buffer has as many bytes; the slot is left alone until the mark is reached.
        context.hold(unsafe { context.driver().upload_pinned(to, from, bytes) });
        slot.read = Some(context.hold(context.driver().mark()));
    }

    /// The batch, with the value that `table` has for each byte.
    pub fn images(&self, table: &Buffer) -> Buffer {
        pixels::to_floats(&self.device, 8 * WORDS, table, self.batch)
    }
}

impl Drop for Inputs {
    fn drop(&mut self) {
        for slot in &mut self.slots {
            if let Some(mark) = slot.read.take() {
                // A failure of the device was told before.
                let _ = self.context.driver().wait(mark);
            }
            // SAFETY: it came from there, and nothing on the stream reads it any more.
            unsafe {
                self.context.driver().free_pinned(slot.pinned, 8 * WORDS + self.batch);
            }
        }
    }
}

/// The capture that a device is in.
pub struct Captured {
    /// Where the numbers of a step lie.
    numbers: Address,
    /// Those of the step that is captured.
    first: StepNumbers,
    /// The buffers that its launches read and write.
    used: HashSet<Address>,
}

/// A captured step, and the memory that it works in: it keeps what it reads and writes, so that a replay finds it even
/// when the tensors are gone.
pub struct Graph {
    context: &'static Context,
    executable: Option<Executable>,
    arena: Arena,
    used: HashSet<Address>,
}

impl Graph {
    /// What `f` launches, without running it. `numbers` are those that `f` goes by; a replay goes by the ones in
    /// `inputs`. Meanwhile no other thread should use the device: what it launches would become part of the graph. The
    /// graph goes to where `f` found its tensors, whatever these are replaced by later.
    ///
    /// # Errors
    /// Those of `f`.
    ///
    /// # Panics
    /// Within another capture.
    pub fn capture<T, E>(
        inputs: &Inputs,
        numbers: StepNumbers,
        f: impl FnOnce() -> Result<T, E>,
    ) -> Result<(Graph, T), E> {
        let context = inputs.context;
        assert!(context.captured().is_none(), "capture: a step is captured already");
        // The graph works in memory of its own, so that the steps before it leave theirs to it, once they are over.
        context.synchronize();
        context.pool().release(context.driver());
        let arena = context.pool().enter_arena();
        let mut graph = Graph { context, executable: None, arena, used: HashSet::new() };
        /// Ends the capture also where `f` unwinds.
        struct Capturing(&'static Context);
        impl Drop for Capturing {
            fn drop(&mut self) {
                self.0.pool().leave_arena(self.0.driver());
                if self.0.captured().take().is_some()
                    && let Ok(executable) = self.0.driver().end_capture()
                {
                    self.0.driver().forget(executable);
                }
            }
        }
        let _capturing = Capturing(context);
        context.hold(context.driver().begin_capture());
        *context.captured() = Some(Captured {
            numbers: inputs.device.address(),
            first: numbers,
            used: HashSet::from([inputs.device.address()]),
        });
        let made = f()?;
        let captured = context.captured().take();
        graph.used = captured.map_or_else(HashSet::new, |captured| captured.used);
        context.pool().keep(&graph.used);
        graph.executable = Some(context.hold(context.driver().end_capture()));
        Ok((graph, made))
    }

    /// Puts the captured launches on the stream.
    pub fn replay(&self) {
        let executable = self.executable.as_ref().expect("capture made it");
        // SAFETY: the pool gives neither the arena's memory nor any other that the launches use to anybody, or back to
        // the driver, as long as the graph lives.
        let replayed = unsafe { self.context.driver().replay(executable) };
        self.context.hold(replayed);
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        // The stream may still run it.
        let _ = self.context.driver().synchronize();
        if let Some(executable) = self.executable.take() {
            self.context.driver().forget(executable);
        }
        self.context.pool().drop_arena(self.context.driver(), self.arena, &self.used);
    }
}

impl Context {
    /// `position` as kernels take it: in a captured step, counted from where the step's stream begins.
    pub(crate) fn position(&self, position: Position) -> geometry::Position {
        match &*self.captured() {
            None => geometry::Position::new(position, 0),
            Some(captured) => {
                let stream = position.stream as usize;
                let block = position.block.wrapping_sub(captured.first.blocks[stream]);
                let from_there = Position { block, ..position };
                geometry::Position::new(from_there, captured.numbers + 8 * position.stream)
            }
        }
    }

    /// Where the two numbers of an update by optimiser `slot` lie in a captured step.
    ///
    /// # Panics
    /// If a step has no such optimiser.
    pub(crate) fn update_numbers(&self, slot: usize) -> UpdateNumbers {
        assert!(slot < OPTIMIZERS, "a step has {OPTIMIZERS} optimisers");
        let captured = self.captured();
        UpdateNumbers(captured.as_ref().map_or(0, |captured| captured.numbers + 8 * (STREAMS + slot) as Address))
    }

    /// Remembers, in a captured step, that it uses the buffers at these addresses.
    pub(super) fn note(&self, buffers: &[Address]) {
        if let Some(captured) = &mut *self.captured() {
            captured.used.extend(buffers);
        }
    }
}

/// Where the numbers of an update lie in a captured step; nowhere outside of one.
#[derive(Clone, Copy, Debug)]
pub struct UpdateNumbers(Address);

impl UpdateNumbers {
    /// As kernels take it: 0 for nowhere.
    pub(crate) fn address(self) -> Address {
        self.0
    }
}

/// A few values that are read from the device while it goes on.
pub struct Reading {
    context: &'static Context,
    pinned: *mut u8,
    bytes: usize,
    values: usize,
    arrived: Option<Mark>,
}

// SAFETY: the pinned memory is this value's own.
unsafe impl Send for Reading {}

impl Reading {
    /// Puts the copy of `from` on the stream.
    pub fn begin(from: &Buffer) -> Reading {
        let (context, bytes) = (from.context(), 4 * from.len().max(1));
        let pinned = context.take_pinned(bytes);
        let mut reading = Reading { context, pinned, bytes, values: from.len(), arrived: None };
        if !from.is_empty() {
            // SAFETY: there are as many bytes at both places.
            let copied = unsafe { context.driver().download_pinned(pinned, bytes, from.address()) };
            context.hold(copied);
        }
        reading.arrived = Some(context.hold(context.driver().mark()));
        reading
    }

    /// The values, once they have come.
    pub fn finish(mut self) -> Vec<f32> {
        if let Some(mark) = self.arrived.take() {
            self.context.hold(self.context.driver().wait(mark));
        }
        // SAFETY: pinned memory is aligned, as many values have been copied there, and every four bytes are an f32.
        unsafe { std::slice::from_raw_parts(self.pinned.cast::<f32>(), self.values) }.to_vec()
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if let Some(mark) = self.arrived.take() {
            let _ = self.context.driver().wait(mark);
        }
        self.context.give_back_pinned(self.pinned, self.bytes);
    }
}
