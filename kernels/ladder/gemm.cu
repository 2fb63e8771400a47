// A ladder of matrix products C[m, n] = A[m, k] · B[k, n], from the one that is written first to the one that is
// nearly as fast as they get. Each rung adds one thing to the rung below; all give the same C. The product that ops
// use, gemm.cuh, goes on from the last two: any operand, any alignment, split sums.
//
//   rung               a block makes   a thread makes   values read from global memory for 2 operations
//   1 naive                            1                2
//   2 tiled            16 x 16         1                1/8
//   3 register blocks  64 x 64         4 x 4            1/32
//   4 double buffers   128 x 128       8 x 8            1/64, while the last ones are multiplied
//   5 tensor cores     128 x 128       (a warp 64 x 32) 1/64, likewise
//
// Grid: rung 1 has a thread per value of C, others ⌈m / tile⌉ · ⌈n / tile⌉ blocks along x, columns faster.
// Blocks have 256 threads. Rungs 4 and 5 copy 16 bytes at a time: n, and for rung 5 k, are multiples of 4.
#include "async.cuh"
#include "tensor_cores.cuh"

// Rung 1: the formula. Neighbouring threads make neighbours of a row of C, so that what they read of B is one line of
// memory, and of A one value. Yet each multiplication waits for two loads.
extern "C" __global__ void ladder_gemm_1_naive(const float* a, const float* b, float* c, int m, int n, int k) {
    const int i = grid_thread() / n, j = grid_thread() % n;
    if (i >= m) return;
    float sum = 0;
    for (int p = 0; p < k; p++) sum += a[i * k + p] * b[p * n + j];
    c[i * n + j] = sum;
}

// ANCHOR: tiled
// Rung 2: the threads of a block read a tile of A and of B together, once, into shared memory; each value is then
// used 16 times from there.
extern "C" __global__ void ladder_gemm_2_tiled(const float* a, const float* b, float* c, int m, int n, int k) {
    constexpr int tile = 16;
    __shared__ float a_tile[tile][tile], b_tile[tile][tile];
    const int across = ceil_div(n, tile), y = threadIdx.x / tile, x = threadIdx.x % tile;
    const int i = int(blockIdx.x) / across * tile + y, j = int(blockIdx.x) % across * tile + x;
    float sum = 0;
    for (int first = 0; first < k; first += tile) {
        a_tile[y][x] = i < m && first + x < k ? a[i * k + first + x] : 0.0f;
        b_tile[y][x] = first + y < k && j < n ? b[(first + y) * n + j] : 0.0f;
        __syncthreads(); // nobody multiplies before all have read,
        for (int p = 0; p < tile; p++) sum += a_tile[y][p] * b_tile[p][x];
        __syncthreads(); // and nobody reads on before all have multiplied
    }
    if (i < m && j < n) c[i * n + j] = sum;
}
// ANCHOR_END: tiled

// Rung 3: a thread makes 4 x 4 values of C, in registers. Shared memory is read 8 times for 16 multiplications, no
// longer twice for each. A's tile is turned, so that the same p of four rows lies together.
extern "C" __global__ void __launch_bounds__(256)
    ladder_gemm_3_register_blocks(const float* a, const float* b, float* c, int m, int n, int k) {
    constexpr int tile = 64, depth = 16;
    __shared__ float a_tile[depth][tile + 1], b_tile[depth][tile]; // + 1: a turned column meets other banks
    const int across = ceil_div(n, tile), y = threadIdx.x / 16, x = threadIdx.x % 16;
    const int row = int(blockIdx.x) / across * tile, column = int(blockIdx.x) % across * tile;
    float sums[4][4] = {};
    for (int first = 0; first < k; first += depth) {
        for (int v = threadIdx.x; v < tile * depth; v += 256) {
            const int i = row + v / depth, p = first + v % depth;
            a_tile[v % depth][v / depth] = i < m && p < k ? a[i * k + p] : 0.0f;
            const int q = first + v / tile, j = column + v % tile;
            b_tile[v / tile][v % tile] = q < k && j < n ? b[q * n + j] : 0.0f;
        }
        __syncthreads();
#pragma unroll
        for (int p = 0; p < depth; p++) {
            for (int i = 0; i < 4; i++) {
                for (int j = 0; j < 4; j++) sums[i][j] += a_tile[p][y * 4 + i] * b_tile[p][j * 16 + x];
            }
        }
        __syncthreads();
    }
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++) {
            const int to_row = row + y * 4 + i, to_column = column + j * 16 + x;
            if (to_row < m && to_column < n) c[to_row * n + to_column] = sums[i][j];
        }
    }
}

