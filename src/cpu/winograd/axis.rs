//! One axis of a convolution with any stride, as convolutions of stride 1, and how it is cut into tiles.
//!
//! With stride s and padding p, tap i joins output t to input s·t + i - p. The taps r, r + s, r + 2s … are a phase of
//! the kernel, and the inputs that they meet are a phase of the input:
//!
//! ```text
//! convolution   y_t   = Σ_r Σ_a  x^r_{t + a} · g^r_a     with   x^r_u = x_{s·u + r - p}   and   g^r_a = g_{s·a + r}
//! transposed    x^r_u =     Σ_a  y_{u - a} · g^r_a
//! ```
//!
//! All phases are transformed for the same points. Those of a convolution are summed before the single inverse
//! transform; those of the transposed one share the signal. A phase with one tap less needs no product at ∞, where its
//! filter is 0, or, if its taps are the later ones, at 0. For a 5 × 5 kernel and stride 2 the phases take 36, 30, 30
//! and 25 products for a tile of 4 × 4.

use super::matrices::{MAX_POINTS, Transform};
use super::tiles::Cut;

/// Which of the two convolutions that a geometry describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The convolution.
    Forward,
    /// The transposed one: its taps run backwards and its weights are read transposed.
    Transposed,
}

/// What an array is in y = Aᵀ ((G g) ⊙ (Bᵀ d)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// d.
    Signal,
    /// g.
    Filter,
    /// y.
    Result,
}

// ANCHOR: phase
/// The taps r, r + s, … and the inputs r - p, r - p + s, …
#[derive(Clone, Copy, Debug)]
pub(super) struct Phase {
    /// The first of its taps, r.
    tap: usize,
    /// How many.
    taps: usize,
    /// How many signals it lies behind the first phase.
    shift: usize,
    /// The input that its first tile begins with.
    input: isize,
}
// ANCHOR_END: phase

/// An axis that is cut into tiles.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    /// Of the convolution.
    stride: usize,
    pub phases: Vec<Phase>,
    direction: Direction,
    /// Results of a tile.
    tile: usize,
    /// Tiles of the axis.
    pub tiles: usize,
    /// The output that the first tile begins with.
    output: isize,
    /// Points of the transforms.
    pub points: usize,
}

impl Axis {
    /// The axis of a convolution with as few products as any number of points gives; none if its kernel is too large
    /// for all of them, or some inputs meet no tap.
    pub fn new(
        direction: Direction,
        [inputs, outputs]: [usize; 2],
        k: usize,
        stride: usize,
        padding: usize,
    ) -> Option<Axis> {
        if stride > k {
            return None;
        }
        let phases = (0..stride).map(|tap| (tap, (k - tap).div_ceil(stride)));
        let before = |tap: usize| padding.saturating_sub(tap).div_ceil(stride);
        let input = |tap: usize, at: usize| (stride * at + tap) as isize - padding as isize;
        let (phases, output, results): (Vec<Phase>, isize, usize) = match direction {
            Direction::Forward => {
                let phase = |(tap, taps)| Phase { tap, taps, shift: 0, input: input(tap, 0) };
                (phases.map(phase).collect(), 0, outputs)
            }
            Direction::Transposed => {
                let signal = |tap: usize, taps: usize| before(tap) as isize + 1 - taps as isize;
                let first = phases.clone().map(|(tap, taps)| signal(tap, taps)).min().unwrap_or(0);
                let results = |tap: usize| {
                    let end = (inputs + padding).saturating_sub(tap).div_ceil(stride);
                    end.saturating_sub(before(tap))
                };
                let longest = phases.clone().map(|(tap, _)| results(tap)).max().unwrap_or(0);
                let phase = |(tap, taps)| {
                    let shift = (signal(tap, taps) - first) as usize;
                    Phase { tap, taps, shift, input: input(tap, before(tap)) }
                };
                (phases.map(phase).collect(), first, longest)
            }
        };
        let frame = phases.iter().map(|phase| phase.shift + phase.taps).max().unwrap_or(1);
        let cut = |points: usize| {
            let tile = points + 1 - frame;
            let tiles = results.div_ceil(tile);
            Axis { stride, phases: phases.clone(), direction, tile, tiles, output, points }
        };
        (frame + 1..=MAX_POINTS).map(cut).min_by_key(Axis::products)
    }

