// Tiled matrix products C[m, n] = Σ_k A[m, k] · B[k, n] in f32, for any operands of gemm_operands.cuh.
//
//            k ->                  A block of threads makes a tile of C. It walks along k in steps of `depth`: while
//        +---------+   B tile      all threads multiply what lies in shared memory, copies of the next step's two
//      k |         | [depth, n]    tiles run beside them into a second pair of buffers.
//        +---------+
//   +--+ +---------+               Each thread holds rows_each x columns_each sums in registers. A step of k takes it
//   |  | |  C tile |               rows_each + columns_each values from shared memory and the product of the two in
//   |  | | [m, n]  |               multiplications: 16 against 64, which is what makes a tile fast.
//   +--+ +---------+
//  A tile [depth, m]
//
// Both tiles lie in shared memory with k outermost, so that a thread reads four neighbouring rows, or columns, as
// one vector. Lanes of a warp are 4 rows by 8 columns of threads: a warp's vectors of B are 128 neighbouring bytes,
// and those of A four, each read by eight lanes at once. A tile that memory has the other way around (a row-major A)
// is turned by copying single values; see CopyTile.
//
// A long sum over few tiles is split: grid layer z sums over `k_block` values of k from z · k_block on and leaves
// its part in a workspace; add_parts adds the parts in order. How a product is split follows from its sizes alone.
#pragma once
#include "async.cuh"
#include "gemm_operands.cuh"

// Sizes of a product's work. Threads form a grid of rows / rows_each by columns / columns_each, warps of 4 by 8.
template <int tile_rows, int tile_columns, int rows_of_a_thread, int columns_of_a_thread>
struct Tile {
    static constexpr int rows = tile_rows, columns = tile_columns;
    static constexpr int rows_each = rows_of_a_thread, columns_each = columns_of_a_thread;
    static constexpr int thread_rows = rows / rows_each, thread_columns = columns / columns_each;
    static constexpr int threads = thread_rows * thread_columns;
    // Blocks that a processor has registers for: one multiplies while another waits.
    static constexpr int blocks = 512 / threads;
    static constexpr int depth = 16;
    // A line of a tile, for one k, is followed by four unused values: see CopyTile.
    static constexpr int a_line = rows + 4, b_line = columns + 4;
    // Floats of shared memory: two stages of both tiles, what belongs to their rows (at most 16 bytes each), and what
    // an operand keeps (Divisors).
    static constexpr int stage = depth * (a_line + b_line), row_places = 2 * stage;
    static constexpr int kept = row_places + 4 * (rows + columns), shared = kept + 16;
    static_assert(thread_rows % 4 == 0 && thread_columns % 8 == 0);
};

// The tiles that the kernels are made for: large products; small ones; those of a few columns only.
using Tile128x128 = Tile<128, 128, 8, 8>;
using Tile64x64 = Tile<64, 64, 8, 4>;
using Tile128x8 = Tile<128, 8, 8, 1>;

// Copies [depth, rows] of an operand, k outermost, into lines of `line` floats of shared memory; without waiting.
//
// Along::rows: neighbouring threads copy neighbours of a line, 16 bytes each if that is possible. Along::k: eight
// neighbouring threads copy what neighbours in k, 32 bytes of memory, to eight lines; their distance of 4 mod 32
// values keeps the four rows of a warp out of each other's banks. What belongs to a row is worked out once and then
// read from shared memory, and the loops aren't unrolled, as registers are what a product has least of.
template <class Operand, int rows, int depth, int line, int threads>
class CopyTile {
    static constexpr bool by_rows = Operand::along == Along::rows;
    static_assert(by_rows || line % 32 == 4 || rows <= 8);
    static_assert(sizeof(typename Operand::Row) <= 16);

    const Operand& operand;
    const bool vectors;
    const typename Operand::Row* row_places;

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
            float* to = tile + at * line + place;
            const float* from = operand.from + (row.offset + inner.offset);
            if constexpr (width == 4) copy_async_16(to, from, operand.there(row, inner));
            else copy_async_4(to, from, operand.there(row, inner));
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
                copy_async_4(tile + k * line + place, operand.from + (row.offset + inner.offset),
                             operand.there(row, inner));
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
        if constexpr (!by_rows) copy_across(tile, first_k);
        else if (vectors) copy_lines<4>(tile, first_k);
        else copy_lines<1>(tile, first_k);
    }
};

// Where a product goes: a matrix [rows, columns], plus a bias per column unless that is null.
struct Target {
    float* to;
    const float* bias;
    int rows, columns;

    __device__ float* row(int r) const { return r < rows ? to + r * columns : nullptr; }
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
            *reinterpret_cast<float4*>(row + column) = make_float4(values[0], values[1 % width], values[2 % width], values[3 % width]);
        return;
    }
