// Bilinear resampling of images [n, h, w, c] to [n, out_h, out_w, c], and its adjoint. Along an axis of n inputs and n'
// outputs, output i lies at s = max((2i + 1) n - n', 0) / 2n', in whole numbers until the last division:
//
//   y_i = (1 - t) x_a + t x_b,   a = ⌊s⌋, b = min(a + 1, n - 1), t = s - a
//
// Grid: any; each thread makes every grid_threads()-th value of the result. For the adjoint it gathers what it has a share
// of, so that nothing is added to memory: the outputs whose a or b it is.
#include "common.cuh"

struct Tap {
    int first, second;
    float share;

    __device__ __forceinline__ Tap(int i, int inputs, int outputs) {
        const long long signed_place = (2ll * i + 1) * inputs - outputs, whole = 2ll * outputs;
        const long long place = signed_place < 0 ? 0 : signed_place;
        first = int(place / whole);
        second = min(first + 1, inputs - 1);
        share = float(int(place - first * whole)) / float(int(whole));
    }
    // The share that input `at` has of this output.
    __device__ __forceinline__ float of(int at) const {
        return (at == first ? 1.0f - share : 0.0f) + (at == second ? share : 0.0f);
    }
};

// The first output that may have a share of input `at`, one before those for which s > at - 1.
__device__ __forceinline__ int first_output(int at, int inputs, int outputs) {
    if (at == 0) return 0;
    const long long i = ((2ll * at - 1) * outputs - inputs) / (2ll * inputs);
    return i < 0 ? 0 : int(i);
}

extern "C" __global__ void bilinear_forward(const float* __restrict__ x, float* y, int n, int h, int w, int out_h,
                                            int out_w, int c) {
    for (int i = grid_thread(); i < n; i += grid_threads()) {
        const int channel = i % c, pixel = i / c, line = pixel / out_w;
        const Tap down(line % out_h, h, out_h), right(pixel % out_w, w, out_w);
        const float* image = x + line / out_h * h * w * c + channel;
        const float *above = image + down.first * w * c, *below = image + down.second * w * c;
        const int left = right.first * c, beside = right.second * c;
        const float first = (1.0f - down.share) * above[left] + down.share * below[left];
        const float second = (1.0f - down.share) * above[beside] + down.share * below[beside];
        y[i] = (1.0f - right.share) * first + right.share * second;
    }
}

extern "C" __global__ void bilinear_grad(const float* __restrict__ grad, float* x, int n, int h, int w, int out_h,
                                         int out_w, int c) {
    for (int i = grid_thread(); i < n; i += grid_threads()) {
        const int channel = i % c, pixel = i / c, line = pixel / w, row = line % h, column = pixel % w;
        const float* image = grad + line / h * out_h * out_w * c + channel;
        float sum = 0.0f;
        for (int r = first_output(row, h, out_h); r < out_h; r++) {
            const Tap down(r, h, out_h);
            if (down.first > row) break;
            float of_row = 0.0f;
            for (int q = first_output(column, w, out_w); q < out_w; q++) {
                const Tap right(q, w, out_w);
                if (right.first > column) break;
                of_row += right.of(column) * image[(r * out_w + q) * c];
            }
            sum += down.of(row) * of_row;
        }
        x[i] = sum;
    }
}
