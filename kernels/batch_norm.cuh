// What the kernels of batch normalisation share: how a channel is normalised, and how a [rows, channels] array is cut.
//
// Sums down the columns are taken of tiles of `tile` rows, by a block for each `width` columns of a tile: grid (tiles,
// columns / width). Threads whose indices differ by a multiple of `width`, a power of two, share a column and take its
// rows in turns. The parts, [tiles][2][channels], are then brought together by the block of those columns that comes last,
// in double and in a fixed order; there the threads of a column take tiles in turns. `counters` has one for each `width`
// columns.
#pragma once
#include "activation.cuh"
#include "reduce.cuh"
#include "vectors.cuh"

// A thread's place among those of its block.
struct ColumnPlace {
    int c, turn, turns;

    __device__ __forceinline__ ColumnPlace(int block, int width)
        : c(block * width + int(threadIdx.x) % width), turn(threadIdx.x / width), turns(blockDim.x / width) {}
};

// z = a · x + b. Written with fused multiply-adds throughout, so that backward finds the very z that forward had.
struct Affine {
    float a, b;

    __device__ __forceinline__ float of(float x) const { return __fmaf_rn(x, a, b); }
};

// a = γ / √(σ² + ε), b = β - μ a.
__device__ __forceinline__ Affine affine_of(float gamma, float beta, float mean, float variance, float epsilon) {
    const float a = gamma / sqrtf(variance + epsilon);
    return {a, __fmaf_rn(-mean, a, beta)};
}
