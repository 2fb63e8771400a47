// Plain values that kernels take whole; src/cuda/geometry.rs has the same structs, field by field.
#pragma once

constexpr int MAX_RANK = 6;

// A convolution: input [n, h, w, c_in], output [n, out_h, out_w, c_out], weights [kh, kw, c_in / groups, c_out].
// Output pixel (oy, ox) looks at input pixels (oy·stride_h + i - top, ox·stride_w + j - left); a group's share of the
// output channels looks at its share of the input channels.
struct Conv2dGeometry {
    int n, h, w, c_in;
    int out_h, out_w, c_out, groups;
    int kh, kw;
    int stride_h, stride_w;
    int top, left;
};

// Values of an array read in another order: the one at index (i_0, ..., i_5) of `dims` lies at
// offset + Σ i_axis · strides[axis]. Missing axes come first, with length 1.
struct View {
    int dims[MAX_RANK];
    int strides[MAX_RANK];
    int offset;
};

// Where an array of random numbers starts (src/random.rs). Within a captured training step the block is counted
// from `*base`, which lies in device memory; otherwise `base` is null.
struct Position {
    unsigned long long seed, stream, block;
    const unsigned long long* base;
};
