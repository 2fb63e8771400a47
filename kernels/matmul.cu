// Matrix products C[m, n] = A' · B' with A' = A [m, k] or Aᵀ of A [k, m], and B' = B [k, n] or Bᵀ of B [n, k], for
// each of `batch` pairs that lie one after the other. The name says how the operands lie: matmul_<tile>_nn, _tn (A
// across), _nt (B across), _tt.
//
// Grid: x = batch · ⌈m / tile rows⌉ · ⌈n / tile columns⌉ blocks, one to a tile of a C; z = parts of k_block values of k
// each (a multiple of 16; k itself for products that aren't split). Part z goes to c + z · batch · m · n: into the
// result itself, or into a workspace whose parts matmul_add_parts adds. See gemm.cuh for what the threads hold.
#include "gemm.cuh"

template <class T, bool a_across, bool b_across>
__device__ void matmul(float* shared, const float* a, const float* b, float* c, int batch, int m, int n, int k,
                       int k_block) {
    const BlockPlace at(T::rows, T::columns, m, n, k, k_block);
    const Matrix<a_across ? Along::rows : Along::k> from_a{a, m, a_across ? m : k, at.end_k, at.layer * m * k};
    const Matrix<b_across ? Along::k : Along::rows> from_b{b, n, b_across ? k : n, at.end_k, at.layer * k * n};
    const Target to{c + (size_t(blockIdx.z) * batch + at.layer) * m * n, nullptr, m, n, n};
    T::product(shared, from_a, from_b, to, at);
}

#define MATMUL(tile, layout, a_across, b_across)                                                                 \
    extern "C" __global__ void __launch_bounds__(Tile##tile::threads, Tile##tile::blocks)                        \
        matmul_##tile##_##layout(const float* a, const float* b, float* c, int batch, int m, int n, int k,       \
                                 int k_block) {                                                                  \
        __shared__ __align__(16) float shared[Tile##tile::shared];                                               \
        matmul<Tile##tile, a_across, b_across>(shared, a, b, c, batch, m, n, k, k_block);                        \
    }
// On tensor cores; a block takes TensorTile::shared floats of dynamic shared memory.
#define MATMUL_TF32(tile, layout, a_across, b_across)                                                            \
    extern "C" __global__ void __launch_bounds__(TensorTile##tile::threads, TensorTile##tile::blocks)            \
        matmul_##tile##_##layout##_tf32(const float* a, const float* b, float* c, int batch, int m, int n, int k, \
                                        int k_block) {                                                           \
        DYNAMIC_SHARED(shared);                                                                                  \
        matmul<TensorTile##tile, a_across, b_across>(shared, a, b, c, batch, m, n, k, k_block);                  \
    }
#define LAYOUTS(kernel, tile)      \
    kernel(tile, nn, false, false) \
    kernel(tile, tn, true, false)  \
    kernel(tile, nt, false, true)  \
    kernel(tile, tt, true, true)

LAYOUTS(MATMUL, 128x128)
LAYOUTS(MATMUL, 64x64)
LAYOUTS(MATMUL, 128x8)
LAYOUTS(MATMUL_TF32, 128x128)
LAYOUTS(MATMUL_TF32, 64x64)

extern "C" __global__ void matmul_add_parts(const float* parts, int part_count, float* c, int n) {
    add_parts(parts, part_count, nullptr, 1, c, n);
}
