//! The convolution and the transposed one: the transformed signal times the transformed kernel, and the inverse
//! transform.

use super::Axes;
use super::axis::{Direction, Part};
use super::stack::Stack;
use super::tiles::Side;
use crate::cpu::Finisher;
use crate::cpu::gemm::blocks::{Packed, multiply};
use crate::cpu::gemm::walk::Walk;
use crate::cpu::gemm::{Matrix, Start};
use crate::cpu::pool::Buffer;
use crate::shape::Conv2dGeometry;
use rayon::prelude::*;

/// Values of a row of places, signals and products, of the tiles that a task takes: a megabyte, which the L2 cache
/// holds or nearly holds. With fewer the products have too few rows.
const TASK_VALUES: usize = 1 << 18;

/// The output of the convolution `g` from its input `x` and its weights `w`, or its input from its output, some images
/// at a time, which are then finished.
///
/// # Panics
/// If [`super::applies`] doesn't hold.
pub fn convolve(x: &[f32], w: &[f32], g: &Conv2dGeometry, direction: Direction, finish: Finisher) -> Buffer {
    let axes = Axes::new(g, direction).expect("a convolution that Winograd's form applies to");
    let (from, to) = match direction {
        Direction::Forward => (axes.inputs(g, Part::Signal), axes.outputs(g, Part::Result)),
        Direction::Transposed => (axes.outputs(g, Part::Signal), axes.inputs(g, Part::Result)),
    };
    let points = axes.rows.points;
    let rows = (0..points).into_par_iter().map(|row| {
        let (stacked, plain) = (axes.stack(row), Stack::plain(axes.columns.points));
        let weights = weights(w, g, direction, &axes, row);
        match direction {
            Direction::Forward => Row { from: stacked, to: plain, weights },
            Direction::Transposed => Row { from: plain, to: stacked, weights },
        }
    });
    let rows: Vec<Row> = rows.collect();

    let values = |row: &Row| row.from.len(1, from.channels) + row.to.len(1, to.channels);
    let of_tile = rows.iter().map(values).max().unwrap_or(1);
    let images = (TASK_VALUES / (of_tile * from.tiles())).max(1);
    let mut y = Buffer::unspecified(g.n * to.values());
    let x = x.par_chunks(images * from.values());
    let of_task = images * to.values();
    y.par_chunks_mut(of_task).zip(x).enumerate().for_each(|(task, (y, x))| {
        let length = to.columns_len(y.len());
        let mut columns = Buffer::unspecified(points * length);
        columns.par_chunks_exact_mut(length).zip(&rows).enumerate().for_each(|(i, (columns, row))| {
            row.convolve(i, x, [&from, &to], g.groups, columns);
        });
        to.gather_rows(&columns, points, y);
        finish(y, task * of_task);
    });
    y
}

/// A row of places: which phases the signal and the result have there, and the weights between them.
struct Row {
    from: Stack,
    to: Stack,
    weights: Vec<Weight>,
}

/// The weights of a product.
struct Weight {
    point: usize,
    /// The first phase that it takes of the signal, and that it gives of the result.
    slots: [usize; 2],
    group: usize,
    values: Packed,
}

/// The weights of row `row` of the places. The phases of a signal stand side by side in k; those of a result are
/// products of their own.
fn weights(w: &[f32], g: &Conv2dGeometry, direction: Direction, axes: &Axes, row: usize) -> Vec<Weight> {
    let (stack, kernel) = (axes.stack(row), axes.kernel(g, Part::Filter));
    let [width_in, width_out] = [g.c_in / g.groups, g.c_out / g.groups];
    let places = kernel.spread(w, row, &stack);
    let mut weights = Vec::new();
    for point in 0..axes.columns.points {
        let phases = stack.phases(point);
        let together = if direction == Direction::Forward { phases } else { 1 };
        for slot in (0..phases).step_by(together) {
            let start = stack.place(point, slot, 1, kernel.channels).start;
            let values = &places[start..][..together * kernel.channels];
            let all = Matrix::new(values, together * width_in, g.c_out);
            for group in 0..g.groups {
                let weight = all.column_block(group * width_out, width_out);
                let (slots, weight, walk) = match direction {
                    Direction::Forward => {
                        let phase = Walk::straight(width_in, 1);
                        ([0, 0], weight, Walk { segments: phases, segment: g.c_in, ..phase })
                    }
                    Direction::Transposed => ([0, slot], weight.transposed(), Walk::straight(width_out, 1)),
                };
                weights.push(Weight { point, slots, group, values: Packed::new(weight, walk) });
            }
        }
    }
    weights
}

impl Row {
    /// The columns of some images' row of places, the `row`-th.
    fn convolve(&self, row: usize, x: &[f32], [from, to]: [&Side; 2], groups: usize, columns: &mut [f32]) {
        let tiles = x.len() / from.values() * from.tiles();
        let signal = from.spread(x, row, &self.from);
        let mut places = Buffer::unspecified(self.to.len(tiles, to.channels));
        for Weight { point, slots, group, values } in &self.weights {
            let rows = |stack: &Stack, slot, c| -> Vec<usize> {
                let tiles = stack.place(*point, slot, tiles, c).tiles(tiles);
                tiles.map(|tile| tile + group * (c / groups)).collect()
            };
            let from_rows = rows(&self.from, slots[0], from.channels);
            let to_rows = rows(&self.to, slots[1], to.channels);
            multiply(&signal, &from_rows, values, &mut places, &to_rows, Start::Zero);
        }
        to.gather_columns(&places, &self.to, tiles, columns);
    }
}
