// How a gradient changes a parameter, for all parameters of a network in one launch; src/optim has the rules' sources.
//
//   Adam     m ← β₁ m + (1 - β₁) g    v ← β₂ v + (1 - β₂) g²    p ← p - a m / (c √v + ε)
//   RMSprop  v ← ρ v + (1 - ρ) g²     p ← p - α g / (√(v + ε_inside) + ε_outside)
//   SGD      u ← μ u + g              p ← p - α u
//   average  p ← p + (1 - β) (w - p)                       of weights w, in the gradient's place
//
// With weight decay the gradient is g + λ p before all else, or Adam's step, which is subtracted, gets α λ p besides.
//
// Grid: a block of 256 threads for each 4096 values of a tensor (tensors.cuh). A thread holds four values of the
// parameter, the gradient and the slots at a time, each read and written once.
#include "tensors.cuh"

// x + share · p; where the share is 0 that is x to the bit, which x + 0 · p isn't for every p and x.
__device__ __forceinline__ float4 plus(float4 x, float share, float4 p) {
    if (share == 0.0f) return x;
    return map_four([=](float x, float p) { return x + share * p; }, x, p);
}

// Where `step` is not null, a, c and α λ, or 1 - β, are its values: within a captured training step they change from step
// to step.
extern "C" __global__ void __launch_bounds__(CHUNK_THREADS)
    optimizer_adam(const TensorTable tensors, float beta_1, float rest_1, float beta_2, float rest_2, float a, float c,
                   float epsilon, float l2, float shrink, const float* step) {
    // ANCHOR: step
    if (step != nullptr) {
        a = step[0];
        c = step[1];
        shrink = step[2];
    }
    // ANCHOR_END: step
    for_each_four(tensors, [=](const TensorRow& row, int i) {
        const float4 p = load_four(row.p, i, row.length);
        const float4 g = plus(load_four(row.g, i, row.length), l2, p);
        auto moment = [=](float m, float g) { return beta_1 * m + rest_1 * g; };
        auto square = [=](float v, float g) { return beta_2 * v + rest_2 * g * g; };
        auto change = [=](float m, float v) { return a * m / (c * sqrtf(v) + epsilon); };
        auto update = [=](float p, float change) { return p - change; };
        const float4 m = map_four(moment, load_four(row.slots[0], i, row.length), g);
        const float4 v = map_four(square, load_four(row.slots[1], i, row.length), g);
        store_four(row.slots[0], i, row.length, m);
        store_four(row.slots[1], i, row.length, v);
        store_four(row.p, i, row.length, map_four(update, p, plus(map_four(change, m, v), shrink, p)));
    });
}

extern "C" __global__ void __launch_bounds__(CHUNK_THREADS)
    optimizer_rmsprop(const TensorTable tensors, float rate, float rho, float rest, float inside, float outside,
                      float l2) {
    for_each_four(tensors, [=](const TensorRow& row, int i) {
        const float4 p = load_four(row.p, i, row.length);
        const float4 g = plus(load_four(row.g, i, row.length), l2, p);
        auto square = [=](float v, float g) { return rho * v + rest * g * g; };
        auto update = [=](float p, float g, float v) { return p - rate * g / (sqrtf(v + inside) + outside); };
        const float4 v = map_four(square, load_four(row.slots[0], i, row.length), g);
        store_four(row.slots[0], i, row.length, v);
        store_four(row.p, i, row.length, map_four(update, p, g, v));
    });
}

extern "C" __global__ void __launch_bounds__(CHUNK_THREADS)
    optimizer_sgd(const TensorTable tensors, float rate, float momentum, float l2) {
    for_each_four(tensors, [=](const TensorRow& row, int i) {
        auto velocity = [=](float u, float g) { return momentum * u + g; };
        auto update = [=](float p, float u) { return p - rate * u; };
        const float4 p = load_four(row.p, i, row.length);
        const float4 g = plus(load_four(row.g, i, row.length), l2, p);
        const float4 u = map_four(velocity, load_four(row.slots[0], i, row.length), g);
        store_four(row.slots[0], i, row.length, u);
        store_four(row.p, i, row.length, map_four(update, p, u));
    });
}

extern "C" __global__ void __launch_bounds__(CHUNK_THREADS)
    optimizer_moving_average(const TensorTable tensors, float rest, const float* step) {
    if (step != nullptr) rest = step[0];
    for_each_four(tensors, [=](const TensorRow& row, int i) {
        auto update = [=](float p, float w) { return p + rest * (w - p); };
        const float4 w = load_four(row.g, i, row.length);
        store_four(row.p, i, row.length, map_four(update, load_four(row.p, i, row.length), w));
    });
}
