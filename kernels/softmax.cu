// Softmax along the middle one of three axes, y[o, r, i] = e^(x[o, r, i] - m) / Σ_r e^(x[o, r, i] - m), with m the
// largest. A NaN need not be found among the largest: the exponential of it is one.
#include "reduce.cuh"

__device__ __forceinline__ float larger(float a, float b) { return b > a ? b : a; }

// Grid: a block of 256 threads for each 8 rows; a warp shares a row, and takes its values in turns. Parts are brought
// together as a tree, in which every lane gets the same.
extern "C" __global__ void softmax_rows(const float* from, float* to, int rows, int length) {
    const int row = grid_thread() / warpSize, lane = grid_thread() % warpSize;
    const float* x = from + row * length;
    const int end = row < rows ? length : 0;
    float largest = __uint_as_float(0xff800000u); // -∞
    for (int r = lane; r < end; r += warpSize) largest = larger(largest, x[r]);
    for (int apart = warpSize / 2; apart > 0; apart /= 2)
        largest = larger(largest, __shfl_xor_sync(0xffffffffu, largest, apart));
    float total = 0.0f;
    for (int r = lane; r < end; r += warpSize) total += expf(x[r] - largest);
    for (int apart = warpSize / 2; apart > 0; apart /= 2) total += __shfl_xor_sync(0xffffffffu, total, apart);
    for (int r = lane; r < end; r += warpSize) to[row * length + r] = expf(x[r] - largest) / total;
}

// Grid: any; each thread makes every grid_threads()-th column, n in all, and adds it up in runs (reduce.cuh).
extern "C" __global__ void softmax_columns(const float* from, float* to, int n, int length, int inner) {
    for (int i = grid_thread(); i < n; i += grid_threads()) {
        const int first = (i / inner) * length * inner + i % inner;
        const float* x = from + first;
        float largest = __uint_as_float(0xff800000u); // -∞
        for (int r = 0; r < length; r++) largest = larger(largest, x[r * inner]);
        float total = 0.0f;
        for (int r = 0; r < length;) {
            const int end = min(r + RUN, length);
            float run = 0.0f;
            for (; r < end; r++) run += expf(x[r * inner] - largest);
            total += run;
        }
        for (int r = 0; r < length; r++) to[first + r * inner] = expf(x[r * inner] - largest) / total;
    }
}
