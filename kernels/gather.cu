// Rows of a table by their numbers, y[i] = table[indices[i]], and the adjoint, y[r] = Σ values[i] over the i with
// indices[i] = r. Indices are floats.
//
// Grid: any; each thread makes every grid_threads()-th of the n values of the result. A sum goes through all indices in
// order: nothing is written twice, and the same numbers give the same bits. The threads of a warp mostly share a row, and
// so read the same index.
#include "common.cuh"

// NaN where an index is no row's; the launcher has checked them, unless the step is captured.
extern "C" __global__ void gather_rows(const float* table, const float* indices, float* to, int rows, int width,
                                       int n) {
    for (int i = grid_thread(); i < n; i += grid_threads()) {
        const float index = indices[i / width];
        const bool there = index >= 0.0f && index < float(rows) && index == floorf(index);
        to[i] = there ? table[int(index) * width + i % width] : __uint_as_float(0x7fc00000u);
    }
}

extern "C" __global__ void gather_scatter_add(const float* values, const float* indices, float* to, int count,
                                              int width, int n) {
    for (int i = grid_thread(); i < n; i += grid_threads()) {
        const float row = float(i / width);
        float sum = 0.0f;
        for (int k = 0; k < count; k++) {
            if (indices[k] == row) sum += values[k * width + i % width];
        }
        to[i] = sum;
    }
}
