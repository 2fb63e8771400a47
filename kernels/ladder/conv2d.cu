// A ladder of convolutions (NHWC; see conv2d.cu), from the formula to the product that is nearly as fast as they get:
//
//   y[n, oy, ox, o] = Σ_{i, j, c}  x[n, oy·s + i - top, ox·s + j - left, c] · w[i, j, c, o]
//
// From rung 2 on this is a matrix product: a row per output pixel (n, oy, ox), k running over the taps (i, j, c), a
// column per output channel. B is w as it lies, and A is never stored: a tile's values are found in x ("implicit
// GEMM"). Each rung adds what the same rung of gemm.cu does, and says what is new about a convolution.
//
// Grid: rung 1 has a thread per value of y, others ⌈pixels / tile⌉ · ⌈c_out / tile⌉ blocks along x, columns faster.
// Blocks have 256 threads. Any geometry is right.
#include "async.cuh"
#include "geometry.cuh"
#include "tensor_cores.cuh"

// Rung 1: the formula. Threads of neighbouring output channels read neighbouring weights and the same input.
extern "C" __global__ void ladder_conv2d_1_naive(const float* x, const float* w, float* y, Conv2dGeometry g) {
    const int v = grid_thread(), pixel = v / g.c_out, o = v % g.c_out;
    const int ox = pixel % g.out_w, oy = pixel / g.out_w % g.out_h, image = pixel / g.out_w / g.out_h;
    if (image >= g.n) return;
    float sum = 0;
    for (int i = 0; i < g.kh; i++) {
        const int row = oy * g.stride_h + i - g.top;
        for (int j = 0; j < g.kw; j++) {
            const int column = ox * g.stride_w + j - g.left;
            if (row < 0 || row >= g.h || column < 0 || column >= g.w) continue;
            for (int c = 0; c < g.c_in; c++)
                sum += x[((image * g.h + row) * g.w + column) * g.c_in + c] *
                       w[((i * g.kw + j) * g.c_in + c) * g.c_out + o];
        }
    }
    y[v] = sum;
}

// An output pixel's place in x: where its tap (0, 0, 0) would lie, and in which row and column of the map.
struct Pixel {
    int offset, row, column;
};
__device__ __forceinline__ Pixel pixel_at(const Conv2dGeometry& g, int pixel) {
    const int ox = pixel % g.out_w, oy = pixel / g.out_w % g.out_h, image = pixel / g.out_w / g.out_h;
    const int row = oy * g.stride_h - g.top, column = ox * g.stride_w - g.left;
    // A pixel beyond the last sees rows far above the map.
    return {((image * g.h + row) * g.w + column) * g.c_in, image < g.n ? row : -(1 << 30), column};
}
struct Tap {
    int offset, row, column;
};
__device__ __forceinline__ Tap tap_at(const Conv2dGeometry& g, int tap) {
    const int c = tap % g.c_in, j = tap / g.c_in % g.kw, i = tap / g.c_in / g.kw;
    return {(i * g.w + j) * g.c_in + c, i < g.kh ? i : -(1 << 30), j};
}
__device__ __forceinline__ bool there(const Conv2dGeometry& g, Pixel pixel, Tap tap) {
    return u32(pixel.row + tap.row) < u32(g.h) && u32(pixel.column + tap.column) < u32(g.w);
}

// Rung 2: 16 x 16 values of y a block, from tiles in shared memory. A pixel's place is worked out once.
extern "C" __global__ void ladder_conv2d_2_tiled(const float* x, const float* w, float* y, Conv2dGeometry g) {
    constexpr int tile = 16;
    __shared__ float a_tile[tile][tile], b_tile[tile][tile];
    const int taps = g.kh * g.kw * g.c_in, pixels = g.n * g.out_h * g.out_w;
    const int across = ceil_div(g.c_out, tile), i = threadIdx.x / tile, j = threadIdx.x % tile;
    const int p = int(blockIdx.x) / across * tile + i, o = int(blockIdx.x) % across * tile + j;
    const Pixel pixel = pixel_at(g, p);
    float sum = 0;
    for (int first = 0; first < taps; first += tile) {
        const Tap tap = tap_at(g, first + j);
        a_tile[i][j] = there(g, pixel, tap) ? x[pixel.offset + tap.offset] : 0.0f;
        b_tile[i][j] = first + i < taps && o < g.c_out ? w[(first + i) * g.c_out + o] : 0.0f;
        __syncthreads();
        for (int k = 0; k < tile; k++) sum += a_tile[i][k] * b_tile[k][j];
        __syncthreads();
    }
    if (p < pixels && o < g.c_out) y[p * g.c_out + o] = sum;
}

