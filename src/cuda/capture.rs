//! A sequence of launches that is recorded once and replayed again and again as one: a CUDA graph.
//!
//! Arguments that a launch gets by value are the same in every replay. Values that change from step to step are in
//! device memory instead, and are uploaded before a replay: the positions of random streams and the batch in
//! [`Inputs`], and the scalars of an update in memory of its optimiser.

#![allow(unsafe_code)]

use super::buffer::Buffer;
use super::context::{Captured, Context};
use super::driver::{Address, Executable, Mark};
use super::pool::Arena;
use super::staging::Staged;
use crate::random::{Position, STREAMS};
use std::collections::HashSet;

/// Device memory for the position of each random stream at the beginning of a step, and for the bytes of its batch.
pub struct Inputs {
    /// The block of each stream, a u64 for each, then the batch.
    staged: Staged,
    /// The blocks that were uploaded last.
    blocks: Vec<u64>,
}

impl Inputs {
    /// For batches of `batch` bytes.
    pub fn new(batch: usize, context: &'static Context) -> Inputs {
        let bytes = batch.saturating_add(8 * STREAMS);
        Inputs { staged: Staged::new(bytes, context), blocks: vec![0; STREAMS] }
    }

    /// Puts the upload of a step's inputs on the stream: where each of the random `streams` that it reads is, and its
    /// batch, in parts one behind the other.
    ///
    /// # Panics
    /// If the batch has another number of bytes than `new` was given, or there is no such stream.
    pub fn upload(&mut self, streams: &[Position], batch: &[&[u8]]) {
        for position in streams {
            let block = self.blocks.get_mut(position.stream as usize);
            *block.expect("a captured step reads random streams of this crate only") = position.block;
        }
        let blocks: Vec<u8> = self.blocks.iter().flat_map(|block| block.to_le_bytes()).collect();
        self.staged.upload(&[&[&blocks[..]], batch].concat());
    }

    /// The buffer with the batch, and the byte at which that begins.
    pub fn batch(&self) -> (&Buffer, usize) {
        (self.staged.buffer(), 8 * STREAMS)
    }
}

/// A captured step, with the memory in which it works: it keeps everything that it reads and writes, so that a replay
/// finds it even when the tensors are gone.
pub struct Graph {
    context: &'static Context,
    executable: Option<Executable>,
    arena: Arena,
    used: HashSet<Address>,
}

impl Graph {
    /// Records what `f` launches, without running it. `f` sees what was uploaded to `inputs` last; a replay sees what
    /// `inputs` hold at that time. During the capture no other thread should use the device, for what it launches
    /// would become part of the graph. A replay uses the addresses at which `f` found its tensors, even if these are
    /// replaced later.
    ///
    /// # Errors
    /// Those of `f`.
    ///
    /// # Panics
    /// Within another capture.
    pub fn capture<T, E>(inputs: &Inputs, f: impl FnOnce() -> Result<T, E>) -> Result<(Graph, T), E> {
        let device = inputs.staged.buffer();
        let context = device.context();
        assert!(!context.is_capturing(), "capture: a step is captured already");
        // Nothing is uploaded in a capture.
        context.counters();
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
        let starts = device.address();
        *context.captured() = Some(Captured { starts, first: inputs.blocks.clone(), used: HashSet::from([starts]) });
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

/// A few values that are copied from the device while it goes on working.
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
