//! What an instruction set brings to the microkernels, and the tables that come of it.

use super::dots::{self, Dots, DotsFn};
use super::microkernel::{MAX_VECTORS, ROWS, Tile, TileFn};
use super::vector::Vector;
use super::{avx2, avx512, portable};
use crate::cpu::isa::{self, InstructionSet};

/// The microkernels of an instruction set.
pub struct Microkernels {
    /// Its name.
    pub name: &'static str,
    /// f32 in a vector.
    pub lanes: usize,
    /// Vectors of the widest tile.
    pub(super) vectors: usize,
    /// By rows - 1 and vectors - 1.
    pub(super) tiles: [[TileFn; MAX_VECTORS]; ROWS],
    /// The same with something to be fetched meanwhile.
    pub(super) tiles_ahead: [[TileFn; MAX_VECTORS]; ROWS],
    /// Rows of the highest tile, by columns - 1.
    pub(super) dots_rows: [usize; dots::COLUMNS],
    /// By rows - 1 and columns - 1.
    pub(super) dots: [[DotsFn; dots::COLUMNS]; dots::ROWS],
}

/// Those that kernels are to run with now.
pub fn microkernels() -> &'static Microkernels {
    of(isa::current())
}

/// All that this machine can run, the widest first.
pub fn available() -> Vec<&'static Microkernels> {
    InstructionSet::available().map(of).collect()
}

/// [`available`], and what stands for AVX-512 on machines without it.
#[cfg(test)]
pub(super) fn testable() -> Vec<&'static Microkernels> {
    let mut all = available();
    all.push(&portable::AS_AVX512);
    all
}

fn of(set: InstructionSet) -> &'static Microkernels {
    match set {
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx512 => &avx512::KERNELS,
        #[cfg(target_arch = "x86_64")]
        InstructionSet::Avx2 => &avx2::KERNELS,
        _ => &portable::KERNELS,
    }
}

impl Microkernels {
    /// Columns of the widest tile.
    pub fn columns(&self) -> usize {
        self.lanes * self.vectors
    }

    pub(super) const fn new<S: Set>(name: &'static str) -> Microkernels {
        Microkernels {
            name,
            lanes: S::Vector::LANES,
            vectors: S::VECTORS,
            tiles: tiles::<S, false>(),
            tiles_ahead: tiles::<S, true>(),
            dots_rows: S::DOTS_ROWS,
            dots: [
                dots_row::<S, 1>(),
                dots_row::<S, 2>(),
                dots_row::<S, 3>(),
                dots_row::<S, 4>(),
                dots_row::<S, 5>(),
                dots_row::<S, 6>(),
                dots_row::<S, 7>(),
                dots_row::<S, 8>(),
            ],
        }
    }
}

/// An instruction set: its vectors, how many of them its registers hold, and the microkernels compiled for it.
#[expect(unsafe_code, reason = "microkernels take raw pointers")]
pub(super) trait Set {
    type Vector: Vector;
    /// [`dots::LANES`] of f32.
    type Lanes: Vector;
    /// Vectors of the widest tile whose sums are held in registers.
    const VECTORS: usize;
    /// Rows of the highest tile of dot products whose sums are held in registers, by columns - 1.
    const DOTS_ROWS: [usize; dots::COLUMNS];

    /// # Safety
    /// As [`super::microkernel::compute`].
    unsafe fn tile<const R: usize, const N: usize, const AHEAD: bool>(tile: &Tile, c: &[*mut f32; ROWS]);

    /// # Safety
    /// As [`dots::compute`].
    unsafe fn dots<const R: usize, const N: usize>(tile: &mut Dots);
}

const fn tiles<S: Set, const AHEAD: bool>() -> [[TileFn; MAX_VECTORS]; ROWS] {
    [
        tile_row::<S, 1, AHEAD>(),
        tile_row::<S, 2, AHEAD>(),
        tile_row::<S, 3, AHEAD>(),
        tile_row::<S, 4, AHEAD>(),
        tile_row::<S, 5, AHEAD>(),
        tile_row::<S, 6, AHEAD>(),
    ]
}

const fn tile_row<S: Set, const R: usize, const AHEAD: bool>() -> [TileFn; MAX_VECTORS] {
    [tile::<S, R, 1, AHEAD>(), tile::<S, R, 2, AHEAD>(), tile::<S, R, 3, AHEAD>(), tile::<S, R, 4, AHEAD>()]
}

/// A tile wider than any that is used stands for the narrowest, so that none is compiled in vain.
const fn tile<S: Set, const R: usize, const N: usize, const AHEAD: bool>() -> TileFn {
    if N <= S::VECTORS { S::tile::<R, N, AHEAD> } else { S::tile::<R, 1, AHEAD> }
}

const fn dots_row<S: Set, const R: usize>() -> [DotsFn; dots::COLUMNS] {
    [dots::<S, R, 1>(), dots::<S, R, 2>(), dots::<S, R, 3>()]
}

/// Likewise for one that is higher.
const fn dots<S: Set, const R: usize, const N: usize>() -> DotsFn {
    if R <= S::DOTS_ROWS[N - 1] { S::dots::<R, N> } else { S::dots::<1, N> }
}