// Rung 3: 64 x 64 values a block, 4 x 4 a thread, in registers. Sixteen threads read the sixteen taps of a pixel; each
// divides once for its four pixels.
extern "C" __global__ void __launch_bounds__(256)
    ladder_conv2d_3_register_blocks(const float* x, const float* w, float* y, Conv2dGeometry g) {
    constexpr int tile = 64, depth = 16;
    __shared__ float a_tile[depth][tile + 1], b_tile[depth][tile];
    const int taps = g.kh * g.kw * g.c_in, pixels = g.n * g.out_h * g.out_w;
    const int across = ceil_div(g.c_out, tile), i = threadIdx.x / 16, j = threadIdx.x % 16;
    const int row = int(blockIdx.x) / across * tile, column = int(blockIdx.x) % across * tile;
    Pixel own[4];
    for (int q = 0; q < 4; q++) own[q] = pixel_at(g, row + q * 16 + i);
    float sums[4][4] = {};
    for (int first = 0; first < taps; first += depth) {
        const Tap tap = tap_at(g, first + j);
        for (int q = 0; q < 4; q++) {
            a_tile[j][q * 16 + i] = there(g, own[q], tap) ? x[own[q].offset + tap.offset] : 0.0f;
            const int k = first + i, o = column + q * 16 + j;
            b_tile[i][q * 16 + j] = k < taps && o < g.c_out ? w[k * g.c_out + o] : 0.0f;
        }
        __syncthreads();
#pragma unroll
        for (int k = 0; k < depth; k++) {
            for (int q = 0; q < 4; q++) {
                for (int r = 0; r < 4; r++) sums[q][r] += a_tile[k][i * 4 + q] * b_tile[k][r * 16 + j];
            }
        }
        __syncthreads();
    }
    for (int q = 0; q < 4; q++) {
        for (int r = 0; r < 4; r++) {
            const int p = row + i * 4 + q, o = column + r * 16 + j;
            if (p < pixels && o < g.c_out) y[p * g.c_out + o] = sums[q][r];
        }
    }
}

// Copies a step's tiles of 64 pixels and 64 channels for rungs 4 and 5, past the registers: A[k][pixel] and
// B[k][channel] in lines of `line` values. Eight threads copy eight taps of a pixel, which with eight channels or more
// are neighbours in memory, to as many lines.
template <int line>
__device__ __forceinline__ void copy_step(float* a_tile, float* b_tile, const float* x, const float* w,
                                          const Conv2dGeometry& g, const Pixel (&own)[2], int first, int column) {
    for (int k = threadIdx.x % 8; k < 16; k += 8) {
        const Tap tap = tap_at(g, first + k);
        for (int q = 0; q < 2; q++) {
            const bool valid = there(g, own[q], tap);
            float* to = a_tile + k * line + q * 32 + threadIdx.x / 8;
            copy_async_4(to, x + (valid ? own[q].offset + tap.offset : 0), valid);
        }
    }
    for (int k = threadIdx.x / 64; k < 16; k += 4) {
        const int j = threadIdx.x % 64;
        const bool valid = first + k < g.kh * g.kw * g.c_in && column + j < g.c_out;
        copy_async_4(b_tile + k * line + j, w + (valid ? (first + k) * g.c_out + column + j : 0), valid);
    }
    commit_copies();
}

