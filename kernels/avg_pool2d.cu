// The mean of each window over what of it lies inside the image; and its adjoint, which spreads the gradient of each
// window evenly over those pixels.
//
// Grid: any; each thread makes every grid_threads()-th value of the result. For the adjoint that is a pixel's channel,
// whose shares of the windows that it lies in are summed in one order.
#include "windows.cuh"

__device__ __forceinline__ float pixels(const Window& window) {
    return float((window.bottom - window.top) * (window.right - window.left));
}

// n: the values of the output.
extern "C" __global__ void avg_pool2d_forward(const float* from, Conv2dGeometry g, float* to, int n) {
    for (int i = grid_thread(); i < n; i += grid_threads()) {
        const int channel = i % g.c_in, pixel = i / g.c_in;
        const int ox = pixel % g.out_w, oy = pixel / g.out_w % g.out_h;
        const float* image = from + pixel / g.out_w / g.out_h * g.h * g.w * g.c_in + channel;
        const Window window = window_of(g, oy, ox);
        float sum = 0.0f;
        for (int row = window.top; row < window.bottom; row++) {
            for (int column = window.left; column < window.right; column++)
                sum += image[(row * g.w + column) * g.c_in];
        }
        to[i] = sum / pixels(window);
    }
}

// n: the values of x.
extern "C" __global__ void avg_pool2d_grad(const float* grad, Conv2dGeometry g, float* to, int n) {
    for (int i = grid_thread(); i < n; i += grid_threads()) {
        const int channel = i % g.c_in, pixel = i / g.c_in;
        const int column = pixel % g.w, row = pixel / g.w % g.h, image = pixel / g.w / g.h;
        const Window over = windows_over(g, row, column);
        float sum = 0.0f;
        for (int oy = over.top; oy < over.bottom; oy++) {
            for (int ox = over.left; ox < over.right; ox++) {
                const int window = ((image * g.out_h + oy) * g.out_w + ox) * g.c_in + channel;
                sum += grad[window] / pixels(window_of(g, oy, ox));
            }
        }
        to[i] = sum;
    }
}
