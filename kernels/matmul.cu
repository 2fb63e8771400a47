// Matrix products C[m, n] = A' · B' with A' = A [m, k] or Aᵀ of A [k, m], and B' = B [k, n] or Bᵀ of B [n, k].
// The name says how the operands lie: matmul_<tile>_nn, _tn (A across), _nt (B across), _tt.
//
// Grid: x = ⌈m / tile rows⌉ · ⌈n / tile columns⌉ blocks, one to a tile of C; z = parts of k_block values of k each
// (a multiple of 16; k itself for a product that isn't split). Part z goes to c + z · m · n: into C itself, or into
// a workspace whose parts matmul_add_parts adds. See gemm.cuh for what the threads hold.
#include "gemm.cuh"

template <class T, bool a_across, bool b_across>
__device__ void matmul(float* shared, const float* a, const float* b, float* c, int m, int n, int k, int k_block) {
    const BlockPlace at(T::rows, T::columns, n, k, k_block, blockIdx.z);
    const Matrix<a_across ? Along::rows : Along::k> from_a{a, m, a_across ? m : k, at.end_k};
    const Matrix<b_across ? Along::k : Along::rows> from_b{b, n, b_across ? k : n, at.end_k};
    const Target to{c + size_t(blockIdx.z) * m * n, nullptr, m, n};
    product<T>(shared, from_a, from_b, to, at.first_row, at.first_column, at.first_k, at.end_k);
}

#define MATMUL(tile, layout, a_across, b_across)                                                                \
    extern "C" __global__ void __launch_bounds__(Tile##tile::threads, Tile##tile::blocks)                                           \
        matmul_##tile##_##layout(const float* a, const float* b, float* c, int m, int n, int k, int k_block) {  \
        __shared__ __align__(16) float shared[Tile##tile::shared];                                              \
        matmul<Tile##tile, a_across, b_across>(shared, a, b, c, m, n, k, k_block);                              \
    }
#define MATMUL_LAYOUTS(tile)         \
    MATMUL(tile, nn, false, false)   \
    MATMUL(tile, tn, true, false)    \
    MATMUL(tile, nt, false, true)    \
    MATMUL(tile, tt, true, true)

MATMUL_LAYOUTS(128x128)
MATMUL_LAYOUTS(64x64)
MATMUL_LAYOUTS(128x8)

extern "C" __global__ void matmul_add_parts(const float* parts, int part_count, float* c, int n) {
    add_parts(parts, part_count, nullptr, 1, c, n);
}
