// Sums over the middle one of three axes, y[o, i] = Σ_r x[o, r, i] / divisor, which any sum over axes is made of.
// reduce.cuh has the forms, with their grids.
#include "reduce.cuh"

struct Sum {
    static __device__ __forceinline__ float identity() { return 0.0f; }
    static __device__ __forceinline__ float combine(float a, float b) { return a + b; }
};

// Results are n.
extern "C" __global__ void sum_few(const float* from, float* to, int n, int reduced, int inner, float divisor) {
    reduce_few<Sum>(from, to, n, reduced, inner, divisor);
}

extern "C" __global__ void sum_short_rows(const float* from, float* to, int outer, int reduced, int lanes,
                                            float divisor) {
    reduce_short_rows<Sum>(from, to, outer, reduced, lanes, divisor);
}

extern "C" __global__ void __launch_bounds__(MAX_BLOCK)
    sum_long_rows(const float* from, float* to, int reduced, int tile, float divisor) {
    __shared__ float parts[MAX_BLOCK];
    reduce_long_rows<Sum>(from, to, reduced, tile, divisor, parts);
}

extern "C" __global__ void __launch_bounds__(MAX_BLOCK)
    sum_columns(const float* from, float* to, int reduced, int inner, int tile, int width, float divisor, float* parts,
                u32* counters) {
    __shared__ float shared[MAX_BLOCK];
    __shared__ bool last;
    reduce_columns<Sum>(from, parts, to, reduced, inner, tile, width, divisor, counters, shared, &last);
}
