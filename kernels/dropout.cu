// Dropout: y_i = x_i · scale where word i is at least `threshold`, else -0; a zero that is kept is +0. Its gradient
// is dropout of ȳ by the same words.
//
// Grid: any; a thread takes four values, as many as a block of random words has, and then every grid_threads()-th
// four. `to` may be `from`.
#include "activation.cuh"
#include "random.cuh"
#include "vectors.cuh"

extern "C" __global__ void dropout_forward(const float* from, float* to, int n, float scale, u32 threshold,
                                           Position mask) {
    const u64 first = first_block(mask);
    for (int i = 4 * grid_thread(); i < n; i += 4 * grid_threads()) {
        const uint4 words = random_words(mask, first + i / 4);
        store_four(to, i, n, kept_or_dropped(load_four(from, i, n), words, scale, threshold));
    }
}
