//! Tiles of 6 × 16 in pairs of `wide`'s vectors, for processors that nothing better is known of.
#![expect(unsafe_code, reason = "the microkernels' interface is raw pointers")]

use super::dots::{self, Dots};
use super::microkernel::{ROWS, Tile, compute};
use super::sets::{Microkernels, Set};
use super::vector::Vector;
use wide::f32x8;

pub(super) static KERNELS: Microkernels = Microkernels::new::<Portable<1>>("portable");

/// The sizes of AVX-512's vectors and tiles: what is summed by these is what it sums.
#[cfg(test)]
pub(super) static AS_AVX512: Microkernels = Microkernels::new::<Portable<4>>("like AVX-512");

/// With tiles of so many vectors.
pub(super) enum Portable<const VECTORS: usize> {}

impl<const VECTORS: usize> Set for Portable<VECTORS> {
    type Vector = [f32x8; 2];
    type Lanes = [f32x8; 2];
    const VECTORS: usize = VECTORS;
    const DOTS_ROWS: [usize; dots::COLUMNS] = [6, 3, 2];

    unsafe fn tile<const R: usize, const N: usize, const AHEAD: bool>(tile: &Tile, c: &[*mut f32; ROWS]) {
        // SAFETY: as this function's.
        unsafe { compute::<Self::Vector, R, N, AHEAD>(tile, c) }
    }

    unsafe fn dots<const R: usize, const N: usize>(tile: &mut Dots) {
        // SAFETY: as this function's.
        unsafe { dots::compute::<Self::Lanes, R, N>(tile) }
    }
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
    unsafe fn load_first(from: *const f32, count: usize) -> f32x8 {
        let mut lanes = [0.0; 8];
        for (i, lane) in lanes.iter_mut().enumerate().take(count) {
            // SAFETY: as this function's.
            *lane = unsafe { *from.add(i) };
        }
        f32x8::new(lanes)
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

    /// Not `wide`'s own, which rounds twice where the compiler may not count on an instruction.
    #[inline(always)]
    fn add_product(self, a: f32x8, b: f32x8) -> f32x8 {
        let (sum, a, b) = (self.to_array(), a.to_array(), b.to_array());
        f32x8::new(std::array::from_fn(|i| a[i].mul_add(b[i], sum[i])))
    }

    #[inline(always)]
    fn total(self) -> f32 {
        let [a0, a1, a2, a3, b0, b1, b2, b3] = self.to_array();
        let halves = [a0 + b0, a1 + b1, a2 + b2, a3 + b3];
        (halves[0] + halves[2]) + (halves[1] + halves[3])
    }
}
