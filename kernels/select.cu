// One of two values by a condition, y = a where c is not 0, else b.
//
// An operand shorter than the result repeats along leading axes; what is stretched otherwise has been stretched before
// (strided.cu). Grid: any; each thread takes every grid_threads()-th value.
#include "common.cuh"

extern "C" __global__ void select_forward(const float* c, int length_c, const float* a, int length_a, const float* b,
                                          int length_b, float* to, int n) {
    for (int i = grid_thread(); i < n; i += grid_threads()) {
        const bool first = c[length_c == n ? i : i % length_c] != 0.0f;
        to[i] = first ? a[length_a == n ? i : i % length_a] : b[length_b == n ? i : i % length_b];
    }
}
