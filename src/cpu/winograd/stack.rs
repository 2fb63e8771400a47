//! Which phases have a product at each place, and how the values of a row of places are laid out.

use super::axis::Axis;
use super::tiles::Place;
use crate::cpu::odd_lines;

/// For each point along a row of places the phases, down and across, that are multiplied there. Of some tiles the
/// values lie point by point, at each tile by tile, and of a tile phase by phase.
pub(super) struct Stack(Vec<Vec<[usize; 2]>>);

impl Stack {
    /// One phase at each point.
    pub fn plain(points: usize) -> Stack {
        Stack(vec![vec![[0, 0]]; points])
    }

    /// The phases of row `row`.
    pub fn of_phases([rows, columns]: [&Axis; 2], row: usize) -> Stack {
        let those = |axis: &Axis, point: usize| -> Vec<usize> {
            let phases = axis.phases.iter().enumerate();
            phases.filter(|(_, phase)| axis.multiplies(phase, point)).map(|(i, _)| i).collect()
        };
        let down = those(rows, row);
        let pairs = |point: usize| {
            let across = those(columns, point);
            down.iter().flat_map(|&h| across.iter().map(move |&w| [h, w])).collect()
        };
        Stack((0..columns.points).map(pairs).collect())
    }

    /// How many phases there are at `point`.
    pub fn phases(&self, point: usize) -> usize {
        self.0[point].len()
    }

    /// Values of `tiles` tiles of `c` channels in each phase, and what lies between them.
    pub fn len(&self, tiles: usize, c: usize) -> usize {
        self.before(self.0.len(), c) * tiles
    }

    /// Values of a tile at the first `points` points.
    fn before(&self, points: usize, c: usize) -> usize {
        (0..points).map(|point| self.pitch(point, c)).sum()
    }

    /// From a tile to the next: an odd number of cache lines, so that those of several tiles don't meet in the same few
    /// sets of the L1 cache.
    fn pitch(&self, point: usize, c: usize) -> usize {
        odd_lines(self.0[point].len() * c)
    }

    /// Where those lie that are the `slot`-th of `point`'s phases.
    pub fn place(&self, point: usize, slot: usize, tiles: usize, c: usize) -> Place {
        Place { point, start: self.before(point, c) * tiles + slot * c, stride: self.pitch(point, c) }
    }

    /// Where those of a phase lie, point by point.
    pub fn places(&self, phase: [usize; 2], tiles: usize, c: usize) -> Vec<Place> {
        let slot = |point: usize| self.0[point].iter().position(|&other| other == phase);
        let place = |point| Some(self.place(point, slot(point)?, tiles, c));
        (0..self.0.len()).filter_map(place).collect()
    }
}
