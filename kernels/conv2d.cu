// Convolution as one matrix product whose left operand is never stored (implicit GEMM):
//
//   y[n, oy, ox, o] = Σ_{i, j, c}  x[n, oy·s + i - top, ox·s + j - left, c] · w[i, j, c, o]
//
// A has a row per output pixel (n, oy, ox) and a column per tap (i, j, c); PatchRows finds its values in x, and zeros
// beyond the edges. B is w as it lies, [kh·kw·c_in, c_out], and C is y as it lies. A group is such a product of its
// channels of x, its columns of w and its columns of y.
//
// Grid: x = groups · ⌈pixels / tile rows⌉ · ⌈group's c_out / tile columns⌉ blocks, one to a tile of y; z = parts of
// k_block taps each (a multiple of 16; all of them for a product that isn't split). Part z goes to y + z · (values of y),
// and conv2d_add_parts adds the parts. A bias, unless it is null, is added as the sums are stored, or by conv2d_add_parts.
// See gemm.cuh for what the threads hold.
#include "gemm.cuh"

template <class T>
__device__ void conv2d(float* shared, const float* x, const float* weight, const float* bias, float* y,
                       const Conv2dGeometry& g, int k_block) {
    const int group_in = g.c_in / g.groups, group_out = g.c_out / g.groups;
    const int pixels = g.n * g.out_h * g.out_w, taps = g.kh * g.kw * group_in;
    const BlockPlace at(T::rows, T::columns, pixels, group_out, taps, k_block);
    const int first_out = at.layer * group_out;
    auto& divisors = *reinterpret_cast<Patches::Divisors*>(shared + T::kept);
    Patches::prepare(divisors, g, group_in);
    const PatchRows patches{{x, g, pixels, at.end_k, at.layer * group_in, divisors}};
    const Matrix<Along::rows> from_weight{weight, group_out, g.c_out, at.end_k, first_out};
    const float* bias_of_group = bias == nullptr ? nullptr : bias + first_out;
    const Target to{y + size_t(blockIdx.z) * pixels * g.c_out + first_out, bias_of_group, pixels, group_out, g.c_out};
    T::product(shared, patches, from_weight, to, at);
}

#define CONV2D(tile)                                                                                      \
    extern "C" __global__ void __launch_bounds__(Tile##tile::threads, Tile##tile::blocks)                 \
        conv2d_##tile(const float* x, const float* weight, const float* bias, float* y, Conv2dGeometry g, \
                      int k_block) {                                                                      \
        __shared__ __align__(16) float shared[Tile##tile::shared];                                        \
        conv2d<Tile##tile>(shared, x, weight, bias, y, g, k_block);                                       \
    }
// On tensor cores; a block takes TensorTile::shared floats of dynamic shared memory.
#define CONV2D_TF32(tile)                                                                                        \
    extern "C" __global__ void __launch_bounds__(TensorTile##tile::threads, TensorTile##tile::blocks)            \
        conv2d_##tile##_tf32(const float* x, const float* weight, const float* bias, float* y, Conv2dGeometry g, \
                             int k_block) {                                                                      \
        DYNAMIC_SHARED(shared);                                                                                  \
        conv2d<TensorTile##tile>(shared, x, weight, bias, y, g, k_block);                                        \
    }

CONV2D(128x128)
CONV2D(64x64)
CONV2D(128x8)
CONV2D_TF32(128x128)
CONV2D_TF32(64x64)

extern "C" __global__ void conv2d_add_parts(const float* parts, int part_count, const float* bias, int columns,
                                            float* y, int n) {
    add_parts(parts, part_count, bias, columns, y, n);
}
