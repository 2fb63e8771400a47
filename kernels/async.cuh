// Copies from global to shared memory that don't pass through registers and run beside arithmetic (cp.async, from
// compute capability 8.0 on).
//
//   copy_async_16(to, from, valid); ... commit_copies();   ask for copies, close the group
//   wait_for_copies<1>(); __syncthreads();                 all groups but the last one have arrived, for every thread
#pragma once
#include "common.cuh"

#ifdef __CUDACC__

// 16 bytes, or 16 zeros where not valid; both addresses are multiples of 16.
__device__ __forceinline__ void copy_async_16(void* to, const void* from, bool valid) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(u32(__cvta_generic_to_shared(to))), "l"(from),
                 "r"(valid ? 16 : 0)
                 : "memory");
}
// 4 bytes, or zeros.
__device__ __forceinline__ void copy_async_4(void* to, const void* from, bool valid) {
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(u32(__cvta_generic_to_shared(to))), "l"(from),
                 "r"(valid ? 4 : 0)
                 : "memory");
}
__device__ __forceinline__ void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int pending>
__device__ __forceinline__ void wait_for_copies() {
    asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}

#else

inline void copy_async_16(void* to, const void* from, bool valid) {
    emulation::copy_later(to, from, 16, valid ? 16 : 0);
}
inline void copy_async_4(void* to, const void* from, bool valid) { emulation::copy_later(to, from, 4, valid ? 4 : 0); }
inline void commit_copies() { emulation::commit_copies(); }
template <int pending>
inline void wait_for_copies() {
    emulation::wait_for_copies(pending);
}

#endif
