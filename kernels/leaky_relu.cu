// Leaky ReLU, y = x where x > 0 (or NaN) and slope · x elsewhere; the same with dropout after it, in one pass; and the gradient
// of either, x̄ = ȳ · (the slope that y tells).
//
// Grid: any; a thread takes four values, and then every grid_threads()-th four. `to` may be an input.
#include "activation.cuh"
#include "random.cuh"
#include "vectors.cuh"

// ANCHOR: leaky_relu_forward
extern "C" __global__ void leaky_relu_forward(const float* from, float* to, int n, float slope) {
    for (int i = 4 * grid_thread(); i < n; i += 4 * grid_threads()) {
        store_four(to, i, n, map_four([=](float x) { return rectified(x, slope); }, load_four(from, i, n)));
    }
}
// ANCHOR_END: leaky_relu_forward

extern "C" __global__ void leaky_relu_dropout(const float* from, float* to, int n, float slope, float scale,
                                              u32 threshold, Position mask) {
    const u64 first = first_block(mask);
    for (int i = 4 * grid_thread(); i < n; i += 4 * grid_threads()) {
        const float4 y = map_four([=](float x) { return rectified(x, slope); }, load_four(from, i, n));
        store_four(to, i, n, kept_or_dropped(y, random_words(mask, first + i / 4), scale, threshold));
    }
}

// `above` is the slope where y is positive or NaN, `dropped` where it is -0, `below` elsewhere.
extern "C" __global__ void leaky_relu_grad(const float* y, const float* grad, float* to, int n, float above,
                                           float below, float dropped) {
    const Slopes slopes = {above, below, dropped};
    for (int i = 4 * grid_thread(); i < n; i += 4 * grid_threads()) {
        auto through = [=](float y, float g) { return slopes.times(y, g); };
        store_four(to, i, n, map_four(through, load_four(y, i, n), load_four(grad, i, n)));
    }
}
