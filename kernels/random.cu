// Arrays of random numbers: uniform on [0, 1) and normal, as Random::uniform and Random::normal draw them.
//
//   uniform   unit(a) = (a >> 8) · 2⁻²⁴
//   normal    of words (a, b):  r = √(-2 ln(1 - unit(a))),  r cos 2π unit(b)  and  r sin 2π unit(b)   (Box and Muller)
//
// Grid: any; a thread makes a block of four words into four numbers, and then every grid_threads()-th block.
#include "random.cuh"
#include "vectors.cuh"

// The upper 24 bits: f32 holds them exactly.
__device__ __forceinline__ float unit(u32 word) { return float(word >> 8) * (1.0f / 16777216.0f); }

// Two normal numbers, computed in double so that they round to the CPU's but where its libm rounds the other way.
// sincospi takes no reduction of large angles, so needs no local memory as sincos does.
__device__ __forceinline__ float2 two_normals(u32 a, u32 b) {
    const double r = sqrt(-2.0 * log(1.0 - double(unit(a))));
    double sine, cosine;
    sincospi(2.0 * double(unit(b)), &sine, &cosine);
    return make_float2(float(r * cosine), float(r * sine));
}

extern "C" __global__ void random_uniform(float* to, int n, Position from) {
    const u64 first = first_block(from);
    for (int i = 4 * grid_thread(); i < n; i += 4 * grid_threads()) {
        const uint4 words = random_words(from, first + i / 4);
        store_four(to, i, n, make_float4(unit(words.x), unit(words.y), unit(words.z), unit(words.w)));
    }
}

extern "C" __global__ void random_normal(float* to, int n, Position from) {
    const u64 first = first_block(from);
    for (int i = 4 * grid_thread(); i < n; i += 4 * grid_threads()) {
        const uint4 words = random_words(from, first + i / 4);
        const float2 p = two_normals(words.x, words.y), q = two_normals(words.z, words.w);
        store_four(to, i, n, make_float4(p.x, p.y, q.x, q.y));
    }
}
