// Nearest-neighbour upsampling, y[n, i, j, c] = x[n, i / f, j / f, c], and its gradient, which sums each block of f × f.
//
// Grid: any; each thread makes every grid_threads()-th value of the result: a copy for upsampling, a whole block's sum
// for the gradient, so that nothing is written twice. Images need no axis: as f divides a large image's height, row r
// of all large images belongs to row r / f of all small ones.
//
// The forms in fours are for c a multiple of 4; their c counts fours.
#include "common.cuh"

__device__ __forceinline__ void add_to(float& sum, float value) { sum += value; }
__device__ __forceinline__ void add_to(float4& sum, float4 value) {
    sum.x += value.x;
    sum.y += value.y;
    sum.z += value.z;
    sum.w += value.w;
}

// to: `rows` large rows of w · f pixels.
template <class T>
__device__ __forceinline__ void upsample(const T* __restrict__ from, T* __restrict__ to, int rows, int w, int c,
                                         int f) {
    const int n = rows * w * f * c;
    for (int i = grid_thread(); i < n; i += grid_threads()) {
        const int pixel = i / c, row = pixel / (w * f), column = pixel % (w * f);
        to[i] = from[(row / f * w + column / f) * c + i % c];
    }
}

// to: `rows` small rows of w pixels.
template <class T>
__device__ __forceinline__ void sum_blocks(const T* __restrict__ grad, T* __restrict__ to, int rows, int w, int c,
                                           int f) {
    const int n = rows * w * c;
    for (int i = grid_thread(); i < n; i += grid_threads()) {
        const int pixel = i / c, row = pixel / w, column = pixel % w;
        T sum = {};
        for (int y = row * f; y < (row + 1) * f; y++) {
            for (int x = column * f; x < (column + 1) * f; x++) add_to(sum, grad[(y * w * f + x) * c + i % c]);
        }
        to[i] = sum;
    }
}

extern "C" __global__ void upsample_forward(const float* from, float* to, int rows, int w, int c, int f) {
    upsample(from, to, rows, w, c, f);
}
extern "C" __global__ void upsample_forward_fours(const float4* from, float4* to, int rows, int w, int c, int f) {
    upsample(from, to, rows, w, c, f);
}
extern "C" __global__ void upsample_grad(const float* grad, float* to, int rows, int w, int c, int f) {
    sum_blocks(grad, to, rows, w, c, f);
}
extern "C" __global__ void upsample_grad_fours(const float4* grad, float4* to, int rows, int w, int c, int f) {
    sum_blocks(grad, to, rows, w, c, f);
}
