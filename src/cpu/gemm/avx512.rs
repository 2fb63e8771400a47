//! Tiles of 6 × 64 with AVX-512: 24 of the 32 registers hold sums.
#![cfg(target_arch = "x86_64")]
#![expect(unsafe_code, reason = "intrinsics on raw pointers")]

use super::dots::{self, Dots};
use super::microkernel::{ROWS, Tile, compute};
use super::sets::{Microkernels, Set};
use super::vector::Vector;
use std::arch::x86_64::*;

pub(super) static KERNELS: Microkernels = Microkernels::new::<Avx512>("AVX-512");

enum Avx512 {}

impl Set for Avx512 {
    type Vector = __m512;
    type Lanes = __m512;
    const VECTORS: usize = 4;
    const DOTS_ROWS: [usize; dots::COLUMNS] = [8, 8, 8];

    #[target_feature(enable = "avx512f")]
    unsafe fn tile<const R: usize, const N: usize, const AHEAD: bool>(tile: &Tile, c: &[*mut f32; ROWS]) {
        // SAFETY: as this function's.
        unsafe { compute::<__m512, R, N, AHEAD>(tile, c) }
    }

    #[target_feature(enable = "avx512f")]
    unsafe fn dots<const R: usize, const N: usize>(tile: &mut Dots) {
        // SAFETY: as this function's.
        unsafe { dots::compute::<__m512, R, N>(tile) }
    }
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
    unsafe fn load_first(from: *const f32, count: usize) -> __m512 {
        // SAFETY: as this function's: what the mask leaves out is not read.
        unsafe { _mm512_maskz_loadu_ps(((1_u32 << count) - 1) as __mmask16, from) }
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
        // Written out: the order that `_mm512_reduce_add_ps` adds in is not promised.
        // SAFETY: as `splat`.
        unsafe {
            let upper = _mm512_castps_pd(self);
            let upper = _mm256_castpd_ps(_mm512_extractf64x4_pd::<1>(upper));
            _mm512_castps512_ps256(self).add(upper).total()
        }
    }
}
