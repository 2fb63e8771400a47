// How a gradient changes a parameter, for all parameters of a network in one launch; src/optim has the rules' sources.
//
//   Adam     m ← β₁ m + (1 - β₁) g    v ← β₂ v + (1 - β₂) g²    p ← p - a m / (c √v + ε)
//   RMSprop  v ← ρ v + (1 - ρ) g²     p ← p - α g / (√(v + ε_inside) + ε_outside)
//   SGD      u ← μ u + g              p ← p - α u
//   average  p ← p + (1 - β) (w - p)                       of weights w, in the gradient's place
//
// Grid: a block of 256 threads for each 4096 values of a tensor (tensors.cuh). A thread holds four values of the
// parameter, the gradient and the slots at a time, each read and written once.
#include "tensors.cuh"

// Where `step` is not null, a and c, or 1 - β, are its values: within a captured training step they change from step to
// step.
extern "C" __global__ void __launch_bounds__(CHUNK_THREADS)
    optimizer_adam(const TensorTable tensors, float beta_1, float rest_1, float beta_2, float rest_2, float a, float c,
                   float epsilon, const float* step) {
    if (step != nullptr) {
        a = step[0];
        c = step[1];
    }
    for_each_four(tensors, [=](const TensorRow& row, int i) {
        const float4 g = load_four(row.g, i, row.length);
        auto moment = [=](float m, float g) { return beta_1 * m + rest_1 * g; };
        auto square = [=](float v, float g) { return beta_2 * v + rest_2 * g * g; };
        auto update = [=](float p, float m, float v) { return p - a * m / (c * sqrtf(v) + epsilon); };
        const float4 m = map_four(moment, load_four(row.slots[0], i, row.length), g);
        const float4 v = map_four(square, load_four(row.slots[1], i, row.length), g);
        store_four(row.slots[0], i, row.length, m);
        store_four(row.slots[1], i, row.length, v);
        store_four(row.p, i, row.length, map_four(update, load_four(row.p, i, row.length), m, v));
    });
}

extern "C" __global__ void __launch_bounds__(CHUNK_THREADS)
    optimizer_rmsprop(const TensorTable tensors, float rate, float rho, float rest, float inside, float outside) {
    for_each_four(tensors, [=](const TensorRow& row, int i) {
        const float4 g = load_four(row.g, i, row.length);
        auto square = [=](float v, float g) { return rho * v + rest * g * g; };
        auto update = [=](float p, float g, float v) { return p - rate * g / (sqrtf(v + inside) + outside); };
        const float4 v = map_four(square, load_four(row.slots[0], i, row.length), g);
        store_four(row.slots[0], i, row.length, v);
        store_four(row.p, i, row.length, map_four(update, load_four(row.p, i, row.length), g, v));
    });
}

extern "C" __global__ void __launch_bounds__(CHUNK_THREADS)
    optimizer_sgd(const TensorTable tensors, float rate, float momentum) {
    for_each_four(tensors, [=](const TensorRow& row, int i) {
        auto velocity = [=](float u, float g) { return momentum * u + g; };
        auto update = [=](float p, float u) { return p - rate * u; };
        const float4 g = load_four(row.g, i, row.length);
        const float4 u = map_four(velocity, load_four(row.slots[0], i, row.length), g);
        store_four(row.slots[0], i, row.length, u);
        store_four(row.p, i, row.length, map_four(update, load_four(row.p, i, row.length), u));
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
