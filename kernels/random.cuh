// Counter-based random numbers, Philox4x32-10: the very bits of src/random.rs, which has the formula.
//
// A block is four words. Word i of an array is word i % 4 of block i / 4 from its position on, whichever thread asks.
#pragma once
#include "common.cuh"
#include "geometry.cuh"

// Ten rounds; each multiplies two words of the counter into 64 bits and crosses the halves over.
__device__ __forceinline__ uint4 philox(uint4 counter, u32 key_0, u32 key_1) {
    constexpr u32 M_0 = 0xD2511F53u, M_1 = 0xCD9E8D57u;
#pragma unroll
    for (int round = 0; round < 10; round++) {
        counter = make_uint4(__umulhi(M_1, counter.z) ^ counter.y ^ key_0, M_1 * counter.z,
                             __umulhi(M_0, counter.x) ^ counter.w ^ key_1, M_0 * counter.x);
        key_0 += 0x9E3779B9u;
        key_1 += 0xBB67AE85u;
    }
    return counter;
}

// ANCHOR: first_block
// The number of the first block: read once by each thread, before it goes over its values.
__device__ __forceinline__ u64 first_block(const Position& position) {
    return position.block + (position.base == nullptr ? 0 : *position.base);
}
// ANCHOR_END: first_block

// The four words of block number `block`.
__device__ __forceinline__ uint4 random_words(const Position& position, u64 block) {
    const uint4 counter =
        make_uint4(u32(block), u32(block >> 32), u32(position.stream), u32(position.stream >> 32));
    return philox(counter, u32(position.seed), u32(position.seed >> 32));
}
