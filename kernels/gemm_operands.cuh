// The operands of a matrix product C[m, n] = Σ_k A[m, k] · B[k, n], wherever their values come from.
//
// An operand is a function of a row r (for B: a column of C) and of k. Its value lies at
//
//   from[row(r).offset + inner(k).offset],     or is zero unless there(row(r), inner(k)),
//
// so that what belongs to r is worked out once for a whole product, and what belongs to k once for all the rows
// that a thread copies. `along` says which of the two runs through neighbouring values of memory, and vectors()
// whether four such neighbours, from a multiple of four on, are sixteen bytes of the same kind: all there or none.
#pragma once
#include "common.cuh"
#include "geometry.cuh"

enum class Along { rows, k };

// Division of 0 <= n < 2^31 by a number that is known at run time only, with a multiplication (Granlund and
// Montgomery, "Division by invariant integers using multiplication", 1994): n / d = (⌊n·m / 2^32⌋ + n) >> l with
// l = ⌈log2 d⌉ and m = ⌊2^32 · (2^l - d) / d⌋ + 1. A division takes a GPU some twenty instructions.
struct Divisor {
    int divisor, shift;
    u32 multiplier;

    __device__ static Divisor of(int d) {
        int shift = 0;
        while ((1u << shift) < u32(d)) shift++;
        return {d, shift, u32((u64((1u << shift) - u32(d)) << 32) / u32(d)) + 1};
    }
    // Makes n the remainder and returns the quotient.
    __device__ int divide(int& n) const {
        const int q = int((__umulhi(u32(n), multiplier) + u32(n)) >> shift);
        n -= q * divisor;
        return q;
    }
};

// A matrix in memory, `first` values from `from` on: added to what belongs to a row, which lies in shared memory, it
// takes no register. Along::k: [rows, stride] with k running along its rows; Along::rows: [k, stride]. Nothing is there
// from row `rows` and from `k_end` on.
template <Along direction>
struct Matrix {
    static constexpr Along along = direction;
    const float* from;
    int rows, stride, k_end, first;

    // Negative where nothing is there; nothing is multiplied beyond the edge, where the product could leave an int.
    struct Place {
        int offset;
    };
    using Row = Place;
    using Inner = Place;

    __device__ Row row(int r) const { return {r >= rows ? -1 : first + (along == Along::rows ? r : r * stride)}; }
    __device__ Inner inner(int k) const { return {k >= k_end ? -1 : along == Along::k ? k : k * stride}; }
    __device__ static bool there(Row row, Inner inner) { return (row.offset | inner.offset) >= 0; }
    __device__ bool vectors() const { return stride % 4 == 0 && first % 4 == 0; }
};

// A place in a map to which a tap is added; far below zero, a sum is outside whatever the other one is.
struct __align__(16) MapPlace {
    int offset, y, x;
};
constexpr int NOWHERE = -(1 << 30);

// What a convolution reads, as the matrix [pixels, taps] that is never stored ("implicit GEMM"): pixel (n, oy, ox)
// of the output and tap (i, j, c) of the weights meet at x[n, oy·s + i - top, ox·s + j - left, first + c], c one of the
// `channels` of a group. A pixel and a tap each have an offset and a place in the map; sums of places beyond the edges
// read zero.
struct Patches {
    // Shared by the threads of a block: made once, and no registers are held for them.
    struct Divisors {
        Divisor out_w, out_h, channels, kw;
    };
    const float* from;
    const Conv2dGeometry& g;
    // Pixels from `pixels_end` on and taps from `taps_end` on read zero.
    int pixels_end, taps_end, first;
    const Divisors& by;

    __device__ static void prepare(Divisors& by, const Conv2dGeometry& g, int channels) {
        if (threadIdx.x == 0)
            by = {Divisor::of(g.out_w), Divisor::of(g.out_h), Divisor::of(channels), Divisor::of(g.kw)};
        __syncthreads();
    }
    __device__ MapPlace pixel(int p) const {
        if (p >= pixels_end) return {0, NOWHERE, NOWHERE};
        int oy = by.out_w.divide(p); // and p becomes ox
        const int image = by.out_h.divide(oy);
        const int y = oy * g.stride_h - g.top, x = p * g.stride_w - g.left;
        return {((image * g.h + y) * g.w + x) * g.c_in, y, x};
    }
    // What belongs to a row, from the group's first channel on: it lies in shared memory, where that takes no register.
    __device__ MapPlace of_group(MapPlace row) const { return {row.offset + first, row.y, row.x}; }
    __device__ MapPlace tap(int k) const {
        if (k >= taps_end) return {0, NOWHERE, NOWHERE};
        int j = by.channels.divide(k); // and k becomes c
        const int i = by.kw.divide(j);
        return {(i * g.w + j) * g.c_in + k, i, j};
    }
    __device__ bool there(MapPlace pixel, MapPlace tap) const {
        return u32(pixel.y + tap.y) < u32(g.h) && u32(pixel.x + tap.x) < u32(g.w);
    }
    __device__ bool vectors() const { return by.channels.divisor % 4 == 0; }
};

// A of a convolution: a row per pixel.
struct PatchRows : Patches {
    static constexpr Along along = Along::k;
    using Row = MapPlace;
    using Inner = MapPlace;
    __device__ Row row(int r) const { return of_group(pixel(r)); }
    __device__ Inner inner(int k) const { return tap(k); }
};

// A of its weight gradient, the same matrix read transposed: a row per tap, summed over pixels.
struct PatchColumns : Patches {
    static constexpr Along along = Along::rows;
    using Row = MapPlace;
    using Inner = MapPlace;
    __device__ Row row(int r) const { return of_group(tap(r)); }
    __device__ Inner inner(int k) const { return pixel(k); }
    __device__ bool there(MapPlace tap, MapPlace pixel) const { return Patches::there(pixel, tap); }
};
