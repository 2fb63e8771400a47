// What every kernel file shares.
//
// The same source is compiled three ways: to PTX by NVRTC (compile.py), and to plain C++ by the tests, where
// emulation/emulation.h supplies CUDA's words. Sizes and indices are 32-bit: no tensor has 2^31 values.
#pragma once

#ifndef __CUDACC__
#include "emulation/emulation.h"
#endif

using u32 = unsigned int;
using u64 = unsigned long long;

// This thread's place among all threads of a one-dimensional grid, and how many they are. A kernel that goes over
// an array takes every such value from there on (a grid-stride loop), so that any grid is right:
//
//   for (int i = grid_thread(); i < n; i += grid_threads()) y[i] = f(x[i]);
// ANCHOR: grid
__device__ __forceinline__ int grid_thread() { return int(blockIdx.x * blockDim.x + threadIdx.x); }
__device__ __forceinline__ int grid_threads() { return int(gridDim.x * blockDim.x); }
// ANCHOR_END: grid

__device__ __forceinline__ int ceil_div(int a, int b) { return (a + b - 1) / b; }

// Memory that a launch sizes, shared by the threads of a block.
#ifdef __CUDACC__
#define DYNAMIC_SHARED(name) extern __shared__ __align__(16) float name[]
#else
#define DYNAMIC_SHARED(name) float* name = reinterpret_cast<float*>(emulation::dynamic_shared)
#endif
