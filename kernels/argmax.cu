// The index of the largest along the middle one of three axes, y[o, i] = argmax_r x[o, r, i]: the first of those that
// tie, or of NaN where there is one. An index is a float.
#include "common.cuh"

// A value and where it was found.
struct Found {
    float value;
    int at;
};

// True if `other` is to take the place of `best`.
__device__ __forceinline__ bool goes_before(const Found& other, const Found& best) {
    const bool other_nan = other.value != other.value, best_nan = best.value != best.value;
    if (other_nan != best_nan) return other_nan;
    if (!other_nan && other.value != best.value) return other.value > best.value;
    return other.at < best.at;
}

// Grid: a block of 256 threads for each 8 rows; a warp shares a row, and takes its values in turns.
extern "C" __global__ void argmax_rows(const float* from, float* to, int rows, int length) {
    const int row = grid_thread() / warpSize, lane = grid_thread() % warpSize;
    // A lane without a value comes after every other.
    Found best = {__uint_as_float(0xff800000u), length};
    if (row < rows) {
        for (int r = lane; r < length; r += warpSize) {
            const Found found = {from[row * length + r], r};
            if (goes_before(found, best)) best = found;
        }
    }
    for (int apart = warpSize / 2; apart > 0; apart /= 2) {
        const Found other = {__shfl_xor_sync(0xffffffffu, best.value, apart),
                             __shfl_xor_sync(0xffffffffu, best.at, apart)};
        if (goes_before(other, best)) best = other;
    }
    if (row < rows && lane == 0) to[row] = float(best.at);
}

// Grid: any; each thread makes every grid_threads()-th result, n in all.
extern "C" __global__ void argmax_columns(const float* from, float* to, int n, int length, int inner) {
    for (int i = grid_thread(); i < n; i += grid_threads()) {
        const float* values = from + (i / inner) * length * inner + i % inner;
        Found best = {values[0], 0};
        for (int r = 1; r < length; r++) {
            const Found found = {values[r * inner], r};
            if (goes_before(found, best)) best = found;
        }
        to[i] = float(best.at);
    }
}
