// The gradient of batch_norm.cu. With z̄ = ȳ · (the activation's slope):
//
//   dβ = Σ z̄   dγ = Σ z̄ (x - μ) / √(σ² + ε)   x̄ = p (z̄ - mean(z̄)) + q (x - μ)
//   p = γ / √(σ² + ε)   q = -γ dγ / ((σ² + ε) rows)
//
// Two passes over x and ȳ: one for the sums and one for x̄. Neither stores z̄: the slope is told by the sign of z, which x
// gives, or, after dropout, of y, which is null otherwise.
#include "batch_norm.cuh"

// dγ and dβ, and what x̄ is made with: rows p, q, mean(z̄), a and b of factors [5][channels]. A block leaves Σ z̄ and
// Σ z̄ (x - μ) of each column of its tile in `sums`; the last block of some columns adds up those, its threads of a column
// in turns.
extern "C" __global__ void __launch_bounds__(MAX_BLOCK)
    batch_norm_grad_sums(const float* __restrict__ x, const float* __restrict__ y, const float* __restrict__ grad,
                         const float* __restrict__ gamma, const float* __restrict__ beta,
                         const float* __restrict__ mean, const float* __restrict__ variance, float epsilon,
                         float above, float below, float dropped, float* sums, int rows, int channels, int tile, int width,
                         float* __restrict__ gamma_grad, float* __restrict__ beta_grad, float* __restrict__ factors,
                         u32* counters) {
    __shared__ float parts[MAX_BLOCK];
    __shared__ double tile_parts[MAX_BLOCK];
    __shared__ bool last;
    const Slopes slopes = {above, below, dropped};
    const ColumnPlace place(blockIdx.y, width);
    const int c = place.c, tiles = gridDim.x;
    const int first_row = blockIdx.x * tile, end = min(first_row + tile, rows);
    float sum = 0.0f, products = 0.0f;
    if (c < channels) {
        const float centre = mean[c];
        const Affine affine = affine_of(gamma[c], beta[c], centre, variance[c], epsilon);
        for (int row = first_row + place.turn; row < end;) {
            const int run_end = min(row + RUN * place.turns, end);
            float run_sum = 0.0f, run_products = 0.0f;
#pragma unroll 4
            for (; row < run_end; row += place.turns) {
                const int i = row * channels + c;
                const float z_grad = slopes.times(y == nullptr ? affine.of(x[i]) : y[i], grad[i]);
                run_sum += z_grad;
                run_products = __fmaf_rn(z_grad, x[i] - centre, run_products);
            }
            sum += run_sum;
            products += run_products;
        }
    }
    auto add = [](float a, float b) { return a + b; };
    sum = combine_block(add, sum, parts, width);
    products = combine_block(add, products, parts, width);
    if (place.turn == 0 && c < channels) {
        sums[(2 * blockIdx.x) * channels + c] = sum;
        sums[(2 * blockIdx.x + 1) * channels + c] = products;
    }
    if (!last_to_come(counters + blockIdx.y, tiles, &last)) return;

    double grad_sum = 0.0, product_sum = 0.0;
    if (c < channels) {
        for (int t = place.turn; t < tiles; t += place.turns) {
            grad_sum += sums[2 * t * channels + c];
            product_sum += sums[(2 * t + 1) * channels + c];
        }
    }
    auto add_parts = [](double a, double b) { return a + b; };
    grad_sum = combine_block(add_parts, grad_sum, tile_parts, width);
    product_sum = combine_block(add_parts, product_sum, tile_parts, width);
    if (place.turn != 0 || c >= channels) return;
    const float inverse = 1.0f / sqrtf(variance[c] + epsilon);
    const Affine affine = affine_of(gamma[c], beta[c], mean[c], variance[c], epsilon);
    const float p = gamma[c] * inverse;
    gamma_grad[c] = float(product_sum) * inverse;
    beta_grad[c] = float(grad_sum);
    factors[c] = p;
    factors[channels + c] = float(-double(p) * inverse * inverse * product_sum / rows);
    factors[2 * channels + c] = float(grad_sum / rows);
    factors[3 * channels + c] = affine.a;
    factors[4 * channels + c] = affine.b;
}

// x̄. Grid: any; a thread takes four values, and then every grid_threads()-th four.
extern "C" __global__ void batch_norm_grad_input(const float* x, const float* y, const float* grad, const float* mean,
                                                 const float* factors, float above, float below, float dropped,
                                                 float* to, int n, int channels) {
    const Slopes slopes = {above, below, dropped};
    const float *p = factors, *q = p + channels, *grad_mean = q + channels;
    const float *a = grad_mean + channels, *b = a + channels;
    for (int i = 4 * grid_thread(); i < n; i += 4 * grid_threads()) {
        const float4 values = load_four(x, i, n);
        float4 output;
        if (y != nullptr) {
            output = load_four(y, i, n);
        } else {
            auto z = [](float x, float a, float b) { return Affine{a, b}.of(x); };
            output = map_four(z, values, load_channels(a, i, channels), load_channels(b, i, channels));
        }
        auto through = [=](float y, float g, float grad_mean) { return slopes.times(y, g) - grad_mean; };
        const float4 apart = map_four(through, output, load_four(grad, i, n), load_channels(grad_mean, i, channels));
        auto minus = [](float x, float mean) { return x - mean; };
        const float4 centred = map_four(minus, values, load_channels(mean, i, channels));
        auto times = [](float q, float centred) { return q * centred; };
        const float4 second = map_four(times, load_channels(q, i, channels), centred);
        auto total = [](float p, float apart, float second) { return __fmaf_rn(p, apart, second); };
        store_four(to, i, n, map_four(total, load_channels(p, i, channels), apart, second));
    }
}
