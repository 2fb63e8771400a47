// What the kernels of batch normalisation share: how a channel is normalised, and how a [rows, channels] array is cut.
//
// Sums down the columns are taken of tiles of `tile` rows: grid (row tiles, column tiles), block (width, height), both
// powers of two, with a thread for each of `width` columns and height-th row. The parts of all tiles,
// [tiles][2][channels], are then brought together by one block of up to 1024 threads for each `width` columns, in
// double and in a fixed order.
#pragma once
#include "activation.cuh"
#include "reduce.cuh"
#include "vectors.cuh"

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
