// Tiled products on tensor cores: operands rounded to TF32 (10 bits of fraction), sums in f32.
//
// Four warps, two by two, each make a quarter of the tile, as a grid of the 16 x 8 products that a warp's instruction
// adds to its registers (mma_m16n8k8_tf32; see tensor_cores.cuh for which lane holds what). Tensor cores are through
// with a step so soon that copies must run three steps ahead.
//
// The lanes of a warp read values A[g][t] of shared memory, g = lane / 4 and t = lane % 4, and so of B, so a tile may
// lie there as memory has it: in lines of all rows for one k, eight unused values behind each (lane (g, t) reads bank
// 8t + g), or in lines of one row, with four (bank 20g + t). Either way all lanes read different banks.
#pragma once
#include "gemm_tiles.cuh"
#include "tensor_cores.cuh"

template <int tile_rows, int tile_columns>
struct TensorTile {
    static constexpr int rows = tile_rows, columns = tile_columns, threads = 128, depth = 16;
    static constexpr int warp_rows = rows / 2, warp_columns = columns / 2;
    static constexpr int blocks = rows >= 128 ? 2 : 4;
    static constexpr int stages = 4;
    // Floats of (dynamic) shared memory, as for Tile. Lines of one row are the longer kind.
    static constexpr int row_line = depth + 4;
    static constexpr int stage = (rows + columns) * row_line, row_places = stages * stage;
    static constexpr int kept = row_places + 4 * (rows + columns), shared = kept + 16;

    template <class A, class B, class Out>
    __device__ static void product(float* shared, const A& a, const B& b, const Out& out, const BlockPlace& at);
};

// Where the values of an operand's tile of `rows` rows are: (row, k) lies at row · row_step + k · k_step.
template <class Operand, int rows, int depth>
struct TileLayout {
    static constexpr bool by_rows = Operand::along == Along::rows;
    static constexpr int line = by_rows ? rows + 8 : depth + 4;
    static constexpr int row_step = by_rows ? 1 : line, k_step = by_rows ? line : 1;
};

template <int tile_rows, int tile_columns>
template <class A, class B, class Out>
__device__ void TensorTile<tile_rows, tile_columns>::product(float* shared, const A& a, const B& b, const Out& out,
                                                             const BlockPlace& at) {
    using InA = TileLayout<A, rows, depth>;
    using InB = TileLayout<B, columns, depth>;
    constexpr int b_tiles = rows * row_line; // of a stage, behind the tile of A
    float* places = shared + row_places;
    const CopyTile<A, rows, depth, InA::line, threads, false> copy_a(a, at.first_row, places);
    const CopyTile<B, columns, depth, InB::line, threads, false> copy_b(b, at.first_column, places + 4 * rows);
    __syncthreads();

    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    const int row = warp / 2 * warp_rows, column = warp % 2 * warp_columns;
    constexpr int down = warp_rows / 16, across = warp_columns / 8;
    float sums[down][across][4] = {};

    const int steps = ceil_div(at.end_k - at.first_k, depth);
    // ANCHOR: stages
    // A group of copies is closed for every step, also where there is nothing left to copy, so that the number of
    // groups under way says which have arrived.
    auto copy = [&](int step) {
        if (step < steps) {
            float* to = shared + step % stages * stage;
            copy_a(to, at.first_k + step * depth);
            copy_b(to + b_tiles, at.first_k + step * depth);
        }
        commit_copies();
    };
    for (int step = 0; step < stages - 1; step++) copy(step);
    for (int step = 0; step < steps; step++) {
        // This step's tiles are here, and nobody still reads those of the last one: they can be filled anew.
        wait_for_copies<stages - 2>();
        __syncthreads();
        copy(step + stages - 1);
    // ANCHOR_END: stages
        const float* a_tile = shared + step % stages * stage + (row + g) * InA::row_step + t * InA::k_step;
        const float* b_tile =
            shared + step % stages * stage + b_tiles + (column + g) * InB::row_step + t * InB::k_step;
#pragma unroll
        for (int k = 0; k < depth; k += 8) {
            u32 a_values[down][4], b_values[2];
#pragma unroll
            for (int i = 0; i < down; i++) {
#pragma unroll
                for (int part = 0; part < 4; part++) {
                    const int r = i * 16 + part % 2 * 8, p = k + part / 2 * 4;
                    a_values[i][part] = to_tf32(a_tile[r * InA::row_step + p * InA::k_step]);
                }
            }
#pragma unroll
            for (int j = 0; j < across; j++) {
#pragma unroll
                for (int part = 0; part < 2; part++)
                    b_values[part] = to_tf32(b_tile[j * 8 * InB::row_step + (k + part * 4) * InB::k_step]);
#pragma unroll
                for (int i = 0; i < down; i++) mma_m16n8k8_tf32(sums[i][j], a_values[i], b_values);
            }
        }
    }

#pragma unroll
    for (int i = 0; i < 2 * down; i++) {
        float* to = out.row(at.first_row + row + i * 8 + g);
        if (to == nullptr) continue;
#pragma unroll
        for (int j = 0; j < across; j++)
            store<2>(out, to, at.first_column + column + j * 8 + 2 * t, &sums[i / 2][j][i % 2 * 2]);
    }
}
