// Batch normalisation of x [rows, channels] with what may follow it, leaky ReLU and dropout:
//
//   μ = mean(x)   σ² = mean((x - μ)²)   a = γ / √(σ² + ε)   b = β - μ a   y = activation(a x + b)
//
// Two passes over x: one for the statistics and one for y. batch_norm_grad.cu has the gradient.
#include "batch_norm.cuh"
#include "random.cuh"

// The count of some values, their mean, and the sum of their squares about it.
struct Moments {
    double count, mean, squares;
};

// Those of both, as Chan, Golub and LeVeque (1979) merge them.
__device__ __forceinline__ Moments merged(Moments a, Moments b) {
    if (b.count == 0.0) return a;
    const double count = a.count + b.count, share = b.count / count, apart = b.mean - a.mean;
    return {count, a.mean + apart * share, a.squares + b.squares + apart * apart * a.count * share};
}

// μ and σ², and a and b. Running statistics, unless they are null, become momentum · running + share · batch, where the
// batch's variance is multiplied by `correction` first.
//
// A block leaves Σd and Σd² of each column of its tile in `sums`, with d = x - (the tile's first row): E[x²] - μ² would
// cancel where |μ| ≫ σ, but a row of the tile is at most √n σ from the mean of its n. The last block of some columns then
// merges their tiles, its threads of a column in turns.
extern "C" __global__ void __launch_bounds__(MAX_BLOCK)
    batch_norm_statistics(const float* __restrict__ x, float* sums, int rows, int channels, int tile, int width,
                          const float* __restrict__ gamma, const float* __restrict__ beta, float epsilon,
                          float* __restrict__ mean, float* __restrict__ variance, float* __restrict__ a,
                          float* __restrict__ b, float* __restrict__ running_mean,
                          float* __restrict__ running_variance, float momentum, float share, float correction,
                          u32* counters) {
    __shared__ float parts[MAX_BLOCK];
    __shared__ Moments tile_moments[MAX_BLOCK];
    __shared__ bool last;
    const ColumnPlace place(blockIdx.y, width);
    const int c = place.c, tiles = gridDim.x;
    const int first_row = blockIdx.x * tile, end = min(first_row + tile, rows);
    float sum = 0.0f, squares = 0.0f;
    if (c < channels) {
        const float first = x[first_row * channels + c];
        for (int row = first_row + place.turn; row < end;) {
            const int run_end = min(row + RUN * place.turns, end);
            float run_sum = 0.0f, run_squares = 0.0f;
#pragma unroll 4
            for (; row < run_end; row += place.turns) {
                const float d = x[row * channels + c] - first;
                run_sum += d;
                run_squares = __fmaf_rn(d, d, run_squares);
            }
            sum += run_sum;
            squares += run_squares;
        }
    }
    auto add = [](float a, float b) { return a + b; };
    sum = combine_block(add, sum, parts, width);
    squares = combine_block(add, squares, parts, width);
    if (place.turn == 0 && c < channels) {
        sums[(2 * blockIdx.x) * channels + c] = sum;
        sums[(2 * blockIdx.x + 1) * channels + c] = squares;
    }
    if (!last_to_come(counters + blockIdx.y, tiles, &last)) return;

    Moments all = {0.0, 0.0, 0.0};
    if (c < channels) {
        for (int t = place.turn; t < tiles; t += place.turns) {
            const double count = min(tile, rows - t * tile), first = x[t * tile * channels + c];
            const double apart = sums[2 * t * channels + c] / count; // of the tile's mean from its first row
            const double squares = sums[(2 * t + 1) * channels + c] - apart * apart * count;
            all = merged(all, {count, first + apart, squares < 0.0 ? 0.0 : squares});
        }
    }
    all = combine_block(merged, all, tile_moments, width);
    if (place.turn == 0 && c < channels) {
        mean[c] = float(all.mean);
        variance[c] = float(all.squares / all.count);
        const Affine affine = affine_of(gamma[c], beta[c], mean[c], variance[c], epsilon);
        a[c] = affine.a;
        b[c] = affine.b;
        if (running_mean != nullptr) {
            running_mean[c] = momentum * running_mean[c] + share * mean[c];
            running_variance[c] = momentum * running_variance[c] + share * (variance[c] * correction);
        }
    }
}

// a and b from given statistics, for evaluation. Grid: any.
extern "C" __global__ void batch_norm_affine(const float* gamma, const float* beta, const float* mean,
                                             const float* variance, float epsilon, float* a, float* b, int channels) {
    for (int c = grid_thread(); c < channels; c += grid_threads()) {
        const Affine affine = affine_of(gamma[c], beta[c], mean[c], variance[c], epsilon);
        a[c] = affine.a;
        b[c] = affine.b;
    }
}

// leaky_relu(a x + b) of the four values from i on.
__device__ __forceinline__ float4 normalised(const float* x, int i, int n, int channels, const float* a,
                                             const float* b, float slope) {
    auto value = [=](float x, float a, float b) { return rectified(Affine{a, b}.of(x), slope); };
    return map_four(value, load_four(x, i, n), load_channels(a, i, channels), load_channels(b, i, channels));
}

// y; slope 1 leaves out the leaky ReLU. Grid: any; a thread takes four values, and then every grid_threads()-th four.
extern "C" __global__ void batch_norm_normalise(const float* x, float* y, int n, int channels, const float* a,
                                                const float* b, float slope) {
    for (int i = 4 * grid_thread(); i < n; i += 4 * grid_threads()) {
        store_four(y, i, n, normalised(x, i, n, channels, a, b, slope));
    }
}

// The same, then dropout.
extern "C" __global__ void batch_norm_normalise_dropout(const float* x, float* y, int n, int channels, const float* a,
                                                        const float* b, float slope, float scale, u32 threshold,
                                                        Position mask) {
    const u64 first = first_block(mask);
    for (int i = 4 * grid_thread(); i < n; i += 4 * grid_threads()) {
        const uint4 words = random_words(mask, first + i / 4);
        const float4 values = normalised(x, i, n, channels, a, b, slope);
        store_four(y, i, n, kept_or_dropped(values, words, scale, threshold));
    }
}
