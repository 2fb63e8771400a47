// What lies at the place of the largest value of each window, y[n, oy, ox, c] = values[place], which is max pooling where
// `values` is x; and its adjoint, which adds the gradient of each window at that place.
//
// Grid: any; each thread makes every grid_threads()-th value of the result. For the adjoint that is a pixel's channel,
// which looks through the windows that it lies in, so that nothing is written twice and sums have one order.
#include "windows.cuh"

// The index into x of the largest value of the window of output pixel (oy, ox): the first of those that tie, the last
// NaN if there is one. `x` begins at the image's channel.
__device__ __forceinline__ int largest(const float* __restrict__ x, const Conv2dGeometry& g, int oy, int ox) {
    const Window window = window_of(g, oy, ox);
    int place = -1;
    float best = 0.0f;
    for (int row = window.top; row < window.bottom; row++) {
        for (int column = window.left; column < window.right; column++) {
            const int at = (row * g.w + column) * g.c_in;
            const float value = x[at];
            if (place < 0 || value > best || value != value) {
                best = value;
                place = at;
            }
        }
    }
    return place;
}

// n: the values of the output.
extern "C" __global__ void max_pool2d_pick(const float* values, const float* x, Conv2dGeometry g, float* to, int n) {
    for (int i = grid_thread(); i < n; i += grid_threads()) {
        const int channel = i % g.c_in, pixel = i / g.c_in;
        const int ox = pixel % g.out_w, oy = pixel / g.out_w % g.out_h;
        const int image = pixel / g.out_w / g.out_h * g.h * g.w * g.c_in + channel;
        to[i] = values[image + largest(x + image, g, oy, ox)];
    }
}

// n: the values of x.
extern "C" __global__ void max_pool2d_place(const float* grad, const float* x, Conv2dGeometry g, float* to, int n) {
    for (int i = grid_thread(); i < n; i += grid_threads()) {
        const int channel = i % g.c_in, pixel = i / g.c_in;
        const int column = pixel % g.w, row = pixel / g.w % g.h, image = pixel / g.w / g.h;
        const int first = image * g.h * g.w * g.c_in + channel;
        const Window over = windows_over(g, row, column);
        float sum = 0.0f;
        for (int oy = over.top; oy < over.bottom; oy++) {
            for (int ox = over.left; ox < over.right; ox++) {
                if (first + largest(x + first, g, oy, ox) == i)
                    sum += grad[((image * g.out_h + oy) * g.out_w + ox) * g.c_in + channel];
            }
        }
        to[i] = sum;
    }
}
