// Kernels that reverse each block's values, right and wrong in one way each: what the emulated device must tell apart.
// Grid: blocks of 64 threads, a value each.
#include "common.cuh"

constexpr int BLOCK = 64;

extern "C" __global__ void reverse(const float* from, float* to, int n) {
    __shared__ float values[BLOCK];
    const int i = grid_thread();
    if (i < n) values[threadIdx.x] = from[i];
    __syncthreads();
    if (i < n) to[i] = values[BLOCK - 1 - threadIdx.x];
}

// The barrier is missing: a thread may read what another has not written yet.
extern "C" __global__ void reverse_without_barrier(const float* from, float* to, int n) {
    __shared__ float values[BLOCK];
    const int i = grid_thread();
    if (i < n) values[threadIdx.x] = from[i];
    if (i < n) to[i] = values[BLOCK - 1 - threadIdx.x];
}

// The second barrier of each round is missing: a fast thread's next value comes too early for a slow one.
extern "C" __global__ void sum_rounds_without_second_barrier(const float* from, float* to, int rounds) {
    __shared__ float values[BLOCK];
    float sum = 0.0f;
    for (int round = 0; round < rounds; round++) {
        values[threadIdx.x] = from[round * BLOCK + threadIdx.x];
        __syncthreads();
        sum += values[BLOCK - 1 - threadIdx.x];
    }
    to[threadIdx.x] = sum;
}

// One value too far.
extern "C" __global__ void reverse_off_by_one(const float* from, float* to, int n) {
    __shared__ float values[BLOCK];
    const int i = grid_thread();
    if (i < n) values[threadIdx.x] = from[i];
    __syncthreads();
    if (i < n) to[i + 1] = values[BLOCK - 1 - threadIdx.x];
}

// One value too early, which is read only.
extern "C" __global__ void shift_reads_before(const float* from, float* to, int n) {
    const int i = grid_thread();
    if (i < n) to[i] = from[i - 1];
}

// Shared memory that nobody has written.
extern "C" __global__ void reads_unwritten(const float* from, float* to, int n) {
    __shared__ float values[BLOCK + 1];
    const int i = grid_thread();
    if (i < n) values[threadIdx.x] = from[i];
    __syncthreads();
    if (i < n) to[i] = values[threadIdx.x + 1];
}

// Half of the threads wait at another barrier than the rest.
extern "C" __global__ void barriers_apart(const float* from, float* to, int n) {
    const int i = grid_thread();
    if (threadIdx.x < BLOCK / 2) {
        __syncthreads();
    } else {
        __syncthreads();
    }
    if (i < n) to[i] = from[i];
}

// A warp waits for the block, the other for its own lanes, one of which is gone to the block's barrier.
extern "C" __global__ void never_meets(const float* from, float* to, int n) {
    const int i = grid_thread();
    if (threadIdx.x == 0) {
        __syncthreads();
    } else {
        __syncwarp();
        __syncthreads();
    }
    if (i < n) to[i] = from[i];
}

// A copy to shared memory that nobody waits for.
#include "async.cuh"
extern "C" __global__ void copy_without_wait(const float* from, float* to, int n) {
    __shared__ float values[BLOCK];
    const int i = grid_thread();
    copy_async_4(&values[threadIdx.x], from + (i < n ? i : 0), i < n);
    commit_copies();
    __syncthreads();
    if (i < n) to[i] = values[BLOCK - 1 - threadIdx.x];
}

// A copy of 16 bytes from an address that is a multiple of 4: what it doesn't read must lie right, too.
extern "C" __global__ void copy_from_between(const float* from, float* to, int n) {
    __shared__ __align__(16) float values[4 * BLOCK];
    const int i = grid_thread();
    copy_async_16(&values[4 * threadIdx.x], from + 1, false);
    commit_copies();
    wait_for_copies<0>();
    __syncthreads();
    if (i < n) to[i] = values[4 * threadIdx.x];
}
