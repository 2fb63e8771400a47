//! Tiles of 6 × 8 in `wide`'s vectors, for machines that nothing better is known of.
#![expect(unsafe_code, reason = "the microkernels' interface is raw pointers")]

use super::dots::{self, Dots, DotsFn};
use super::microkernel::{Microkernels, ROWS, Tile, TileFn, Vector, compute};
use wide::f32x8;

pub(super) fn available() -> &'static Microkernels {
    &KERNELS
}

static KERNELS: Microkernels = Microkernels {
    name: "portable",
    lanes: f32x8::LANES,
    tiles: tiles::<false>(),
    tiles_ahead: tiles::<true>(),
    dots: [
        dots_row::<1>(),
        dots_row::<2>(),
        dots_row::<3>(),
        dots_row::<4>(),
        dots_row::<5>(),
        dots_row::<6>(),
        dots_row::<7>(),
        dots_row::<8>(),
    ],
};

const fn tiles<const AHEAD: bool>() -> [&'static [TileFn]; ROWS] {
    [
        row::<1, AHEAD>(),
        row::<2, AHEAD>(),
        row::<3, AHEAD>(),
        row::<4, AHEAD>(),
        row::<5, AHEAD>(),
        row::<6, AHEAD>(),
    ]
}

const fn row<const R: usize, const AHEAD: bool>() -> &'static [TileFn] {
    &[tile::<R, AHEAD>]
}

/// # Safety
/// As [`compute`].
unsafe fn tile<const R: usize, const AHEAD: bool>(tile: &Tile, c: &[*mut f32; ROWS]) {
    // SAFETY: as this function's.
    unsafe { compute::<f32x8, R, 1, AHEAD>(tile, c) }
}

const fn dots_row<const R: usize>() -> [DotsFn; dots::COLUMNS] {
    [dots::<R, 1>, dots::<R, 2>, dots::<R, 3>]
}

/// # Safety
/// As [`dots::compute`].
unsafe fn dots<const R: usize, const N: usize>(tile: &mut Dots) {
    // SAFETY: as this function's.
    unsafe { dots::compute::<f32x8, R, N>(tile) }
}

impl Vector for f32x8 {
    const LANES: usize = 8;

    #[inline(always)]
    fn splat(value: f32) -> f32x8 {
        f32x8::splat(value)
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> f32x8 {
        // SAFETY: as this function's; an array of f32 needs no other alignment than one f32.
        f32x8::new(unsafe { *from.cast::<[f32; 8]>() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as `load`.
        unsafe { *to.cast::<[f32; 8]>() = self.to_array() }
    }

    #[inline(always)]
    fn add(self, a: f32x8) -> f32x8 {
        self + a
    }

    #[inline(always)]
    fn add_product(self, a: f32x8, b: f32x8) -> f32x8 {
        a.mul_add(b, self)
    }

    #[inline(always)]
    fn total(self) -> f32 {
        self.reduce_add()
    }
}
