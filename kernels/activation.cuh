// Leaky ReLU and dropout of one value, and the slopes that their output tells: what leaky_relu.cu, dropout.cu and
// batch_norm.cu have in common.
#pragma once
#include "common.cuh"

// ANCHOR: rectified
// slope · x; 0 where the slope is 0, whatever x is: of an infinite one a product would make NaN.
__device__ __forceinline__ float slope_times(float slope, float x) { return slope == 0.0f ? 0.0f : slope * x; }

// x where it is positive or NaN, slope · x elsewhere.
__device__ __forceinline__ float rectified(float x, float slope) { return x <= 0.0f ? slope_times(slope, x) : x; }
// ANCHOR_END: rectified

// The value times `scale` where its word is at least `threshold`. Adding 0 makes a zero that is kept +0; a value that
// is dropped is -0, so the output tells the two apart.
__device__ __forceinline__ float kept_or_dropped(float value, u32 word, float scale, u32 threshold) {
    return word >= threshold ? __fmaf_rn(value, scale, 0.0f) : -0.0f;
}
__device__ __forceinline__ float4 kept_or_dropped(float4 values, uint4 words, float scale, u32 threshold) {
    return make_float4(kept_or_dropped(values.x, words.x, scale, threshold),
                       kept_or_dropped(values.y, words.y, scale, threshold),
                       kept_or_dropped(values.z, words.z, scale, threshold),
                       kept_or_dropped(values.w, words.w, scale, threshold));
}

// The derivative by the sign of the output.
struct Slopes {
    float above, below, dropped;

    // The gradient g times the slope where the output is y.
    __device__ __forceinline__ float times(float y, float g) const {
        const float not_above = __float_as_uint(y) == 0x80000000u ? dropped : below;
        return slope_times(y <= 0.0f ? not_above : above, g);
    }
};
