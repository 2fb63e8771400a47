// The windows of a pooling, which lie on an image as the kernel of a convolution does.
#pragma once
#include "geometry.cuh"
#include "common.cuh"

// Rows from `top` up to `bottom`, columns from `left` up to `right`.
struct Window {
    int top, bottom, left, right;
};

// The pixels inside the image that output pixel (oy, ox) looks at.
__device__ __forceinline__ Window window_of(const Conv2dGeometry& g, int oy, int ox) {
    const int top = oy * g.stride_h - g.top, left = ox * g.stride_w - g.left;
    return {max(top, 0), min(top + g.kh, g.h), max(left, 0), min(left + g.kw, g.w)};
}

// The output pixels that look at pixel (row, column).
__device__ __forceinline__ Window windows_over(const Conv2dGeometry& g, int row, int column) {
    // The last row of the window of output row oy is oy · stride - top + kh - 1.
    const int y = row + g.top, x = column + g.left;
    return {ceil_div(max(y - g.kh + 1, 0), g.stride_h), min(y / g.stride_h + 1, g.out_h),
            ceil_div(max(x - g.kw + 1, 0), g.stride_w), min(x / g.stride_w + 1, g.out_w)};
}
