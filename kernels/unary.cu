// Functions of one number, applied value by value: y = f(x), a row per function as in src/ops/unary.rs.
//
// Grid: any; each thread takes every grid_threads()-th value, so that neighbours read neighbours.
#include "common.cuh"

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
// By e^-|x|, which is never infinite: results below 1e-38 are the subnormal numbers that they should be.
UNARY(sigmoid, (x < 0.0f ? expf(-fabsf(x)) : 1.0f) / (1.0f + expf(-fabsf(x))))
// max(x, 0) + ln(1 + e^-|x|); the maximum is written so that NaN stays NaN.
UNARY(softplus, (x <= 0.0f ? 0.0f : x) + log1pf(expf(-fabsf(x))))
UNARY(erf, erff(x))
UNARY(gelu, 0.5f * x * (1.0f + erff(x * 0.70710678f)))
UNARY(silu, x * ((x < 0.0f ? expf(-fabsf(x)) : 1.0f) / (1.0f + expf(-fabsf(x)))))
UNARY(elu, x < 0.0f ? expm1f(x) : x)