// Rung 4: two pairs of tiles. What lies beyond the edges is copied as zeros without being read, so that a
// copy takes no branch. A thread reads its four rows and its four columns as one vector each.
extern "C" __global__ void __launch_bounds__(256)
    ladder_conv2d_4_double_buffers(const float* x, const float* w, float* y, Conv2dGeometry g) {
    constexpr int tile = 64, depth = 16, line = tile + 4;
    __shared__ __align__(16) float a_tiles[2][depth][line], b_tiles[2][depth][line];
    const int taps = g.kh * g.kw * g.c_in, pixels = g.n * g.out_h * g.out_w, across = ceil_div(g.c_out, tile);
    const int row = int(blockIdx.x) / across * tile, column = int(blockIdx.x) % across * tile;
    const Pixel own[2] = {pixel_at(g, row + threadIdx.x / 8), pixel_at(g, row + 32 + threadIdx.x / 8)};
    auto copy = [&](int first, int to) {
        copy_step<line>(&a_tiles[to][0][0], &b_tiles[to][0][0], x, w, g, own, first, column);
    };
    const int i = threadIdx.x / 16 * 4, j = threadIdx.x % 16 * 4;
    float sums[4][4] = {};
    copy(0, 0);
    for (int first = 0, now = 0; first < taps; first += depth, now ^= 1) {
        wait_for_copies<0>();
        __syncthreads();
        if (first + depth < taps) copy(first + depth, now ^ 1);
#pragma unroll
        for (int k = 0; k < depth; k++) {
            __align__(16) float a_values[4], b_values[4];
            *reinterpret_cast<float4*>(a_values) = *reinterpret_cast<float4*>(&a_tiles[now][k][i]);
            *reinterpret_cast<float4*>(b_values) = *reinterpret_cast<float4*>(&b_tiles[now][k][j]);
            for (int q = 0; q < 4; q++) {
                for (int r = 0; r < 4; r++) sums[q][r] += a_values[q] * b_values[r];
            }
        }
    }
    wait_for_copies<0>();
    for (int q = 0; q < 4; q++) {
        for (int r = 0; r < 4; r++) {
            const int p = row + i + q, o = column + j + r;
            if (p < pixels && o < g.c_out) y[p * g.c_out + o] = sums[q][r];
        }
    }
}

// Rung 5: the same tiles multiplied on tensor cores, in TF32. Lines of 72 values keep the lanes of a warp out of each
// other's banks. Eight warps, two by four, each make 32 x 16 values as 2 x 2 products of 16 x 8.
extern "C" __global__ void __launch_bounds__(256)
    ladder_conv2d_5_tensor_cores(const float* x, const float* w, float* y, Conv2dGeometry g) {
    constexpr int tile = 64, depth = 16, line = tile + 8;
    __shared__ __align__(16) float a_tiles[2][depth][line], b_tiles[2][depth][line];
    const int taps = g.kh * g.kw * g.c_in, pixels = g.n * g.out_h * g.out_w, across = ceil_div(g.c_out, tile);
    const int row = int(blockIdx.x) / across * tile, column = int(blockIdx.x) % across * tile;
    const Pixel own[2] = {pixel_at(g, row + threadIdx.x / 8), pixel_at(g, row + 32 + threadIdx.x / 8)};
    auto copy = [&](int first, int to) {
        copy_step<line>(&a_tiles[to][0][0], &b_tiles[to][0][0], x, w, g, own, first, column);
    };
    const int warp = threadIdx.x / 32, u = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
    const int i = warp / 4 * 32, j = warp % 4 * 16;
    float sums[2][2][4] = {};
    copy(0, 0);
    for (int first = 0, now = 0; first < taps; first += depth, now ^= 1) {
        wait_for_copies<0>();
        __syncthreads();
        if (first + depth < taps) copy(first + depth, now ^ 1);
#pragma unroll
        for (int k = 0; k < depth; k += 8) {
            for (int r = 0; r < 2; r++) {
                const u32 b_values[2] = {to_tf32(b_tiles[now][k + t][j + r * 8 + u]),
                                         to_tf32(b_tiles[now][k + t + 4][j + r * 8 + u])};
                for (int q = 0; q < 2; q++) {
                    u32 a_values[4];
                    for (int part = 0; part < 4; part++)
                        a_values[part] = to_tf32(a_tiles[now][k + t + part / 2 * 4][i + q * 16 + u + part % 2 * 8]);
                    mma_m16n8k8_tf32(sums[q][r], a_values, b_values);
                }
            }
        }
    }
    wait_for_copies<0>();
    for (int q = 0; q < 4; q++) {
        for (int r = 0; r < 4; r++) {
            const int p = row + i + q * 8 + u, o = column + j + r / 2 * 8 + 2 * t + r % 2;
            if (p < pixels && o < g.c_out) y[p * g.c_out + o] = sums[q / 2][r / 2][q % 2 * 2 + r % 2];
        }
    }
}
