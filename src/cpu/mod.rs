//! What the CPU kernels share: the buffer pool, threads, by what size of batch they are chosen, the instruction set,
//! SIMD, functions of a number, sums, reductions, strided copies,
//! GEMM, what makes products of convolutions, convolutions in groups and such with fewer products.
//!
//! Nothing here knows a `Tensor`: slices and geometry in, slices out.

pub mod batch;
pub mod columns;
pub mod gemm;
pub mod im2col;
pub mod isa;
pub mod math;
#[cfg(feature = "app")]
pub mod needed;
pub mod pool;
pub mod reduce;
pub mod simd;
pub mod strided;
pub mod taps;
pub mod threads;
pub mod winograd;

/// Values in a line of the cache.
pub const LINE: usize = 16;

/// `values` rounded up to an odd number of cache lines. Rows so far apart lie in all sets of the L1 cache alike; those a power
/// of two apart meet in a few.
pub fn odd_lines(values: usize) -> usize {
    (values.div_ceil(LINE) | 1) * LINE
}

/// What is done to a part of an output as soon as it is made, while it is in cache: the part, whole images, and the number of
/// its first value.
pub type Finisher<'a> = &'a (dyn Fn(&mut [f32], usize) + Sync);

/// Values that a task works through: 64 KiB of f32, enough to hide what handing a task to a thread
/// costs, little enough that what it reads and writes stays in the L2 cache.
///
/// Sums are cut by it as well, so another length gives other last bits, but the same ones on any
/// number of threads.
pub const TASK_LENGTH: usize = 1 << 14;

/// Whole rows of `width` values in a task: at least one, and else about [`TASK_LENGTH`] values.
pub fn rows_per_task(width: usize) -> usize {
    (TASK_LENGTH / width.max(1)).max(1)
}
