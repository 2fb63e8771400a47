// Transposed convolution, the input gradient of the convolution `g`: x is [n, out_h, out_w, c_out], the output of
// that convolution, w its weights [kh, kw, c_in, c_out], and y its input [n, h, w, c_in]:
//
//   y[n, r, q, o] = Σ  x[n, oy, ox, c] · w[i, j, o, c]    over i, j, c with oy·s + i - top = r, ox·s + j - left = q
//
// Each y gathers what it is the sum of, so that nothing is added to memory. With s > 1 only some (i, j) reach a row:
// those with i ≡ r + top mod s. So rows with the same remainder, or phase, p = (r + top) mod s form a convolution of
// their own, dense and of stride 1. With r + top = s·v + p and i = s·a + p it is oy = v - a:
//
//   y[n, s·v + p - top, ...] = Σ_{a, b, c}  x[n, v - a, v' - b, c] · w[s·a + p, s·b + p', o, c]
//
// s_h · s_w such products, each with a row per pixel of its phase and k running over (a, b, c), multiply by no zeros
// but those beyond the edges. A group is s_h · s_w such products of its channels.
//
//   s = 2, kernel 5:  i = 0 1 2 3 4     phase 0 has a = 0, 1, 2 (i = 0, 2, 4), phase 1 has a = 0, 1 (i = 1, 3)
//
// Grid: x = groups · phases · ⌈pixels of the largest phase / tile rows⌉ · ⌈group's c_in / tile columns⌉ blocks, group
// after group and in it phase p · s_w + p' after phase; z = parts. A part is k_block of the phase's k (a multiple of 16), the same in all phases, and goes to
// y + part · (values of y); conv_transpose2d_add_parts adds the parts. See gemm.cuh for what the threads hold.
#include "gemm.cuh"

// One direction of a phase: pixels are at first + stride · 0, 1, ..., count - 1, where v is from first_v on; taps
// are i = phase + stride · 0, 1, ..., taps - 1.
struct Phase {
    int stride, phase, first, first_v, count, taps;

    __device__ Phase(int stride, int phase, int size, int kernel, int before)
        : stride(stride), phase(phase), first_v(before > phase ? ceil_div(before - phase, stride) : 0) {
        first = stride * first_v + phase - before;
        count = first < size ? (size - 1 - first) / stride + 1 : 0;
        taps = phase < kernel ? (kernel - 1 - phase) / stride + 1 : 0;
    }
};

// A: a row per pixel of the phase, k running over its taps (a, b, c). Taps count downwards in x.
struct GatherRows {
    static constexpr Along along = Along::k;
    using Row = MapPlace;
    using Inner = MapPlace;
    const float* from;
    const Conv2dGeometry& g;
    const Phase &down, &right;
    int k_end, first;
    // Division by a group's channels and by taps to the right: shared by the threads of a block (see Patches).
    const Divisor* by;

    __device__ MapPlace row(int r) const {
        if (r >= g.n * down.count * right.count) return {0, NOWHERE, NOWHERE};
        const int line = r / right.count, image = line / down.count;
        const int y = down.first_v + line % down.count, x = right.first_v + r % right.count;
        return {((image * g.out_h + y) * g.out_w + x) * g.c_out + first, y, x};
    }
    __device__ MapPlace inner(int k) const {
        if (k >= k_end) return {0, NOWHERE, NOWHERE};
        int b = by[0].divide(k); // and k becomes c
        const int a = by[1].divide(b);
        return {k - (a * g.out_w + b) * g.c_out, -a, -b};
    }
    __device__ bool there(MapPlace pixel, MapPlace tap) const {
        return u32(pixel.y + tap.y) < u32(g.out_h) && u32(pixel.x + tap.x) < u32(g.out_w);
    }
    __device__ bool vectors() const { return by[0].divisor % 4 == 0; }
};

// B: the weights of the phase's taps, a row per output channel; k's neighbours are neighbours in memory.
struct PhaseWeights {
    static constexpr Along along = Along::k;
    const float* from;
    const Conv2dGeometry& g;
    const Phase &down, &right;
    // Input channels of the group, where its output channels begin.
    int k_end, rows, first;
    const Divisor* by;

