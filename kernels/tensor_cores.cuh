// Matrix products of a warp on tensor cores, in TF32: f32's range with 10 bits of fraction, summed in f32.
#pragma once
#include "common.cuh"

#ifdef __CUDACC__

// The nearest TF32 value, ties away from zero, as f32 bits.
__device__ __forceinline__ u32 to_tf32(float value) {
    u32 bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
    return bits;
}

// D += A · B with A 16x8 and B 8x8. With g = lane / 4 and t = lane % 4, a lane holds
//   a = A[g][t], A[g + 8][t], A[g][t + 4], A[g + 8][t + 4]     b = B[t][g], B[t + 4][g]
//   d = D[g][2t], D[g][2t + 1], D[g + 8][2t], D[g + 8][2t + 1]
__device__ __forceinline__ void mma_m16n8k8_tf32(float (&d)[4], const u32 (&a)[4], const u32 (&b)[2]) {
    asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

#else

// ANCHOR: to_tf32
inline u32 to_tf32(float value) {
    const u32 bits = __float_as_uint(value);
    const bool finite = (bits & 0x7f800000u) != 0x7f800000u;
    return finite ? (bits + 0x1000u) & 0xffffe000u : bits;
}
// ANCHOR_END: to_tf32
using emulation::mma_m16n8k8_tf32;

#endif
