// Tiled products on the f32 units. Each thread holds rows_each x columns_each sums in registers. A step of k takes it
// rows_each + columns_each values from shared memory and the product of the two in multiplications: 16 against 64,
// which is what makes a tile fast.
//
// Both tiles lie in shared memory with k outermost, so that a thread reads four neighbouring rows, or columns, as
// one vector. Lanes of a warp are 4 rows by 8 columns of threads: a warp's vectors of B are 128 neighbouring bytes,
// and those of A four, each read by eight lanes at once. A tile that memory has the other way around (a row-major A)
// is turned by copying single values; see CopyTile.
#pragma once
#include "gemm_tiles.cuh"

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

    template <class A, class B, class Out>
    __device__ static void product(float* shared, const A& a, const B& b, const Out& out, const BlockPlace& at);
};

// Four neighbouring values of shared memory. The instruction is written out because NVRTC, left to itself, takes such
// reads apart and joins them anew, differently from run to run.
__device__ __forceinline__ float4 read_vector(const float* from) {
#ifdef __CUDACC__
    float4 v;
    asm volatile("ld.shared.v4.f32 {%0, %1, %2, %3}, [%4];"
                 : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w)
                 : "r"(u32(__cvta_generic_to_shared(from))));
    return v;
#else
    return *reinterpret_cast<const float4*>(from);
#endif
}

// `count` values of shared memory: one, or neighbouring fours, `distance` apart.
template <int count>
__device__ __forceinline__ void read(float (&to)[count], const float* from, int distance) {
    if constexpr (count == 1) {
        to[0] = from[0];
    } else {
#pragma unroll
        for (int i = 0; i < count; i += 4) {
            const float4 v = read_vector(from + i / 4 * distance);
            to[i] = v.x, to[i + 1] = v.y, to[i + 2] = v.z, to[i + 3] = v.w;
        }
    }
}

// The block's tile of C, summed over its part of k.
template <int tile_rows, int tile_columns, int rows_of_a_thread, int columns_of_a_thread>
template <class A, class B, class Out>
__device__ void Tile<tile_rows, tile_columns, rows_of_a_thread, columns_of_a_thread>::product(
    float* shared, const A& a, const B& b, const Out& out, const BlockPlace& at) {
    constexpr int a_size = depth * a_line;
    float* places = shared + row_places;
    const CopyTile<A, rows, depth, a_line, threads, true> copy_a(a, at.first_row, places);
    const CopyTile<B, columns, depth, b_line, threads, true> copy_b(b, at.first_column, places + 4 * rows);
    __syncthreads();

    // This thread's place among the block's threads. Its rows are groups of four, its columns groups of `width`,
    // thread_rows · 4 and thread_columns · width apart.
    constexpr int warps_across = thread_columns / 8, width = columns_each < 4 ? columns_each : 4;
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int row = (warp / warps_across * 4 + lane / 8) * 4;
    const int column = (warp % warps_across * 8 + lane % 8) * width;

    float sums[rows_each][columns_each] = {};
    int first_k = at.first_k;
    const int steps = ceil_div(at.end_k - first_k, depth);
    if (steps > 0) {
        copy_a(shared, first_k);
        copy_b(shared + a_size, first_k);
        commit_copies();
    }
    for (int step = 0; step < steps; step++) {
        // This step's tiles are here, and nobody still reads the other buffers: they can be filled anew.
        wait_for_copies<0>();
        __syncthreads();
        float* here = shared + step % 2 * stage;
        if (step + 1 < steps) {
            float* next = shared + (step + 1) % 2 * stage;
            first_k += depth;
            copy_a(next, first_k);
            copy_b(next + a_size, first_k);
            commit_copies();
        }
        const float *a_tile = here + row, *b_tile = here + a_size + column;
#pragma unroll
        for (int k = 0; k < depth; k++) {
            float a_values[rows_each], b_values[columns_each];
            read(a_values, a_tile + k * a_line, thread_rows * 4);
            read(b_values, b_tile + k * b_line, thread_columns * 4);
#pragma unroll
            for (int i = 0; i < rows_each; i++) {
#pragma unroll
                for (int j = 0; j < columns_each; j++) sums[i][j] += a_values[i] * b_values[j];
            }
        }
    }

#pragma unroll
    for (int i = 0; i < rows_each; i++) {
        float* to = out.row(at.first_row + row + i / 4 * thread_rows * 4 + i % 4);
        if (to == nullptr) continue;
#pragma unroll
        for (int j = 0; j < columns_each; j += width)
            store<width>(out, to, at.first_column + column + j / width * thread_columns * width, &sums[i][j]);
    }
}

