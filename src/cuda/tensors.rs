//! Launches over many tensors at once (kernels/tensors.cuh): all parameters of a network, or all gradients.

#![allow(unsafe_code)]

use super::buffer::Buffer;
use super::context::Context;
use super::driver::Address;
use super::launch::Call;
use bytemuck::{NoUninit, Pod, Zeroable};
use std::marker::PhantomData;

/// The most tensors of a launch: their table is passed by value, for which a launch has 4 KiB.
const MAX_TENSORS: usize = 96;

/// Values of a block.
const CHUNK: usize = 4096;

/// Threads of a block.
const CHUNK_THREADS: usize = 256;

/// A parameter, its gradient and the optimiser's slots for it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
struct Row {
    p: Address,
    g: Address,
    slots: [Address; 2],
    length: i32,
    first_block: i32,
}

/// What a launch takes by value.
#[repr(C)]
#[derive(Clone, Copy, Debug, NoUninit)]
struct TensorTable {
    rows: [Row; MAX_TENSORS],
}

/// Tensors of one device that are processed together.
pub struct Tensors<'a> {
    context: Option<&'static Context>,
    rows: Vec<Row>,
    /// The rows are their addresses.
    buffers: PhantomData<&'a mut Buffer>,
}

impl<'a> Tensors<'a> {
    /// None yet.
    pub(crate) fn new() -> Tensors<'a> {
        Tensors { context: None, rows: Vec::new(), buffers: PhantomData }
    }

    /// Their device; none if there are no tensors.
    pub fn context(&self) -> Option<&'static Context> {
        self.context
    }

    /// Adds parameter `p`, to be changed by gradient `g`, with its slots.
    ///
    /// # Panics
    /// If one has another length, or is on another device than those before.
    pub(crate) fn push(&mut self, p: &'a mut Buffer, g: &'a Buffer, slots: [Option<&'a mut Buffer>; 2]) {
        let slots = slots.map(|slot| slot.map(|slot| &*slot));
        self.add([Some(p), Some(g)], slots);
    }

    /// Adds `p`, to be changed in place.
    pub(crate) fn push_changed(&mut self, p: &'a mut Buffer) {
        self.add([Some(p), None], [None; 2]);
    }

    /// Adds `g`, to be read.
    pub(crate) fn push_read(&mut self, g: &'a Buffer) {
        self.add([None, Some(g)], [None; 2]);
    }

    fn add(&mut self, [p, g]: [Option<&Buffer>; 2], slots: [Option<&Buffer>; 2]) {
        let Some(one) = p.or(g) else { return };
        let context = *self.context.get_or_insert(one.context());
        let fits = |buffer: &Buffer| buffer.len() == one.len() && std::ptr::eq(buffer.context(), context);
        let mut all = [p, g].into_iter().chain(slots).flatten();
        assert!(all.all(fits), "tensors: parameter, gradient and slots must be as long, and on one device");
        if one.is_empty() {
            return;
        }
        let address = |buffer: Option<&Buffer>| buffer.map_or(0, Buffer::address);
        self.rows.push(Row {
            p: address(p),
            g: address(g),
            slots: slots.map(address),
            length: one.len() as i32,
            first_block: 0,
        });
    }

    /// √Σg² over all of them, one value; none if there are no tensors.
    pub(crate) fn norm(&self) -> Option<Buffer> {
        let context = self.context?;
        let blocks = self.rows.iter().map(Row::blocks).sum::<usize>();
        // The sum of each block is an f64.
        let mut parts = Buffer::unspecified(2 * blocks, context);
        self.launch(["gradient", "gradient_squares"], 0, |call, before| call.write(&mut parts).value(before as i32));
        let mut norm = Buffer::unspecified(1, context);
        let kernel = Call::new(context, "gradient", "gradient_norm");
        kernel.read(&parts).value(blocks as i32).write(&mut norm).grid([1, 1, 1], 4 * CHUNK_THREADS, 0);
        Some(norm)
    }

    /// True if every value that is read is a finite number.
    pub(crate) fn all_finite(&self) -> bool {
        let Some(context) = self.context else {
            return true;
        };
        let mut found = Buffer::full(1, 0.0, context);
        self.launch(["gradient", "gradient_find_not_finite"], 0, |call, _| call.write(&mut found));
        found.to_vec()[0].to_bits() == 0
    }

    /// Has `update` change every parameter and the first `slots` of its slots by its gradient, on the CPU: they are
    /// copied there and back.
    ///
    /// # Panics
    /// In a captured step, which only launches kernels.
    pub(crate) fn update_on_host(&self, slots: usize, update: impl Fn(&mut [f32], &[f32], [&mut [f32]; 2])) {
        let Some(context) = self.context else {
            return;
        };
        assert!(!context.is_capturing(), "an update rule without a CUDA kernel can't be part of a captured step");
        for row in &self.rows {
            let download = |at: Address| {
                let mut values = vec![0.0_f32; if at == 0 { 0 } else { row.length as usize }];
                if !values.is_empty() {
                    // SAFETY: `at` is a buffer of this many values, which this table borrows.
                    context.hold(unsafe { context.driver().download(bytemuck::cast_slice_mut(&mut values), at) });
                }
                values
            };
            let upload = |at: Address, values: &[f32]| {
                if !values.is_empty() {
                    // SAFETY: as above.
                    context.hold(unsafe { context.driver().upload(at, bytemuck::cast_slice(values)) });
                }
            };
            let (mut p, g) = (download(row.p), download(row.g));
            let [mut first, mut second] = row.slots.map(download);
            update(&mut p, &g, [&mut first, &mut second]);
            upload(row.p, &p);
            row.slots.iter().zip([first, second]).take(slots).for_each(|(&at, values)| upload(at, &values));
        }
    }

    /// Launches kernel `name` of kernels/`stem`.cu over all tensors, in as many launches as that needs. The kernel
    /// takes `slots` slots of each tensor. `rest` returns a launch's arguments after the table, given how many blocks
    /// were launched before.
    ///
    /// # Panics
    /// If a tensor has fewer slots.
    pub(crate) fn launch(
        &self,
        [stem, name]: [&'static str; 2],
        slots: usize,
        mut rest: impl FnMut(Call, usize) -> Call,
    ) {
        let Some(context) = self.context else {
            return;
        };
        let complete = |row: &Row| !row.slots[..slots].contains(&0);
        assert!(self.rows.iter().all(complete), "{name}: slots are missing");
        let mut before = 0;
        for rows in self.rows.chunks(MAX_TENSORS) {
            // No grid reaches the rows that are left over.
            let nothing = Row { p: 0, g: 0, slots: [0; 2], length: 0, first_block: i32::MAX };
            let mut table = TensorTable { rows: [nothing; MAX_TENSORS] };
            let mut blocks = 0;
            for (to, row) in table.rows.iter_mut().zip(rows) {
                *to = Row { first_block: blocks as i32, ..*row };
                blocks += row.blocks();
            }
            let used = rows.iter().flat_map(|row| [row.p, row.g].into_iter().chain(row.slots)).filter(|&at| at != 0);
            let call = Call::new(context, stem, name).value(table);
            let call = used.fold(call, Call::uses);
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
