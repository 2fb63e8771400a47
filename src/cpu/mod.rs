//! What the CPU kernels share: the buffer pool, threads, SIMD lanes, strided copies, GEMM and im2col.
//!
//! Nothing here knows a `Tensor`: slices and geometry in, slices out.

pub mod columns;
pub mod gemm;
pub mod im2col;
pub mod pool;
pub mod simd;
pub mod strided;
