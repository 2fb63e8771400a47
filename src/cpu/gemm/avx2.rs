//! Tiles of 6 × 16 with AVX2 and FMA: 12 of the 16 registers hold sums.
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
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(&KERNELS)
    }

    static KERNELS: Microkernels = Microkernels {
        name: "AVX2",
        lanes: __m256::LANES,
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
        &[tile::<R, 1, AHEAD>, tile::<R, 2, AHEAD>]
    }

    /// # Safety
    /// As [`compute`].
    #[target_feature(enable = "avx2,fma")]
    unsafe fn tile<const R: usize, const N: usize, const AHEAD: bool>(
        tile: &Tile,
        c: &[*mut f32; ROWS],
    ) {
        // SAFETY: as this function's.
        unsafe { compute::<__m256, R, N, AHEAD>(tile, c) }
    }

    const fn dots_row<const R: usize>() -> [DotsFn; dots::COLUMNS] {
        [dots::<R, 1>, dots::<R, 2>, dots::<R, 3>]
    }

    /// # Safety
    /// As [`dots::compute`].
    #[target_feature(enable = "avx2,fma")]
    unsafe fn dots<const R: usize, const N: usize>(tile: &mut Dots) {
        // SAFETY: as this function's.
        unsafe { dots::compute::<__m256, R, N>(tile) }
    }

    impl Vector for __m256 {
        const LANES: usize = 8;

        #[inline(always)]
        fn splat(value: f32) -> __m256 {
            // SAFETY: only `tile` and `dots` above use this, where the instruction set is there.
            unsafe { _mm256_set1_ps(value) }
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> __m256 {
            // SAFETY: as this function's.
            unsafe { _mm256_loadu_ps(from) }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: as this function's.
            unsafe { _mm256_storeu_ps(to, self) }
        }

        #[inline(always)]
        fn add(self, a: __m256) -> __m256 {
            // SAFETY: as `splat`.
            unsafe { _mm256_add_ps(self, a) }
        }

        #[inline(always)]
        fn add_product(self, a: __m256, b: __m256) -> __m256 {
            // SAFETY: as `splat`.
            unsafe { _mm256_fmadd_ps(a, b, self) }
        }

        #[inline(always)]
        fn total(self) -> f32 {
            // SAFETY: as `splat`.
            unsafe {
                let halves = _mm_add_ps(
                    _mm256_castps256_ps128(self),
                    _mm256_extractf128_ps::<1>(self),
                );
                let pairs = _mm_add_ps(halves, _mm_movehl_ps(halves, halves));
                _mm_cvtss_f32(_mm_add_ss(pairs, _mm_movehdup_ps(pairs)))
            }
        }
    }
}
