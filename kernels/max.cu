// The largest over the middle one of three axes, y[o, i] = max_r x[o, r, i], NaN where there is one. reduce.cuh has the
// forms, with their grids.
#include "reduce.cuh"

struct Max {
    static __device__ __forceinline__ float identity() { return __uint_as_float(0xff800000u); } // -∞
    static __device__ __forceinline__ float combine(float a, float b) { return b > a || b != b ? b : a; }
};

// Results are n.
extern "C" __global__ void max_few(const float* from, float* to, int n, int reduced, int inner) {
    reduce_few<Max>(from, to, n, reduced, inner, 1.0f);
}

extern "C" __global__ void max_short_rows(const float* from, float* to, int outer, int reduced, int lanes) {
    reduce_short_rows<Max>(from, to, outer, reduced, lanes, 1.0f);
}

extern "C" __global__ void __launch_bounds__(MAX_BLOCK)
    max_long_rows(const float* from, float* to, int reduced, int tile) {
    __shared__ float parts[MAX_BLOCK];
    reduce_long_rows<Max>(from, to, reduced, tile, 1.0f, parts);
}

extern "C" __global__ void __launch_bounds__(MAX_BLOCK)
    max_columns(const float* from, float* to, int reduced, int inner, int tile, int width, float* parts,
                u32* counters) {
    __shared__ float shared[MAX_BLOCK];
    __shared__ bool last;
    reduce_columns<Max>(from, parts, to, reduced, inner, tile, width, 1.0f, counters, shared, &last);
}
