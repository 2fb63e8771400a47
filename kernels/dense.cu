// The dense layer: y[n, outputs] = x[n, inputs] · W[inputs, outputs] + b[outputs].
//
// Grid: x = ⌈n / tile rows⌉ · ⌈outputs / tile columns⌉ blocks, one to a tile of y; z = parts of k_block inputs each
// (a multiple of 16; all inputs for a product that isn't split). The bias is added as the sums are stored; to the
// parts of a split product dense_add_parts adds it, and the kernel is given null. See gemm.cuh.
#include "gemm.cuh"

template <class T>
__device__ void dense(float* shared, const float* x, const float* weight, const float* bias, float* y, int n,
                      int inputs, int outputs, int k_block) {
    const BlockPlace at(T::rows, T::columns, n, outputs, inputs, k_block);
    const Matrix<Along::k> from_x{x, n, inputs, at.end_k, 0};
    const Matrix<Along::rows> from_weight{weight, outputs, outputs, at.end_k, 0};
    const Target to{y + size_t(blockIdx.z) * n * outputs, bias, n, outputs, outputs};
    T::product(shared, from_x, from_weight, to, at);
}

#define DENSE(tile)                                                                                       \
    extern "C" __global__ void __launch_bounds__(Tile##tile::threads, Tile##tile::blocks)                 \
        dense_##tile(const float* x, const float* weight, const float* bias, float* y, int n, int inputs, \
                     int outputs, int k_block) {                                                          \
        __shared__ __align__(16) float shared[Tile##tile::shared];                                        \
        dense<Tile##tile>(shared, x, weight, bias, y, n, inputs, outputs, k_block);                       \
    }
// On tensor cores; a block takes TensorTile::shared floats of dynamic shared memory.
#define DENSE_TF32(tile)                                                                                         \
    extern "C" __global__ void __launch_bounds__(TensorTile##tile::threads, TensorTile##tile::blocks)            \
        dense_##tile##_tf32(const float* x, const float* weight, const float* bias, float* y, int n, int inputs, \
                     int outputs, int k_block) {                                                                 \
        DYNAMIC_SHARED(shared);                                                                                  \
        dense<TensorTile##tile>(shared, x, weight, bias, y, n, inputs, outputs, k_block);                        \
    }

DENSE(128x128)
DENSE(64x64)
DENSE(128x8)
DENSE_TF32(128x128)
DENSE_TF32(64x64)

extern "C" __global__ void dense_add_parts(const float* parts, int part_count, const float* bias, int outputs,
                                           float* y, int n) {
    add_parts(parts, part_count, bias, outputs, y, n);
}