// Rung 4: two pairs of tiles. While one is multiplied, the next is copied to the other, past the registers
// (cp.async), and one barrier a step is enough. 8 x 8 values a thread, read as vectors of four.
extern "C" __global__ void __launch_bounds__(256, 2)
    ladder_gemm_4_double_buffers(const float* a, const float* b, float* c, int m, int n, int k) {
    constexpr int tile = 128, depth = 16, line = tile + 4;
    __shared__ __align__(16) float a_tiles[2][depth][line], b_tiles[2][depth][line];
    const int across = ceil_div(n, tile);
    const int row = int(blockIdx.x) / across * tile, column = int(blockIdx.x) % across * tile;
    auto copy = [&](int first, int to) {
        // Eight threads copy eight neighbours of a row of A to as many lines: of 4 more than 128 values, so that
        // the four rows that a warp copies meet other banks.
#pragma unroll 1
        for (int p = threadIdx.x % 8; p < depth; p += 8) {
            for (int i = threadIdx.x / 8; i < tile; i += 32) {
                const bool there = row + i < m && first + p < k;
                copy_async_4(&a_tiles[to][p][i], a + (there ? (row + i) * k + first + p : 0), there);
            }
        }
        for (int p = threadIdx.x / 32; p < depth; p += 8) {
            const int j = threadIdx.x % 32 * 4;
            const bool there = first + p < k && column + j < n;
            copy_async_16(&b_tiles[to][p][j], b + (there ? (first + p) * n + column + j : 0), there);
        }
        commit_copies();
    };
    // Lanes of a warp are 4 x 8 threads; a thread's rows are two fours, 64 apart, and so are its columns.
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const int y = (warp / 2 * 4 + lane / 8) * 4, x = (warp % 2 * 8 + lane % 8) * 4;
    float sums[8][8] = {};
    copy(0, 0);
    for (int first = 0, now = 0; first < k; first += depth, now ^= 1) {
        wait_for_copies<0>();
        __syncthreads();
        if (first + depth < k) copy(first + depth, now ^ 1);
#pragma unroll
        for (int p = 0; p < depth; p++) {
            __align__(16) float a_values[8], b_values[8];
            for (int half = 0; half < 2; half++) {
                const float4 u = *reinterpret_cast<float4*>(&a_tiles[now][p][y + half * 64]);
                const float4 v = *reinterpret_cast<float4*>(&b_tiles[now][p][x + half * 64]);
                *reinterpret_cast<float4*>(a_values + half * 4) = u;
                *reinterpret_cast<float4*>(b_values + half * 4) = v;
            }
            for (int i = 0; i < 8; i++) {
                for (int j = 0; j < 8; j++) sums[i][j] += a_values[i] * b_values[j];
            }
        }
    }
    wait_for_copies<0>();
    for (int i = 0; i < 8; i++) {
        const int to_row = row + i / 4 * 64 + y + i % 4;
        for (int half = 0; half < 2; half++) {
            const int to_column = column + half * 64 + x;
            const float* v = &sums[i][half * 4];
            if (to_row < m && to_column < n)
                *reinterpret_cast<float4*>(c + to_row * n + to_column) = make_float4(v[0], v[1], v[2], v[3]);
        }
    }
}

// Rung 5: an instruction of a warp multiplies 16 x 8 by 8 x 8 values, on units made for it, where rung 4's needs 32
// for as many. They round operands to TF32. Tiles lie as memory has them; with lines of 20 and 136 values the lanes
// of a warp read other banks each.
extern "C" __global__ void __launch_bounds__(256)
    ladder_gemm_5_tensor_cores(const float* a, const float* b, float* c, int m, int n, int k) {
    constexpr int tile = 128, depth = 16;
    __shared__ __align__(16) float a_tiles[2][tile][depth + 4], b_tiles[2][depth][tile + 8];
    const int across = ceil_div(n, tile);
    const int row = int(blockIdx.x) / across * tile, column = int(blockIdx.x) % across * tile;
    auto copy = [&](int first, int to) {
        for (int v = threadIdx.x; v < tile * depth / 4; v += 256) {
            const int i = v / 4, p = v % 4 * 4, q = v / 32, j = v % 32 * 4;
            const bool a_there = row + i < m && first + p < k, b_there = first + q < k && column + j < n;
            copy_async_16(&a_tiles[to][i][p], a + (a_there ? (row + i) * k + first + p : 0), a_there);
            copy_async_16(&b_tiles[to][q][j], b + (b_there ? (first + q) * n + column + j : 0), b_there);
        }
        commit_copies();
    };
    // Eight warps, two by four, each make 64 x 32 values as 4 x 4 products.
    const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
    const int y = warp / 4 * 64, x = warp % 4 * 32;
    float sums[4][4][4] = {};
    copy(0, 0);
    for (int first = 0, now = 0; first < k; first += depth, now ^= 1) {
        wait_for_copies<0>();
        __syncthreads();
        if (first + depth < k) copy(first + depth, now ^ 1);
#pragma unroll
        for (int p = 0; p < depth; p += 8) {
            u32 b_values[4][2];
            for (int j = 0; j < 4; j++) {
                for (int part = 0; part < 2; part++)
                    b_values[j][part] = to_tf32(b_tiles[now][p + t + part * 4][x + j * 8 + g]);
            }
            for (int i = 0; i < 4; i++) {
                u32 a_values[4];
                for (int part = 0; part < 4; part++)
                    a_values[part] = to_tf32(a_tiles[now][y + i * 16 + g + part % 2 * 8][p + t + part / 2 * 4]);
                for (int j = 0; j < 4; j++) mma_m16n8k8_tf32(sums[i][j], a_values, b_values[j]);
            }
        }
    }
    wait_for_copies<0>();
    for (int i = 0; i < 8; i++) {
        for (int j = 0; j < 4; j++) {
            const int to_row = row + y + i * 8 + g, to_column = column + x + j * 8 + 2 * t;
            const float* v = &sums[i / 2][j][i % 2 * 2];
            if (to_row < m && to_column < n)
                *reinterpret_cast<float2*>(c + to_row * n + to_column) = make_float2(v[0], v[1]);
        }
    }
}
