// Tiled matrix products C[m, n] = Σ_k A[m, k] · B[k, n], for any operands of gemm_operands.cuh.
//
//            k ->                  A block of threads makes a tile of C. It walks along k in steps of `depth`: while
//        +---------+   B tile      all threads multiply what lies in shared memory, copies of later steps' tiles run
//      k |         | [depth, n]    beside them into other buffers. T::product(shared, a, b, out, at) does it, for a
//        +---------+               tile T: on the f32 units (gemm_f32.cuh), or on tensor cores (gemm_tf32.cuh).
//   +--+ +---------+
//   |  | |  C tile |               A long sum over few tiles is split: a layer of the grid sums over `k_block` values
//   |  | | [m, n]  |               of k and leaves its part in a workspace; add_parts adds the parts in order. How a
//   +--+ +---------+               product is split follows from its sizes alone (src/cuda/product.rs).
//  A tile [depth, m]
#pragma once
#include "gemm_f32.cuh"
#include "gemm_tf32.cuh"

// The tiles that the kernels are made for: large products; small ones; those of a few columns only.
using Tile128x128 = Tile<128, 128, 8, 8>;
using Tile64x64 = Tile<64, 64, 8, 4>;
using Tile128x8 = Tile<128, 8, 8, 1>;
using TensorTile128x128 = TensorTile<128, 128>;
using TensorTile64x64 = TensorTile<64, 64>;
// src/cuda/product.rs gives a block as much.
static_assert(TensorTile128x128::shared == 21520 && TensorTile64x64::shared == 10768);
