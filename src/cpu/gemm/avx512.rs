//! Tiles of 6 × 64 with AVX-512: 24 of the 32 registers hold sums.
#![cfg(target_arch = "x86_64")]
#![expect(unsafe_code, reason = "intrinsics on raw pointers")]

use super::dots;
use super::table::Set;
use super::vector::Vector;
use std::arch::x86_64::*;

/// AVX-512.
pub(super) enum Avx512 {}

impl Set for Avx512 {
    type Vector = __m512;
    type Lanes = __m512;
    const VECTORS: usize = 4;
    const DOTS_ROWS: [usize; dots::COLUMNS] = [8, 8, 8];

    #[target_feature(enable = "avx512f")]
    // SAFETY: the trait says what the caller sees to.
    unsafe fn enabled<T>(kernel: impl FnOnce() -> T) -> T {
        kernel()
    }
}

// SAFETY: it is sixteen f32.
unsafe impl Vector for __m512 {
    const LANES: usize = 16;

    #[inline(always)]
    fn splat(value: f32) -> __m512 {
        // SAFETY: `Vector` says where this is called.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    // SAFETY: the trait says what the caller sees to.
    unsafe fn load_first(from: *const f32, count: usize) -> __m512 {
        // SAFETY: as this function's: what the mask leaves out is not read.
        unsafe { _mm512_maskz_loadu_ps(((1_u32 << count) - 1) as __mmask16, from) }
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
        // Written out: the order that `_mm512_reduce_add_ps` adds in is not promised.
        // SAFETY: as `splat`.
        unsafe {
            let upper = _mm512_castps_pd(self);
            let upper = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(upper));
            _mm512_castps512_ps256(self).add(upper).total()
        }
    }
}