    // ANCHOR: products
    /// Products along the axis, for each pair of channels.
    pub fn products(&self) -> usize {
        let of_phase = |phase| (0..self.points).filter(|&point| self.multiplies(phase, point)).count();
        self.tiles * self.phases.iter().map(of_phase).sum::<usize>()
    }
    // ANCHOR_END: products

    /// Taps of all phases, side by side.
    fn frame(&self) -> usize {
        self.points + 1 - self.tile
    }

    // ANCHOR: multiplies
    /// Whether a phase has a product at a point: at 0 if its filter has a constant term, at ∞ if it has the highest
    /// power.
    pub fn multiplies(&self, phase: &Phase, point: usize) -> bool {
        let [at_zero, at_infinity] = [point == 0, point == self.points - 1];
        (!at_zero || phase.shift == 0) && (!at_infinity || phase.shift + phase.taps == self.frame())
    }
    // ANCHOR_END: multiplies

    /// G of the phase's taps, which its kernel holds in rising order.
    fn filter(&self, phase: &Phase) -> Transform {
        let columns = |filter: Transform| filter.columns(phase.shift, phase.taps);
        let filter = columns(Transform::filter(self.points, self.frame()));
        match self.direction {
            Direction::Forward => filter,
            Direction::Transposed => filter.reversed(phase.taps),
        }
    }

    /// The convolution's inputs, cut once for each phase.
    pub fn inputs(&self, pixels: usize, part: Part) -> Vec<Cut> {
        let cut = |phase: &Phase| Cut {
            pixels,
            tiles: self.tiles,
            first: phase.input,
            step: self.stride,
            spacing: self.tile,
            patch: self.patch(part),
            transform: match part {
                // What there is no product for is not read.
                Part::Result => self.tile_transform(part).keeping(|point| self.multiplies(phase, point)),
                _ => self.tile_transform(part),
            },
        };
        self.phases.iter().map(cut).collect()
    }

    /// Its outputs.
    pub fn outputs(&self, pixels: usize, part: Part) -> Vec<Cut> {
        vec![Cut {
            pixels,
            tiles: self.tiles,
            first: self.output,
            step: 1,
            spacing: self.tile,
            patch: self.patch(part),
            transform: self.tile_transform(part),
        }]
    }

    /// How its kernel is cut: each phase is a tile.
    pub fn kernel(&self, taps: usize, part: Part) -> Vec<Cut> {
        let cut = |phase: &Phase| Cut {
            pixels: taps,
            tiles: 1,
            first: phase.tap as isize,
            step: self.stride,
            spacing: 0,
            patch: phase.taps,
            transform: match part {
                Part::Result => Transform::outputs(self.points, self.frame()),
                _ => self.filter(phase),
            },
        };
        self.phases.iter().map(cut).collect()
    }

    /// Pixels of a tile.
    fn patch(&self, part: Part) -> usize {
        if part == Part::Signal { self.points } else { self.tile }
    }

    /// What is done to a tile.
    fn tile_transform(&self, part: Part) -> Transform {
        match part {
            Part::Signal => Transform::signal(self.points),
            Part::Filter => Transform::filter(self.points, self.tile),
            Part::Result => Transform::outputs(self.points, self.tile),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_has_a_product_wherever_its_filter_is_not_zeros() {
        for direction in [Direction::Forward, Direction::Transposed] {
            for (size, k, stride, padding) in [(7, 5, 1, 2), (14, 5, 2, 1), (8, 4, 2, 1), (16, 3, 2, 0), (20, 7, 3, 4)]
            {
                let outputs = (size + 2 * padding - k) / stride + 1;
                let axis = Axis::new(direction, [size, outputs], k, stride, padding).unwrap();
                for phase in &axis.phases {
                    for (point, row) in axis.filter(phase).0[..axis.points].iter().enumerate() {
                        let zeros = row.iter().all(|&v| v == 0.0);
                        assert_eq!(
                            axis.multiplies(phase, point),
                            !zeros,
                            "{direction:?}, {k} taps, stride {stride}: {point}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_kernel_may_be_too_large_or_leave_inputs_out() {
        assert!(Axis::new(Direction::Forward, [28, 20], 9, 1, 0).is_none());
        assert!(Axis::new(Direction::Transposed, [28, 10], 28, 2, 0).is_none());
        assert!(Axis::new(Direction::Forward, [28, 10], 2, 3, 0).is_none());
    }
}