    struct Place {
        int offset;
    };
    using Row = Place;
    using Inner = Place;
    __device__ Place row(int r) const { return {r < rows ? r * g.c_out + first : -1}; }
    __device__ Place inner(int k) const {
        if (k >= k_end) return {-1};
        int b = by[0].divide(k);
        const int a = by[1].divide(b);
        const int i = down.phase + down.stride * a, j = right.phase + right.stride * b;
        return {(i * g.kw + j) * rows * g.c_out + k};
    }
    __device__ static bool there(Place row, Place inner) { return (row.offset | inner.offset) >= 0; }
    __device__ bool vectors() const { return by[0].divisor % 4 == 0; }
};

// C: the pixels of the phase, spread over y.
struct PhaseTarget {
    float* to;
    const float* bias;
    const Conv2dGeometry& g;
    const Phase &down, &right;
    int columns;

    __device__ float* row(int r) const {
        if (r >= g.n * down.count * right.count) return nullptr;
        const int line = r / right.count, image = line / down.count;
        const int y = down.first + down.stride * (line % down.count);
        const int x = right.first + right.stride * (r % right.count);
        return to + ((image * g.h + y) * g.w + x) * g.c_in;
    }
};

template <class T>
__device__ void conv_transpose2d(float* shared, const float* x, const float* weight, float* y,
                                 const Conv2dGeometry& g, int k_block) {
    const int group_in = g.c_in / g.groups, group_out = g.c_out / g.groups;
    const int largest = g.n * ceil_div(g.h, g.stride_h) * ceil_div(g.w, g.stride_w);
    BlockPlace at(T::rows, T::columns, largest, group_in);
    const int phases = g.stride_h * g.stride_w, phase = at.layer % phases, group = at.layer / phases;
    const Phase down(g.stride_h, phase / g.stride_w, g.h, g.kh, g.top);
    const Phase right(g.stride_w, phase % g.stride_w, g.w, g.kw, g.left);
    at.take_part(down.taps * right.taps * group_out, k_block);
    // A phase may be smaller than the largest one.
    if (at.first_row >= g.n * down.count * right.count) return;
    auto* by = reinterpret_cast<Divisor*>(shared + T::kept);
    if (threadIdx.x == 0) by[0] = Divisor::of(group_out), by[1] = Divisor::of(max(right.taps, 1));
    __syncthreads();
    const GatherRows rows{x, g, down, right, at.end_k, group * group_out, by};
    const PhaseWeights weights{weight, g, down, right, at.end_k, group_in, group * group_out, by};
    float* to_group = y + size_t(blockIdx.z) * (g.n * g.h * g.w * g.c_in) + group * group_in;
    const PhaseTarget to{to_group, nullptr, g, down, right, group_in};
    T::product(shared, rows, weights, to, at);
}

#define CONV_TRANSPOSE2D(tile)                                                                                  \
    extern "C" __global__ void __launch_bounds__(Tile##tile::threads, Tile##tile::blocks)                       \
        conv_transpose2d_##tile(const float* x, const float* weight, float* y, Conv2dGeometry g, int k_block) { \
        __shared__ __align__(16) float shared[Tile##tile::shared];                                              \
        conv_transpose2d<Tile##tile>(shared, x, weight, y, g, k_block);                                         \
    }
// On tensor cores; a block takes TensorTile::shared floats of dynamic shared memory.
#define CONV_TRANSPOSE2D_TF32(tile)                                                                                    \
    extern "C" __global__ void __launch_bounds__(TensorTile##tile::threads, TensorTile##tile::blocks)                  \
        conv_transpose2d_##tile##_tf32(const float* x, const float* weight, float* y, Conv2dGeometry g, int k_block) { \
        DYNAMIC_SHARED(shared);                                                                                        \
        conv_transpose2d<TensorTile##tile>(shared, x, weight, y, g, k_block);                                          \
    }

CONV_TRANSPOSE2D(128x128)
CONV_TRANSPOSE2D(64x64)
CONV_TRANSPOSE2D(128x8)
CONV_TRANSPOSE2D_TF32(128x128)
CONV_TRANSPOSE2D_TF32(64x64)

extern "C" __global__ void conv_transpose2d_add_parts(const float* parts, int part_count, float* y, int n) {
    add_parts(parts, part_count, nullptr, 1, y, n);
}
