// What a convolution's sums become before they are stored for the last time, where they lie: y + bias, then leaky ReLU, then dropout.
// The bias is repeated along `channels`; null for none. A slope of 1 leaves what is below 0 as it is.
//
// Grid: any; a thread takes four values, and then every grid_threads()-th four.
#include "activation.cuh"
#include "random.cuh"
#include "vectors.cuh"

__device__ __forceinline__ float4 biased_and_rectified(const float* y, int i, int n, const float* bias, int channels,
                                                       float slope) {
    const float4 zero = make_float4(0.0f, 0.0f, 0.0f, 0.0f);
    const float4 shift = bias ? load_channels(bias, i, channels) : zero;
    return map_four([=](float y, float b) { return rectified(bias ? y + b : y, slope); }, load_four(y, i, n), shift);
}

extern "C" __global__ void finish(float* y, int n, const float* bias, int channels, float slope) {
    for (int i = 4 * grid_thread(); i < n; i += 4 * grid_threads()) {
        store_four(y, i, n, biased_and_rectified(y, i, n, bias, channels, slope));
    }
}

extern "C" __global__ void finish_dropout(float* y, int n, const float* bias, int channels, float slope, float scale,
                                          u32 threshold, Position mask) {
    const u64 first = first_block(mask);
    for (int i = 4 * grid_thread(); i < n; i += 4 * grid_threads()) {
        const float4 values = biased_and_rectified(y, i, n, bias, channels, slope);
        store_four(y, i, n, kept_or_dropped(values, random_words(mask, first + i / 4), scale, threshold));
    }
}
