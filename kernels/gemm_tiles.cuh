// What every tiled product shares: how tiles of its operands come to shared memory, where its sums go, which block
// makes which. See gemm.cuh.
#pragma once
#include "async.cuh"
#include "gemm_operands.cuh"

// Copies a tile of an operand, `depth` values of k by `rows` rows, into lines of `line` floats of shared memory;
// without waiting. A line is one k and all rows, unless memory has k innermost and that may stay (`turn` is false):
// then it is one row.
//
// Along::rows: neighbouring threads copy neighbours of a line, 16 bytes each if that is possible, and so where a tile
// may stay as memory has it. Where it is turned, eight neighbouring threads copy what neighbours in k, 32 bytes of
// memory, to eight lines; their distance of 4 mod 32 values keeps the four rows of a warp out of each other's banks.
// What belongs to a row is worked out once and then read from shared memory, and loops aren't unrolled, as registers
// are what a product has least of.
template <class Operand, int rows, int depth, int line, int threads, bool turn>
class CopyTile {
    static constexpr bool by_rows = Operand::along == Along::rows;
    static_assert(by_rows || !turn || line % 32 == 4 || rows <= 8);
    static_assert(sizeof(typename Operand::Row) <= 16);

    const Operand& operand;
    const bool vectors;
    const typename Operand::Row* row_places;

    // `width` neighbours. Where nothing is there the address isn't read, yet must be one that could be.
    template <int width>
    __device__ void copy_one(float* to, const typename Operand::Row& row, const typename Operand::Inner& inner) const {
        const bool there = operand.there(row, inner);
        const float* from = operand.from + (there ? row.offset + inner.offset : 0);
        if constexpr (width == 4) copy_async_16(to, from, there);
        else copy_async_4(to, from, there);
    }
    template <int width>
    __device__ void copy_lines(float* tile, int first_k) const {
        constexpr int per_line = rows / width, lines_at_once = threads / per_line;
        const int place = threadIdx.x % per_line * width;
        const auto row = row_places[place];
#pragma unroll 1
        for (int k = 0; k < depth; k += lines_at_once) {
            const int at = k + int(threadIdx.x) / per_line;
            if (depth % lines_at_once != 0 && at >= depth) continue;
            const auto inner = operand.inner(first_k + at);
            copy_one<width>(tile + at * line + place, row, inner);
        }
    }
    __device__ void copy_across(float* tile, int first_k) const {
        constexpr int rows_at_once = threads / 8;
#pragma unroll 1
        for (int step = 0; step < depth / 8; step++) {
            const int k = threadIdx.x % 8 + step * 8;
            const auto inner = operand.inner(first_k + k);
#pragma unroll
            for (int first = 0; first < rows; first += rows_at_once) {
                const int place = first + int(threadIdx.x) / 8;
                if (rows % rows_at_once != 0 && place >= rows) continue;
                const auto row = row_places[place];
                copy_one<1>(tile + k * line + place, row, inner);
            }
        }
    }
    template <int width>
    __device__ void copy_rows(float* tile, int first_k) const {
        constexpr int per_row = depth / 4, rows_at_once = threads / per_row;
        static_assert(rows % rows_at_once == 0);
#pragma unroll 1
        for (int first = 0; first < 4; first += width) {
            const int k = threadIdx.x % per_row * 4 + first;
            const auto inner = operand.inner(first_k + k);
#pragma unroll
            for (int i = 0; i < rows; i += rows_at_once) {
                const int place = i + int(threadIdx.x) / per_row;
                const auto row = row_places[place];
                copy_one<width>(tile + place * line + k, row, inner);
            }
        }
    }

  public:
    // `places` is shared memory for `rows` rows; a barrier must follow.
    __device__ CopyTile(const Operand& operand, int first_row, float* places)
        : operand(operand), vectors(operand.vectors()),
          row_places(reinterpret_cast<const typename Operand::Row*>(places)) {
        if (threadIdx.x < rows)
            reinterpret_cast<typename Operand::Row*>(places)[threadIdx.x] = operand.row(first_row + int(threadIdx.x));
    }

    __device__ void operator()(float* tile, int first_k) const {
        if constexpr (by_rows) {
            if (vectors) copy_lines<4>(tile, first_k);
            else copy_lines<1>(tile, first_k);
        } else if constexpr (turn) {
            copy_across(tile, first_k);
        } else {
            if (vectors) copy_rows<4>(tile, first_k);
            else copy_rows<1>(tile, first_k);
        }
    }
};

// Where a product goes: a matrix [rows, columns], rows `stride` apart, plus a bias per column unless that is null. If
// four divides the columns, it divides the stride and where the matrix begins, too.
struct Target {
    float* to;
    const float* bias;
    int rows, columns, stride;

    __device__ float* row(int r) const { return r < rows ? to + r * stride : nullptr; }
};

// Writes `width` neighbouring sums of a row, from `column` on.
template <int width, class Out>
__device__ __forceinline__ void store(const Out& out, float* row, int column, const float* sums) {
    float values[width];
#pragma unroll
    for (int j = 0; j < width; j++) {
        values[j] = sums[j];
        if (out.bias != nullptr && column + j < out.columns) values[j] += out.bias[column + j];
    }
    if (width == 4 && out.columns % 4 == 0) {
        if (column < out.columns)
            *reinterpret_cast<float4*>(row + column) =
                make_float4(values[0], values[1 % width], values[2 % width], values[3 % width]);
        return;
    }
    if (width == 2 && out.columns % 2 == 0) {
        if (column < out.columns)
            *reinterpret_cast<float2*>(row + column) = make_float2(values[0], values[1 % width]);
        return;
    }
#pragma unroll
    for (int j = 0; j < width; j++) {
        if (column + j < out.columns) row[column + j] = values[j];
    }
}

// Which of several products, which tile of it and which part of k a block has: products ("layers") lie one after the
// other along x, each row of tiles after row of tiles, and parts along z.
struct BlockPlace {
    int layer, first_row, first_column, first_k, end_k;

    __device__ BlockPlace(int tile_rows, int tile_columns, int rows, int columns, int k, int k_block)
        : BlockPlace(tile_rows, tile_columns, rows, columns) {
        take_part(k, k_block);
    }
    // For products whose k depends on the layer.
    __device__ BlockPlace(int tile_rows, int tile_columns, int rows, int columns) {
        const int down = ceil_div(rows, tile_rows), across = ceil_div(columns, tile_columns);
        layer = int(blockIdx.x) / (down * across);
        const int tile = int(blockIdx.x) % (down * across);
        first_row = tile / across * tile_rows;
        first_column = tile % across * tile_columns;
        first_k = end_k = 0;
    }
    __device__ void take_part(int k, int k_block) {
        first_k = int(blockIdx.z) * k_block;
        end_k = min(first_k + k_block, k);
    }
};

// to[i] = Σ_part parts[part][i], plus a bias per column unless that is null. Any grid.
__device__ __forceinline__ void add_parts(const float* __restrict__ parts, int part_count, const float* bias,
                                          int columns, float* to, int n) {
    for (int i = grid_thread(); i < n; i += grid_threads()) {
        float sum = 0;
#pragma unroll 8
        for (int part = 0; part < part_count; part++) sum += parts[size_t(part) * n + i];
        to[i] = bias == nullptr ? sum : sum + bias[i % columns];
    }
}
