// Many tensors in one launch: all parameters of a network, most of which are too small to keep a GPU busy alone.
//
// Their places travel by value with the launch, so that a captured training step holds them, and nothing needs to be
// copied before. Each block works on CHUNK values of one tensor; blocks are numbered tensor after tensor, and a row says
// which of them is its tensor's first. More than MAX_TENSORS tensors take more launches.
#pragma once
#include "vectors.cuh"

constexpr int MAX_TENSORS = 96;
constexpr int CHUNK = 4096;
constexpr int CHUNK_THREADS = 256;

// A parameter, its gradient and what the optimiser remembers of it; what a kernel doesn't use is null.
// src/cuda/tensors.rs has the same structs, field by field.
struct TensorRow {
    float* p;
    const float* g;
    float* slots[2];
    int length, first_block;
};

// Rows beyond the last tensor's have a first block that no grid reaches.
struct TensorTable {
    TensorRow rows[MAX_TENSORS];
};

// Calls f(row, i) for the fours of this block's chunk that are this thread's, by the index of their first value.
// Grid: a block of CHUNK_THREADS for each chunk of each tensor.
template <class F>
__device__ __forceinline__ void for_each_four(const TensorTable& table, F f) {
    // The last tensor whose first block isn't beyond this one: found by bisection.
    int low = 0, high = MAX_TENSORS;
    while (high - low > 1) {
        const int middle = (low + high) / 2;
        if (table.rows[middle].first_block <= int(blockIdx.x)) low = middle;
        else high = middle;
    }
    const TensorRow& row = table.rows[low];
    const int first = (int(blockIdx.x) - row.first_block) * CHUNK;
#pragma unroll
    for (int i = first + 4 * int(threadIdx.x); i < first + CHUNK; i += 4 * CHUNK_THREADS) {
        if (i < row.length) f(row, i);
    }
}
