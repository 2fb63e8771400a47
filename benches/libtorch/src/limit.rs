//! The limit: how many fused multiply-adds the machine does in a second, by loops that touch no memory.
//!
//! ```text
//! sum ← sum · scale + shift      in the widest vectors there are, 12 sums at once
//! ```
//!
//! Twelve independent chains hide a latency of four to six cycles on two units, and with the two constants
//! they fit the 16 registers of AVX2.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// Chains of dependent multiply-adds.
const CHAINS: usize = 12;

/// A loop of as many rounds as is said, and the lanes of its vectors.
type Kernel = (fn(u64) -> f32, usize);

/// The most GFLOP/s (a multiply-add is two) that `threads` threads reach at once, over trials that take
/// `time` in all.
pub fn gflops(threads: usize, time: Duration) -> f64 {
    let (run, lanes) = kernel();
    let flops = |rounds: u64| (2 * CHAINS * lanes) as f64 * rounds as f64;
    let mut rounds = 1 << 16;
    let (mut best, start) = (0.0f64, Instant::now());
    while start.elapsed() < time {
        let seconds = together(threads, || {
            black_box(run(black_box(rounds)));
        });
        best = best.max(threads as f64 * flops(rounds) / seconds / 1e9);
        // Trials of 10 ms: long enough for the clock and for threads to start, short enough that a busy
        // machine leaves some of them alone.
        if seconds < 0.01 {
            rounds *= 2;
        }
    }
    best
}

/// The seconds that `threads` threads, let go at once, take for `f` each.
fn together(threads: usize, f: impl Fn() + Sync) -> f64 {
    let barrier = Barrier::new(threads);
    let timed = || {
        barrier.wait();
        let start = Instant::now();
        f();
        start.elapsed().as_secs_f64()
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(timed)).collect();
        let seconds = workers.into_iter().map(|w| w.join().expect("no panic"));
        seconds.fold(0.0, f64::max)
    })
}

#[cfg(target_arch = "x86_64")]
fn kernel() -> Kernel {
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the processor has AVX-512F.
        return (|rounds| unsafe { x86::avx512(rounds) }, 16);
    }
    if is_x86_feature_detected!("fma") {
        // SAFETY: the processor has FMA, and with it AVX.
        return (|rounds| unsafe { x86::fma(rounds) }, 8);
    }
    (portable, 4)
}

#[cfg(not(target_arch = "x86_64"))]
fn kernel() -> Kernel {
    (portable, 4)
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::CHAINS;
    use std::arch::x86_64::{
        _mm256_add_ps, _mm256_cvtss_f32, _mm256_fmadd_ps, _mm256_set1_ps, _mm512_add_ps, _mm512_cvtss_f32,
        _mm512_fmadd_ps, _mm512_set1_ps,
    };

    #[target_feature(enable = "avx512f")]
    pub fn avx512(rounds: u64) -> f32 {
        let (scale, shift) = (_mm512_set1_ps(0.999), _mm512_set1_ps(0.001));
        let mut sums = [shift; CHAINS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = _mm512_fmadd_ps(*sum, scale, shift);
            }
        }
        let mut total = scale;
        for sum in sums {
            total = _mm512_add_ps(total, sum);
        }
        _mm512_cvtss_f32(total)
    }

    #[target_feature(enable = "avx,fma")]
    pub fn fma(rounds: u64) -> f32 {
        let (scale, shift) = (_mm256_set1_ps(0.999), _mm256_set1_ps(0.001));
        let mut sums = [shift; CHAINS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = _mm256_fmadd_ps(*sum, scale, shift);
            }
        }
        let mut total = scale;
        for sum in sums {
            total = _mm256_add_ps(total, sum);
        }
        _mm256_cvtss_f32(total)
    }
}

/// What the compiler makes of four lanes; fused where every processor of the architecture does that.
fn portable(rounds: u64) -> f32 {
    let step = |sum: f32| match cfg!(target_arch = "aarch64") {
        true => sum.mul_add(0.999, 0.001),
        false => sum * 0.999 + 0.001,
    };
    let mut sums = [0.001f32; 4 * CHAINS];
    for _ in 0..rounds {
        sums = sums.map(step);
    }
    sums.into_iter().sum()
}
