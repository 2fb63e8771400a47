// Convolution as one matrix product whose left operand is never stored (implicit GEMM):
//
//   y[n, oy, ox, o] = Σ_{i, j, c}  x[n, oy·s + i - top, ox·s + j - left, c] · w[i, j, c, o]
//
// A has a row per output pixel (n, oy, ox) and a column per tap (i, j, c); PatchRows finds its values in x, and zeros
// beyond the edges. B is w as it lies, [kh·kw·c_in, c_out], and C is y as it lies.
//
// Grid: x = ⌈pixels / tile rows⌉ · ⌈c_out / tile columns⌉ blocks, one to a tile of y; z = parts of k_block taps each
// (a multiple of 16; all of them for a product that isn't split). Part z goes to y + z · (values of y), and
// conv2d_add_parts adds the parts. See gemm.cuh for what the threads hold.
#include "gemm.cuh"

template <class T>
__device__ void conv2d(float* shared, const float* x, const float* weight, float* y, const Conv2dGeometry& g,
                       int k_block) {
    const int pixels = g.n * g.out_h * g.out_w, taps = g.kh * g.kw * g.c_in;
    const BlockPlace at(T::rows, T::columns, pixels, g.c_out, taps, k_block);
    auto& divisors = *reinterpret_cast<Patches::Divisors*>(shared + T::kept);
    Patches::prepare(divisors, g);
    const PatchRows patches{{x, g, pixels, at.end_k, divisors}};
    const Matrix<Along::rows> from_weight{weight, g.c_out, g.c_out, at.end_k, 0};
    const Target to{y + size_t(blockIdx.z) * pixels * g.c_out, nullptr, pixels, g.c_out};
    T::product(shared, patches, from_weight, to, at);
}

#define CONV2D(tile)                                                                                  \
    extern "C" __global__ void __launch_bounds__(Tile##tile::threads, Tile##tile::blocks)             \
        conv2d_##tile(const float* x, const float* weight, float* y, Conv2dGeometry g, int k_block) { \
        __shared__ __align__(16) float shared[Tile##tile::shared];                                    \
        conv2d<Tile##tile>(shared, x, weight, y, g, k_block);                                         \
    }
// On tensor cores; a block takes TensorTile::shared floats of dynamic shared memory.
#define CONV2D_TF32(tile)                                                                                    \
    extern "C" __global__ void __launch_bounds__(TensorTile##tile::threads, TensorTile##tile::blocks)        \
        conv2d_##tile##_tf32(const float* x, const float* weight, float* y, Conv2dGeometry g, int k_block) { \
        DYNAMIC_SHARED(shared);                                                                              \
        conv2d<TensorTile##tile>(shared, x, weight, y, g, k_block);                                          \
    }

CONV2D(128x128)
CONV2D(64x64)
CONV2D(128x8)
CONV2D_TF32(128x128)
CONV2D_TF32(64x64)

extern "C" __global__ void conv2d_add_parts(const float* parts, int part_count, float* y, int n) {
    add_parts(parts, part_count, nullptr, 1, y, n);
}
