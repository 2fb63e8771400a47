//! Tiles of 6 × 16 in pairs of `wide`'s vectors, for processors that nothing better is known of.
#![expect(unsafe_code, reason = "the microkernels' interface is raw pointers")]

use super::dots;
use super::table::Set;
use super::vector::Vector;
use wide::f32x8;

/// With tiles of so many vectors.
pub(super) enum Portable<const VECTORS: usize> {}

impl<const VECTORS: usize> Set for Portable<VECTORS> {
    type Vector = [f32x8; 2];
    type Lanes = [f32x8; 2];
    const VECTORS: usize = VECTORS;
    const DOTS_ROWS: [usize; dots::COLUMNS] = [6, 3, 2];

    #[inline(always)]
    // SAFETY: every machine has what this is compiled for.
    unsafe fn enabled<T>(kernel: impl FnOnce() -> T) -> T {
        kernel()
    }
}

// SAFETY: it is eight f32, as `bytemuck::Pod` promises for it.
unsafe impl Vector for f32x8 {
    const LANES: usize = 8;

    #[inline(always)]
    fn splat(value: f32) -> f32x8 {
        f32x8::splat(value)
    }

    #[inline(always)]
    // SAFETY: the trait says what the caller sees to.
    unsafe fn load_first(from: *const f32, count: usize) -> f32x8 {
        let mut lanes = [0.0; 8];
        for (i, lane) in lanes.iter_mut().enumerate().take(count) {
            // SAFETY: as this function's.
            *lane = unsafe { *from.add(i) };
        }
        f32x8::new(lanes)
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