#pragma unroll
    for (int j = 0; j < width; j++) {
        if (column + j < out.columns) row[column + j] = values[j];
    }
}

// `count` neighbouring values of shared memory, four at a time where they are.
template <int count>
__device__ __forceinline__ void read(float (&to)[count], const float* from, int distance) {
    if constexpr (count % 4 == 0) {
#pragma unroll
        for (int i = 0; i < count; i += 4) {
            const float4 v = *reinterpret_cast<const float4*>(from + i / 4 * distance);
            to[i] = v.x, to[i + 1] = v.y, to[i + 2] = v.z, to[i + 3] = v.w;
        }
    } else {
#pragma unroll
        for (int i = 0; i < count; i++) to[i] = from[i];
    }
}

// The tile of C from (first_row, first_column) on, summed over first_k <= k < end_k.
template <class T, class A, class B, class Out>
__device__ void product(float* shared, const A& a, const B& b, const Out& out, int first_row, int first_column,
                        int first_k, int end_k) {
    constexpr int a_size = T::depth * T::a_line;
    float* places = shared + T::row_places;
    const CopyTile<A, T::rows, T::depth, T::a_line, T::threads> copy_a(a, first_row, places);
    const CopyTile<B, T::columns, T::depth, T::b_line, T::threads> copy_b(b, first_column, places + 4 * T::rows);
    __syncthreads();

    // This thread's place among the block's threads. Its rows are groups of four, its columns groups of `width`,
    // thread_rows · 4 and thread_columns · width apart.
    constexpr int warps_across = T::thread_columns / 8, width = T::columns_each < 4 ? T::columns_each : 4;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int row = (warp / warps_across * 4 + lane / 8) * 4;
    const int column = (warp % warps_across * 8 + lane % 8) * width;

    float sums[T::rows_each][T::columns_each] = {};
    const int steps = ceil_div(end_k - first_k, T::depth);
    if (steps > 0) {
        copy_a(shared, first_k);
        copy_b(shared + a_size, first_k);
        commit_copies();
    }
    for (int step = 0; step < steps; step++) {
        // This step's tiles are here, and nobody still reads the other buffers: they can be filled anew.
        wait_for_copies<0>();
        __syncthreads();
        float* stage = shared + step % 2 * T::stage;
        if (step + 1 < steps) {
            float* next = shared + (step + 1) % 2 * T::stage;
            first_k += T::depth;
            copy_a(next, first_k);
            copy_b(next + a_size, first_k);
            commit_copies();
        }
        const float *a_tile = stage + row, *b_tile = stage + a_size + column;
#pragma unroll
        for (int k = 0; k < T::depth; k++) {
            float a_values[T::rows_each], b_values[T::columns_each];
            read(a_values, a_tile + k * T::a_line, T::thread_rows * 4);
            read(b_values, b_tile + k * T::b_line, T::thread_columns * 4);
#pragma unroll
            for (int i = 0; i < T::rows_each; i++) {
#pragma unroll
                for (int j = 0; j < T::columns_each; j++) sums[i][j] += a_values[i] * b_values[j];
            }
        }
    }

#pragma unroll
    for (int i = 0; i < T::rows_each; i++) {
        float* to = out.row(first_row + row + i / 4 * T::thread_rows * 4 + i % 4);
        if (to == nullptr) continue;
#pragma unroll
        for (int j = 0; j < T::columns_each; j += width)
            store<width>(out, to, first_column + column + j / width * T::thread_columns * width, &sums[i][j]);
    }
}

// Which tile and which part of k a block has: blocks lie row of tiles after row of tiles along x, parts along z.
struct BlockPlace {
    int first_row, first_column, first_k, end_k;

    __device__ BlockPlace(int tile_rows, int tile_columns, int columns, int k, int k_block, int part) {
        const int across = ceil_div(columns, tile_columns);
        first_row = int(blockIdx.x) / across * tile_rows;
        first_column = int(blockIdx.x) % across * tile_columns;
        first_k = part * k_block;
        end_k = min(first_k + k_block, k);
    }
};

// to[i] = Σ_part parts[part][i], plus a bias per column unless that is null. Any grid.
__device__ __forceinline__ void add_parts(const float* __restrict__ parts, int part_count, const float* bias,
                                          int columns, float* to, int n) {
    for (int i = grid_thread(); i < n; i += grid_threads()) {
        float sum = 0;
        for (int part = 0; part < part_count; part++) sum += parts[size_t(part) * n + i];
        to[i] = bias == nullptr ? sum : sum + bias[i % columns];
    }
}
