// Reductions of [outer, reduced, inner] to [outer, inner] by an operation on two numbers: what sum.cu and max.cu share,
// and the steps that batch_norm.cu and gradient.cu end with, in which threads of a block, and blocks, bring parts together.
//
// Each form reduces tiles of fixed size, and writes results divided by `divisor` (for means; else 1). The parts of columns are
// brought together by the block that comes last; those of long rows by further launches, until one is left. Tiles depend
// on the shape alone and everything is combined in a fixed order, so the same input gives the same bits on any GPU. Parts
// are combined as a tree, and what a thread adds up by itself is short (RUN): rounding errors grow with the logarithm of
// the length.
//
//   form           for                                       a thread reads             makes of [outer, reduced, inner]
//   few            reduced is small, many results            one result's values        [outer, inner]
//   short rows     inner = 1, reduced of up to ~1000         a share of a row           [outer]
//   long rows      inner = 1, reduced beyond                 a share of a tile          [outer, tiles]
//   columns        inner > 1, reduced not small              a share of a column        [outer, inner]
#pragma once
#include "common.cuh"

constexpr int MAX_BLOCK = 1024;

// Values that a thread with hundreds to add up takes at a time: it sums such a run by itself and then adds it to those
// before, so that an error grows with the length and the number of runs, not with their product.
constexpr int RUN = 16;

// ANCHOR: combine_block
// Brings together what the threads of a block hold whose indices differ by a multiple of `width`: the threads below
// `width` get the whole. Block size and width are powers of two; `shared` has a place for every thread.
//
//   width 2, 8 threads:   0 1 2 3 4 5 6 7   ->   0+4 1+5 2+6 3+7   ->   (0+4)+(2+6)  (1+5)+(3+7)
template <class T, class F>
__device__ __forceinline__ T combine_block(F combine, T value, T* shared, int width) {
    const int thread = threadIdx.x;
    // Whoever reads what this memory held before has read it.
    __syncthreads();
    shared[thread] = value;
    for (int half = blockDim.x / 2; half >= width; half /= 2) {
        __syncthreads();
        if (thread < half) shared[thread] = value = combine(value, shared[thread + half]);
    }
    return value;
}
// ANCHOR_END: combine_block

// True for the threads of that block of `blocks` which is the last to come here: what the others have written before they
// came is there for it to read, by way of pointers that aren't __restrict__. So that block can bring their parts together,
// in a fixed order, without another launch. `counter` is 0 before the first block comes and after the last one;
// `shared` is shared memory.
__device__ __forceinline__ bool last_to_come(u32* counter, u32 blocks, bool* shared) {
    // A thread's writes are seen by the device before its block is counted.
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) *shared = atomicInc(counter, blocks - 1) == blocks - 1;
    __syncthreads();
    // And it reads nothing from before the others were.
    __threadfence();
    return *shared;
}

// Grid: any; each thread makes every grid_threads()-th result, n in all.
template <class Operation>
__device__ __forceinline__ void reduce_few(const float* __restrict__ from, float* __restrict__ to, int n, int reduced,
                                           int inner, float divisor) {
    for (int i = grid_thread(); i < n; i += grid_threads()) {
        const float* values = from + (i / inner) * reduced * inner + i % inner;
        float result = Operation::identity();
        for (int r = 0; r < reduced; r++) result = Operation::combine(result, values[r * inner]);
        to[i] = result / divisor;
    }
}

// Grid: a block of 256 threads for each 256 / lanes rows. `lanes`, a power of two up to 32, threads of a warp share a
// row: a row much shorter than a warp would leave most of it idle.
template <class Operation>
__device__ __forceinline__ void reduce_short_rows(const float* __restrict__ from, float* __restrict__ to, int outer,
                                                  int reduced, int lanes, float divisor) {
    const int row = grid_thread() / lanes, lane = grid_thread() % lanes;
    float result = Operation::identity();
    if (row < outer) {
        for (int r = lane; r < reduced; r += lanes) result = Operation::combine(result, from[row * reduced + r]);
    }
    // A warp's threads all shuffle, those beyond the last row too.
    for (int apart = lanes / 2; apart > 0; apart /= 2) {
        result = Operation::combine(result, __shfl_xor_sync(0xffffffffu, result, apart));
    }
    if (row < outer && lane == 0) to[row] = result / divisor;
}

// Grid: a block for each tile of `tile` values of a row, tile after tile, row after row.
template <class Operation>
__device__ __forceinline__ void reduce_long_rows(const float* __restrict__ from, float* __restrict__ to, int reduced,
                                                 int tile, float divisor, float* shared) {
    const int tiles = ceil_div(reduced, tile), row = blockIdx.x / tiles;
    const int first = blockIdx.x % tiles * tile, end = min(first + tile, reduced);
    const float* values = from + row * reduced;
    float result = Operation::identity();
#pragma unroll 4
    for (int r = first + threadIdx.x; r < end; r += blockDim.x) result = Operation::combine(result, values[r]);
    result = combine_block(Operation::combine, result, shared, 1);
    if (threadIdx.x == 0) to[blockIdx.x] = result / divisor;
}

// Grid: a block for each `width` columns of each tile of `tile` rows of each outer index, columns first, tiles next.
// Threads whose indices differ by a multiple of `width` share a column, and take its rows in turns. Where there are several
// tiles, their results go to `parts`, [outer, tiles, inner], which the last block of some columns reduces; `counters` has
// one for each `width` columns of each outer index.
template <class Operation>
__device__ __forceinline__ void reduce_columns(const float* __restrict__ from, float* parts, float* __restrict__ to,
                                               int reduced, int inner, int tile, int width, float divisor,
                                               u32* counters, float* shared, bool* last) {
    const int across = ceil_div(inner, width), tiles = ceil_div(reduced, tile);
    const int column = blockIdx.x % across * width + threadIdx.x % width, part = blockIdx.x / across;
    const int turn = threadIdx.x / width, turns = blockDim.x / width, outer = part / tiles;
    const int first = part % tiles * tile, end = min(first + tile, reduced);
    const bool writes = turn == 0 && column < inner;
    const float* values = from + outer * reduced * inner + column;
    float result = Operation::identity();
    if (column < inner) {
        for (int r = first + turn; r < end;) {
            const int run_end = min(r + RUN * turns, end);
            float run = Operation::identity();
#pragma unroll 4
            for (; r < run_end; r += turns) run = Operation::combine(run, values[r * inner]);
            result = Operation::combine(result, run);
        }
    }
    result = combine_block(Operation::combine, result, shared, width);
    if (tiles > 1) {
        if (writes) parts[part * inner + column] = result;
        if (!last_to_come(counters + outer * across + blockIdx.x % across, tiles, last)) return;
        const float* of_tiles = parts + outer * tiles * inner + column;
        result = Operation::identity();
        if (column < inner) {
#pragma unroll 4
            for (int t = turn; t < tiles; t += turns) result = Operation::combine(result, of_tiles[t * inner]);
        }
        result = combine_block(Operation::combine, result, shared, width);
    }
    if (writes) to[outer * inner + column] = result / divisor;
}
