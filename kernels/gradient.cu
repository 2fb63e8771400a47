// What is done to all parameters or gradients of a network at once, besides an update: another gradient added, values
// held to [-limit, limit], the norm √Σ g², and whether all values are finite.
//
// Grid: a block of 256 threads for each 4096 values of a tensor (tensors.cuh).
#include "reduce.cuh"
#include "tensors.cuh"

// p + g, in the place of p.
extern "C" __global__ void __launch_bounds__(CHUNK_THREADS) gradient_add(const TensorTable tensors) {
    for_each_four(tensors, [=](const TensorRow& row, int i) {
        auto sum = [](float p, float g) { return p + g; };
        store_four(row.p, i, row.length, map_four(sum, load_four(row.p, i, row.length), load_four(row.g, i, row.length)));
    });
}

// NaN stays NaN.
extern "C" __global__ void __launch_bounds__(CHUNK_THREADS) gradient_clip(const TensorTable tensors, float limit) {
    for_each_four(tensors, [=](const TensorRow& row, int i) {
        auto held = [=](float p) { return p < -limit ? -limit : p > limit ? limit : p; };
        store_four(row.p, i, row.length, map_four(held, load_four(row.p, i, row.length)));
    });
}

// Block b writes its chunk's Σ g² to parts[first + b]; further launches for further tensors go on from there.
extern "C" __global__ void __launch_bounds__(CHUNK_THREADS)
    gradient_squares(const TensorTable tensors, double* parts, int first) {
    __shared__ double shared[CHUNK_THREADS];
    double sum = 0.0;
    for_each_four(tensors, [&](const TensorRow& row, int i) {
        const float4 g = load_four(row.g, i, row.length);
        sum += double(g.x) * g.x + double(g.y) * g.y + double(g.z) * g.z + double(g.w) * g.w;
    });
    sum = combine_block([](double a, double b) { return a + b; }, sum, shared, 1);
    if (threadIdx.x == 0) parts[first + blockIdx.x] = sum;
}

// The root of the sum of the parts, in a fixed order. Grid: one block, of a power of two of threads.
extern "C" __global__ void __launch_bounds__(MAX_BLOCK) gradient_norm(const double* parts, int n, float* to) {
    __shared__ double shared[MAX_BLOCK];
    double sum = 0.0;
    for (int i = threadIdx.x; i < n; i += blockDim.x) sum += parts[i];
    sum = combine_block([](double a, double b) { return a + b; }, sum, shared, 1);
    if (threadIdx.x == 0) *to = float(sqrt(sum));
}

// Sets `found`, which holds 0 before, to 1 if a value is infinite or NaN. Whoever finds one writes the
// same, so it doesn't matter who comes last.
extern "C" __global__ void __launch_bounds__(CHUNK_THREADS)
    gradient_find_not_finite(const TensorTable tensors, u32* found) {
    for_each_four(tensors, [=](const TensorRow& row, int i) {
        const float4 g = load_four(row.g, i, row.length);
        // x - x is 0 for a finite x, else NaN.
        const float nothing = (g.x - g.x) + (g.y - g.y) + (g.z - g.z) + (g.w - g.w);
        if (nothing != 0.0f) *found = 1;
    });
}
