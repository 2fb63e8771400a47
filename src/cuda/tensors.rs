//! Launches over many tensors at once (kernels/tensors.cuh): all parameters of a network, or all gradients.

use super::buffer::Buffer;
use super::context::Context;
use super::driver::Address;
use super::launch::Call;

/// Tensors of a launch at most: their table travels by value, and a launch has room for 4 KiB.
const MAX_TENSORS: usize = 96;

/// Values of a block.
const CHUNK: usize = 4096;

/// Threads of a block.
const CHUNK_THREADS: usize = 256;

/// A parameter, its gradient and what the optimiser remembers of it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
struct Row {
    p: Address,
    g: Address,
    slots: [Address; 2],
    length: i32,
    first_block: i32,
}

/// What a launch takes by value.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct TensorTable {
    rows: [Row; MAX_TENSORS],
}

/// Tensors of one device, to be gone over together. Whoever made it keeps them alive.
#[derive(Default)]
pub struct Tensors {
    context: Option<&'static Context>,
    rows: Vec<Row>,
}

impl Tensors {
    /// Their device; none if there are no tensors.
    pub fn context(&self) -> Option<&'static Context> {
        self.context
    }

    /// Adds parameter `p`, to be changed by gradient `g`, with its slots.
    pub fn push(&mut self, p: &mut Buffer, g: &Buffer, slots: [Option<&mut Buffer>; 2]) {
        let slots = slots.map(|slot| slot.map_or(0, |slot| slot.address()));
        self.add(p, [p.address(), g.address()], slots);
    }

    /// Adds `p`, to be changed in place.
    pub fn push_changed(&mut self, p: &mut Buffer) {
        self.add(p, [p.address(), 0], [0; 2]);
    }

    /// Adds `g`, to be read.
    pub fn push_read(&mut self, g: &Buffer) {
        self.add(g, [0, g.address()], [0; 2]);
    }

    fn add(&mut self, one: &Buffer, [p, g]: [Address; 2], slots: [Address; 2]) {
        if one.is_empty() {
            return;
        }
        self.context = Some(one.context());
        self.rows.push(Row {
            p,
            g,
            slots,
            length: one.len() as i32,
            first_block: 0,
        });
    }

    /// √Σg² over all of them, one value; none if there are no tensors.
    pub fn norm(&self) -> Option<Buffer> {
        let context = self.context?;
        let blocks = self.rows.iter().map(Row::blocks).sum::<usize>();
        // The sum of each block is an f64.
        let mut parts = Buffer::unspecified(2 * blocks, context);
        self.launch(["gradient", "gradient_squares"], |call, before| {
            call.write(&mut parts).value(before as i32)
        });
        let mut norm = Buffer::unspecified(1, context);
        let kernel = context.kernel("gradient", "gradient_norm");
        kernel
            .read(&parts)
            .value(blocks as i32)
            .write(&mut norm)
            .grid([1, 1, 1], 4 * CHUNK_THREADS, 0);
        Some(norm)
    }

    /// True if every value that is read is a finite number.
    pub fn all_finite(&self) -> bool {
        let Some(context) = self.context else {
            return true;
        };
        let mut found = Buffer::full(1, 0.0, context);
        self.launch(["gradient", "gradient_find_not_finite"], |call, _| {
            call.write(&mut found)
        });
        found.to_vec()[0].to_bits() == 0
    }

    /// Launches kernel `name` of kernels/`stem`.cu over all of them, as often as it takes. `rest` gives a launch
    /// the arguments after the table; it is told how many blocks were launched before.
    pub fn launch(
        &self,
        [stem, name]: [&'static str; 2],
        mut rest: impl FnMut(Call, usize) -> Call,
    ) {
        let Some(context) = self.context else {
            return;
        };
        let mut before = 0;
        for rows in self.rows.chunks(MAX_TENSORS) {
            // No grid reaches the rows that are left over.
            let nothing = Row {
                p: 0,
                g: 0,
                slots: [0; 2],
                length: 0,
                first_block: i32::MAX,
            };
            let mut table = TensorTable {
                rows: [nothing; MAX_TENSORS],
            };
            let mut blocks = 0;
            for (to, row) in table.rows.iter_mut().zip(rows) {
                *to = Row {
                    first_block: blocks as i32,
                    ..*row
                };
                blocks += row.blocks();
            }
            let call = context.kernel(stem, name).value(table);
            rest(call, before).grid([blocks, 1, 1], CHUNK_THREADS, 0);
            before += blocks;
        }
    }
}

impl Row {
    fn blocks(&self) -> usize {
        (self.length as usize).div_ceil(CHUNK)
    }
}
