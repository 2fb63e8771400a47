// One value, everywhere.
//
// Grid: any; a thread writes four values, and then every grid_threads()-th four.
#include "vectors.cuh"

extern "C" __global__ void fill_value(float* to, int n, float value) {
    for (int i = 4 * grid_thread(); i < n; i += 4 * grid_threads()) {
        store_four(to, i, n, make_float4(value, value, value, value));
    }
}
