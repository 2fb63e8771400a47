// The mean of binary cross-entropies of n values, probabilities or logits, and its gradient. Targets are as many, or fewer
// that repeat.
#include "cross_entropy.cuh"
#include "reduce.cuh"

// Grid: one block, of a power of two of threads.
template <class Of>
__device__ __forceinline__ void mean_loss(const float* x, const float* target, int targets, float* to, int n,
                                          float* shared) {
    float sum = 0.0f;
    for (int i = threadIdx.x; i < n; i += blockDim.x) sum += Of::loss(x[i], target[i % targets]);
    sum = combine_block([](float a, float b) { return a + b; }, sum, shared, 1);
    if (threadIdx.x == 0) *to = sum / n;
}

// x̄ = ȳ / n · slope. Grid: any.
template <class Of>
__device__ __forceinline__ void mean_loss_grad(const float* x, const float* target, int targets, const float* grad,
                                               float* to, int n) {
    const float each = *grad / n;
    for (int i = grid_thread(); i < n; i += grid_threads()) to[i] = each * Of::slope(x[i], target[i % targets]);
}

#define CROSS_ENTROPY(name, Of)                                                                                      \
    extern "C" __global__ void __launch_bounds__(MAX_BLOCK)                                                          \
        cross_entropy_##name(const float* x, const float* target, int targets, float* to, int n) {                   \
        __shared__ float shared[MAX_BLOCK];                                                                          \
        mean_loss<Of>(x, target, targets, to, n, shared);                                                            \
    }                                                                                                                \
    extern "C" __global__ void cross_entropy_##name##_grad(const float* x, const float* target, int targets,         \
                                                           const float* grad, float* to, int n) {                    \
        mean_loss_grad<Of>(x, target, targets, grad, to, n);                                                         \
    }

CROSS_ENTROPY(probabilities, OfProbability)
CROSS_ENTROPY(logits, OfLogit)
