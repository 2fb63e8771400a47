//! Tiles of 6 × 16 with AVX2 and FMA: 12 of the 16 registers hold sums.
#![cfg(target_arch = "x86_64")]
#![expect(unsafe_code, reason = "intrinsics on raw pointers")]

use super::dots;
use super::table::Set;
use super::vector::Vector;
use std::arch::x86_64::*;

/// AVX2 and FMA.
pub(super) enum Avx2 {}

impl Set for Avx2 {
    type Vector = __m256;
    type Lanes = [__m256; 2];
    const VECTORS: usize = 2;
    const DOTS_ROWS: [usize; dots::COLUMNS] = [7, 3, 2];

    #[target_feature(enable = "avx2,fma")]
    // SAFETY: the trait says what the caller sees to.
    unsafe fn enabled<T>(kernel: impl FnOnce() -> T) -> T {
        kernel()
    }
}

// SAFETY: it is eight f32.
unsafe impl Vector for __m256 {
    const LANES: usize = 8;

    #[inline(always)]
    fn splat(value: f32) -> __m256 {
        // SAFETY: `Vector` says where this is called.
        unsafe { _mm256_set1_ps(value) }
    }

    #[inline(always)]
    // SAFETY: the trait says what the caller sees to.
    unsafe fn load_first(from: *const f32, count: usize) -> __m256 {
        // SAFETY: as this function's: what the mask leaves out is not read.
        unsafe {
            let lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
            let mask = _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), lanes);
            _mm256_maskload_ps(from, mask)
        }
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
            let halves = _mm_add_ps(_mm256_castps256_ps128(self), _mm256_extractf128_ps::<1>(self));
            let pairs = _mm_add_ps(halves, _mm_movehl_ps(halves, halves));
            _mm_cvtss_f32(_mm_add_ss(pairs, _mm_movehdup_ps(pairs)))
        }
    }
}
