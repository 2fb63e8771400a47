// The weight gradient of a convolution:
//
//   w̄[i, j, c, o] = Σ_{n, oy, ox}  x[n, oy·s + i - top, ox·s + j - left, c] · ȳ[n, oy, ox, o]
//
// As a product, A is conv2d's matrix of patches read transposed: a row per tap (i, j, c), and k runs over the pixels of
// the output. B is ȳ as it lies, [pixels, c_out], and C is w̄ as it lies. The sum is long and the tiles are few, so
// it is nearly always split. A group is such a product of its channels of x and its columns of ȳ and w̄.
//
// Grid: x = groups · ⌈taps / tile rows⌉ · ⌈group's c_out / tile columns⌉ blocks, one to a tile of w̄; z = parts of
// k_block pixels each (a multiple of 16; all of them for a product that isn't split). Part z goes to w̄ + z · (values of
// w̄), and conv2d_weight_grad_add_parts adds the parts. See gemm.cuh for what the threads hold.
#include "gemm.cuh"

template <class T>
__device__ void conv2d_weight_grad(float* shared, const float* x, const float* grad, float* weight_grad,
                                   const Conv2dGeometry& g, int k_block) {
    const int group_in = g.c_in / g.groups, group_out = g.c_out / g.groups;
    const int pixels = g.n * g.out_h * g.out_w, taps = g.kh * g.kw * group_in;
    const BlockPlace at(T::rows, T::columns, taps, group_out, pixels, k_block);
    const int first_out = at.layer * group_out;
    auto& divisors = *reinterpret_cast<Patches::Divisors*>(shared + T::kept);
    Patches::prepare(divisors, g, group_in);
    const PatchColumns patches{{x, g, at.end_k, taps, at.layer * group_in, divisors}};
    const Matrix<Along::rows> from_grad{grad, group_out, g.c_out, at.end_k, first_out};
    const Target to{weight_grad + size_t(blockIdx.z) * taps * g.c_out + first_out, nullptr, taps, group_out, g.c_out};
    T::product(shared, patches, from_grad, to, at);
}

#define CONV2D_WEIGHT_GRAD(tile)                                                                           \
    extern "C" __global__ void __launch_bounds__(Tile##tile::threads, Tile##tile::blocks)                  \
        conv2d_weight_grad_##tile(const float* x, const float* grad, float* weight_grad, Conv2dGeometry g, \
                                  int k_block) {                                                           \
        __shared__ __align__(16) float shared[Tile##tile::shared];                                         \
        conv2d_weight_grad<Tile##tile>(shared, x, grad, weight_grad, g, k_block);                          \
    }
// On tensor cores; a block takes TensorTile::shared floats of dynamic shared memory.
#define CONV2D_WEIGHT_GRAD_TF32(tile)                                                                             \
    extern "C" __global__ void __launch_bounds__(TensorTile##tile::threads, TensorTile##tile::blocks)             \
        conv2d_weight_grad_##tile##_tf32(const float* x, const float* grad, float* weight_grad, Conv2dGeometry g, \
                                  int k_block) {                                                                  \
        DYNAMIC_SHARED(shared);                                                                                   \
        conv2d_weight_grad<TensorTile##tile>(shared, x, grad, weight_grad, g, k_block);                           \
    }

CONV2D_WEIGHT_GRAD(128x128)
CONV2D_WEIGHT_GRAD(64x64)
CONV2D_WEIGHT_GRAD(128x8)
CONV2D_WEIGHT_GRAD_TF32(128x128)
CONV2D_WEIGHT_GRAD_TF32(64x64)

extern "C" __global__ void conv2d_weight_grad_add_parts(const float* parts, int part_count, float* weight_grad,
                                                        int n) {
    add_parts(parts, part_count, nullptr, 1, weight_grad, n);
}
