// Copies between contiguous memory and a view with strides: permute, broadcast and slice gather from one, pad (into
// zeros) and concat scatter to one.
//
//   gather   to[i] = from[view(i)]        scatter   to[view(i)] = from[i]
//
// Grid: any; each thread takes every grid_threads()-th value of the contiguous side, so that neighbours touch
// neighbours there, and on the view's side too wherever its last axis has stride 1.
//
// The forms in fours move 16 bytes at a time: for views whose last axis has stride 1, and whose length along it, other
// strides and offset are multiples of 4. Their view, and n, count fours.
#include "geometry.cuh"
#include "common.cuh"

// Where value i of the view lies. An axis of length 1 costs no division, so it pays to merge axes beforehand.
__device__ __forceinline__ int place(const View& view, int i) {
    int at = view.offset;
    u32 rest = i;
#pragma unroll
    for (int axis = MAX_RANK - 1; axis >= 0; axis--) {
        const u32 length = view.dims[axis];
        if (length != 1) {
            at += int(rest % length) * view.strides[axis];
            rest /= length;
        }
    }
    return at;
}

template <class T>
__device__ __forceinline__ void gather(const T* __restrict__ from, const View& view, T* __restrict__ to, int n) {
    for (int i = grid_thread(); i < n; i += grid_threads()) to[i] = from[place(view, i)];
}

template <class T>
__device__ __forceinline__ void scatter(const T* __restrict__ from, const View& view, T* __restrict__ to, int n) {
    for (int i = grid_thread(); i < n; i += grid_threads()) to[place(view, i)] = from[i];
}

extern "C" __global__ void strided_gather(const float* from, View view, float* to, int n) {
    gather(from, view, to, n);
}
// Each value divided: the gradient of a mean.
extern "C" __global__ void strided_gather_divided(const float* from, View view, float divisor, float* to, int n) {
    for (int i = grid_thread(); i < n; i += grid_threads()) to[i] = from[place(view, i)] / divisor;
}
extern "C" __global__ void strided_gather_fours(const float4* from, View view, float4* to, int n) {
    gather(from, view, to, n);
}
extern "C" __global__ void strided_scatter(const float* from, View view, float* to, int n) {
    scatter(from, view, to, n);
}
extern "C" __global__ void strided_scatter_fours(const float4* from, View view, float4* to, int n) {
    scatter(from, view, to, n);
}

// Where some numbers lie; src/cuda/strided.rs has the same struct.
constexpr int MAX_NUMBERS = 8;
struct Numbers {
    const float* at[MAX_NUMBERS];
};

// The n numbers side by side. Grid: one thread, which finds them by indices that are known when this is compiled: by
// others the table would lie in local memory.
extern "C" __global__ void strided_numbers(const Numbers numbers, float* __restrict__ to, int n) {
#pragma unroll
    for (int i = 0; i < MAX_NUMBERS; i++) {
        if (i < n) to[i] = *numbers.at[i];
    }
}
