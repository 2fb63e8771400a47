// Functions of one number, applied value by value: y = f(x), a row per function as in src/ops/unary.rs.
//
// Grid: any; each thread takes every grid_threads()-th value, so that neighbours read neighbours.
#include "cross_entropy.cuh"

#define UNARY(name, f)                                                                          \
    extern "C" __global__ void unary_##name(const float* __restrict__ from, float* to, int n) { \
        for (int i = grid_thread(); i < n; i += grid_threads()) {                               \
            const float x = from[i];                                                            \
            to[i] = f;                                                                          \
        }                                                                                       \
    }

UNARY(neg, -x)
UNARY(exp, expf(x))
UNARY(log, logf(x))
UNARY(sqrt, sqrtf(x))
UNARY(square, x * x)
UNARY(abs, fabsf(x))
UNARY(sign, float(x > 0.0f) - float(x < 0.0f))
UNARY(tanh, tanhf(x))
UNARY(sigmoid, sigmoid(x))
UNARY(softplus, softplus(x))
UNARY(erf, erff(x))
UNARY(gelu, 0.5f * x * (1.0f + erff(x * 0.70710678f)))
UNARY(silu, x * sigmoid(x))
UNARY(elu, x < 0.0f ? expm1f(x) : x)
