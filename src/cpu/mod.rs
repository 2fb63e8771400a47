//! What the CPU kernels share. Nothing here knows a `Tensor`: functions take slices and geometry, and fill slices.
//!
//! | module | what it has |
//! |---|---|
//! | [`pool`], [`threads`] | the pool of buffers; threads that stay awake from op to op |
//! | [`isa`], [`needed`], [`simd`], [`math`] | the instruction set; loops that become vectors; functions of a number |
//! | [`columns`], [`reduce`], [`strided`] | sums down columns, reductions over any axes, strided copies |
//! | [`gemm`] | matrix products |
//! | [`taps`], [`im2col`], [`winograd`] | three ways to compute convolutions |
//! | [`batch`] | the batch size by which kernels are chosen |

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

/// The number of values in a cache line.
pub const LINE: usize = 16;

/// `values` rounded up to an odd number of cache lines. Rows at this distance use all sets of the L1 cache equally;
/// rows at a distance of a power of two share only a few.
pub fn odd_lines(values: usize) -> usize {
    (values.div_ceil(LINE) | 1) * LINE
}

/// A function that is applied to each part of an output as soon as it is made, while it is in cache. It gets the part,
/// which is whole images, and the index of its first value.
pub type Finisher<'a> = &'a (dyn Fn(&mut [f32], usize) + Sync);

/// The number of values of a task: 64 KiB of f32. That is enough to hide the cost of handing a task to a thread, and
/// little enough that its data stays in the L2 cache.
///
/// Sums are cut by it too, so that another length gives different last bits, but the same ones for any number of
/// threads.
pub const TASK_LENGTH: usize = 1 << 14;

/// The number of whole rows of `width` values in a task: as many as have about [`TASK_LENGTH`] values, and at least
/// one.
pub fn rows_per_task(width: usize) -> usize {
    (TASK_LENGTH / width.max(1)).max(1)
}
