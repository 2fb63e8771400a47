// Labels as rows of probabilities, y[i, c] = 1 where labels[i] = c, else 0. Labels are floats.
//
// Grid: any; each thread makes every grid_threads()-th of the n values of the result.
#include "common.cuh"

// A row of NaN for a label that is no class; the launcher has checked them, unless the step is captured.
extern "C" __global__ void one_hot(const float* labels, float* to, int classes, int n) {
    for (int i = grid_thread(); i < n; i += grid_threads()) {
        const float label = labels[i / classes];
        const bool there = label >= 0.0f && label < float(classes) && label == floorf(label);
        to[i] = there ? float(label == float(i % classes)) : __uint_as_float(0x7fc00000u);
    }
}
