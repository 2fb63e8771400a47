//! Uploads values that change from step to step, by way of two slots of pinned memory in turn, so that the next values
//! can be prepared before the device has read the last ones.

#![allow(unsafe_code)]

use super::buffer::Buffer;
use super::context::Context;
use super::driver::Mark;

/// Device memory that stays at the same address, as a captured step needs it, and gets new bytes for each step without
/// waiting for the device.
pub struct Staged {
    device: Buffer,
    bytes: usize,
    slots: [Slot; 2],
    turn: usize,
}

struct Slot {
    pinned: *mut u8,
    /// Reached when the slot has been read.
    read: Option<Mark>,
}

// SAFETY: the pinned memory is this value's own.
unsafe impl Send for Staged {}
// SAFETY: only what has it to itself looks into it.
unsafe impl Sync for Staged {}

impl Staged {
    /// Room for `bytes` bytes, at least one.
    #[track_caller]
    pub fn new(bytes: usize, context: &'static Context) -> Staged {
        let device = Buffer::unspecified(bytes.div_ceil(4), context);
        let slot = || Slot { pinned: context.hold(context.driver().allocate_pinned(bytes)), read: None };
        Staged { device, bytes, slots: [slot(), slot()], turn: 0 }
    }

    /// Puts the upload of `parts`, one behind the other, on the stream.
    ///
    /// # Panics
    /// If together they have not as many bytes as there is room for.
    pub fn upload(&mut self, parts: &[&[u8]]) {
        let given: usize = parts.iter().map(|part| part.len()).sum();
        assert!(given == self.bytes, "upload: {given} bytes for {}", self.bytes);
        let context = self.device.context();
        self.turn = (self.turn + 1) % self.slots.len();
        let slot = &mut self.slots[self.turn];
        if let Some(mark) = slot.read.take() {
            context.hold(context.driver().wait(mark));
        }
        let mut to = slot.pinned;
        for part in parts {
            // SAFETY: the slot has as many bytes as all parts together, and its last upload is over.
            unsafe {
                std::ptr::copy_nonoverlapping(part.as_ptr(), to, part.len());
                to = to.add(part.len());
            }
        }
        let (to, from) = (self.device.address(), slot.pinned);
        // SAFETY: the buffer has as many bytes; the slot is left alone until the mark is reached.
        context.hold(unsafe { context.driver().upload_pinned(to, from, self.bytes) });
        slot.read = Some(context.hold(context.driver().mark()));
    }

    /// Where the bytes are on the device.
    pub fn buffer(&self) -> &Buffer {
        &self.device
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let driver = self.device.context().driver();
        for slot in &mut self.slots {
            if let Some(mark) = slot.read.take() {
                // A failure of the device was told before.
                let _ = driver.wait(mark);
            }
            // SAFETY: it came from there, and nothing on the stream reads it any more.
            unsafe { driver.free_pinned(slot.pinned, self.bytes) };
        }
    }
}
