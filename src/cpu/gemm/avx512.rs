//! Tiles of 6 × 64 with AVX-512: 24 of the 32 registers hold sums.
#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "intrinsics on raw pointers")
)]

use super::microkernel::Microkernels;

#[cfg(not(target_arch = "x86_64"))]
pub(super) fn available() -> Option<&'static Microkernels> {
    None
}

#[cfg(target_arch = "x86_64")]
pub(super) use x86::available;

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Microkernels;
    use crate::cpu::gemm::dots::{self, Dots, DotsFn};
    use crate::cpu::gemm::microkernel::{ROWS, Tile, TileFn, Vector, compute};
    use std::arch::x86_64::*;

    pub(in crate::cpu::gemm) fn available() -> Option<&'static Microkernels> {
        is_x86_feature_detected!("avx512f").then_some(&KERNELS)
    }

    static KERNELS: Microkernels = Microkernels {
        name: "AVX-512",
        lanes: __m512::LANES,
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
        &[
            tile::<R, 1, AHEAD>,
            tile::<R, 2, AHEAD>,
            tile::<R, 3, AHEAD>,
            tile::<R, 4, AHEAD>,
        ]
    }

    /// # Safety
    /// As [`compute`].
    #[target_feature(enable = "avx512f")]
    unsafe fn tile<const R: usize, const N: usize, const AHEAD: bool>(
        tile: &Tile,
        c: &[*mut f32; ROWS],
    ) {
        // SAFETY: as this function's.
        unsafe { compute::<__m512, R, N, AHEAD>(tile, c) }
    }

    const fn dots_row<const R: usize>() -> [DotsFn; dots::COLUMNS] {
        [dots::<R, 1>, dots::<R, 2>, dots::<R, 3>]
    }

    /// # Safety
    /// As [`dots::compute`].
    #[target_feature(enable = "avx512f")]
    unsafe fn dots<const R: usize, const N: usize>(tile: &mut Dots) {
        // SAFETY: as this function's.
        unsafe { dots::compute::<__m512, R, N>(tile) }
    }

    impl Vector for __m512 {
        const LANES: usize = 16;

        #[inline(always)]
        fn splat(value: f32) -> __m512 {
            // SAFETY: only `tile` and `dots` above use this, where the instruction set is there.
            unsafe { _mm512_set1_ps(value) }
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> __m512 {
            // SAFETY: as this function's.
            unsafe { _mm512_loadu_ps(from) }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: as this function's.
            unsafe { _mm512_storeu_ps(to, self) }
        }

        #[inline(always)]
        fn add(self, a: __m512) -> __m512 {
            // SAFETY: as `splat`.
            unsafe { _mm512_add_ps(self, a) }
        }

        #[inline(always)]
        fn add_product(self, a: __m512, b: __m512) -> __m512 {
            // SAFETY: as `splat`.
            unsafe { _mm512_fmadd_ps(a, b, self) }
        }

        #[inline(always)]
        fn total(self) -> f32 {
            // SAFETY: as `splat`.
            unsafe { _mm512_reduce_add_ps(self) }
        }
    }
}
