// Values four at a time: one 16-byte access in place of four, for kernels that go over an array value by value.
//
//   for (int i = 4 * grid_thread(); i < n; i += 4 * grid_threads()) store_four(y, i, n, f(load_four(x, i, n)));
//
// `i` is a multiple of 4 and arrays begin at multiples of 16 bytes. The last four may reach beyond the array.
#pragma once
#include "common.cuh"

// ANCHOR: load_four
// Values i to i + 3 of an array of n; 0 in place of those it lacks.
__device__ __forceinline__ float4 load_four(const float* from, int i, int n) {
    if (i + 4 <= n) return *reinterpret_cast<const float4*>(from + i);
    float4 some = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    if (i < n) some.x = from[i];
    if (i + 1 < n) some.y = from[i + 1];
    if (i + 2 < n) some.z = from[i + 2];
    return some;
}
// ANCHOR_END: load_four

// Writes those of the four that the array has.
__device__ __forceinline__ void store_four(float* to, int i, int n, float4 values) {
    if (i + 4 <= n) {
        *reinterpret_cast<float4*>(to + i) = values;
        return;
    }
    if (i < n) to[i] = values.x;
    if (i + 1 < n) to[i + 1] = values.y;
    if (i + 2 < n) to[i + 2] = values.z;
}

// The values that a row of `channels` has for places i to i + 3 of an array whose rows it is repeated for.
__device__ __forceinline__ float4 load_channels(const float* row, int i, int channels) {
    int c = int(u32(i) % u32(channels));
    if (channels % 4 == 0) return *reinterpret_cast<const float4*>(row + c);
    auto next = [&] { return c + 1 == channels ? 0 : c + 1; };
    float4 values;
    values.x = row[c];
    values.y = row[c = next()];
    values.z = row[c = next()];
    values.w = row[c = next()];
    return values;
}

// f of the first, second, third and fourth values of some fours.
template <class F>
__device__ __forceinline__ float4 map_four(F f, float4 a) {
    return make_float4(f(a.x), f(a.y), f(a.z), f(a.w));
}
template <class F>
__device__ __forceinline__ float4 map_four(F f, float4 a, float4 b) {
    return make_float4(f(a.x, b.x), f(a.y, b.y), f(a.z, b.z), f(a.w, b.w));
}
template <class F>
__device__ __forceinline__ float4 map_four(F f, float4 a, float4 b, float4 c) {
    return make_float4(f(a.x, b.x, c.x), f(a.y, b.y, c.y), f(a.z, b.z, c.z), f(a.w, b.w, c.w));
}
