// Binary cross-entropy of one value against its target t in [0, 1], and its derivative.
#pragma once
#include "common.cuh"

// A probability in a cross-entropy is held between these, or is NaN.
constexpr float EPSILON = 1e-7f;
__device__ __forceinline__ float held(float p) {
    const float above = p < EPSILON ? EPSILON : p;
    return above > 1.0f - EPSILON ? 1.0f - EPSILON : above;
}
// t / p, or 0 where p is held or NaN.
__device__ __forceinline__ float share(float t, float p) {
    return p >= EPSILON && p <= 1.0f - EPSILON ? t / p : 0.0f;
}

// Of a probability p: -t ln p - (1 - t) ln(1 - p).
struct OfProbability {
    static __device__ __forceinline__ float loss(float p, float t) {
        return -(t * logf(held(p)) + (1.0f - t) * logf(held(1.0f - p)));
    }
    static __device__ __forceinline__ float slope(float p, float t) { return share(1.0f - t, 1.0f - p) - share(t, p); }
};

// By e^-|x|, which is never infinite: results below 1e-38 are the subnormal numbers that they should be.
__device__ __forceinline__ float sigmoid(float x) {
    return (x < 0.0f ? expf(-fabsf(x)) : 1.0f) / (1.0f + expf(-fabsf(x)));
}
// max(x, 0) + ln(1 + e^-|x|); the maximum is written so that NaN stays NaN.
__device__ __forceinline__ float softplus(float x) { return (x <= 0.0f ? 0.0f : x) + log1pf(expf(-fabsf(x))); }

// Of a logit x: softplus(x) - x t.
struct OfLogit {
    static __device__ __forceinline__ float loss(float x, float t) { return softplus(x) - x * t; }
    static __device__ __forceinline__ float slope(float x, float t) { return sigmoid(x) - t; }
};
