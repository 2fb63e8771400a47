// A kernel for a GPU: sums of blocks, by threads that work together
//
// A kernel is a function that thousands of threads run at once. They come in blocks, here of
// BLOCK = 64 threads, and there are as many blocks as it takes for each value to have a thread.
// Each thread knows its place:
//
//   threadIdx.x   its number in its block, 0 to 63
//   blockIdx.x    the number of its block
//   blockDim.x    how many threads a block has, 64
//
// so thread t of block b is the one of value b * 64 + t. The last block may have threads for which
// there is no value.
//
// The threads of a block can share an array:
//
//   __shared__ float values[BLOCK];
//
// One thread writes to it, another reads it. But threads run in any order, and one may be far ahead
// of another. A barrier,
//
//   __syncthreads();
//
// is a line that no thread of a block passes before all have reached it. So what was written before
// it can be read after it. And what was read before it may be overwritten after it. Every thread of
// the block must come to the same barrier: a thread that has returned early, or a barrier that
// stands inside an `if` which only some threads enter, is a mistake.
//
// To add up 64 values, no thread needs to add all of them. First, thread t < 32 adds value t + 32
// to value t, which leaves 32 sums. Then, thread t < 16 adds value t + 16 to value t, and so on:
//
//   8 values      a        b        c        d       e  f  g  h
//   half = 4      a+e      b+f      c+g      d+h
//   half = 2      a+e+c+g  b+f+d+h
//   half = 1      all of them
//
// After six steps value 0 is the sum of the block. Each step reads what other threads wrote in the
// one before.
//
// Here no GPU is needed. The kernel is compiled as C++, and the threads are run one after the
// other, each from one barrier to the next, in ascending order at first and then shuffled. Shared
// memory is NaN at first, so what is read before it is written shows.

constexpr int BLOCK = 64;

// Writes to sums[b] the sum of the values of block b: x[64 * b] to x[64 * b + 63], or to x[n - 1]
// in the last block. There are n values in x, and a sum for each block.
extern "C" __global__ void block_sums(const float* x, float* sums, int n) {
    todo();
}
