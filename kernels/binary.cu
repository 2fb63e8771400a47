// Functions of two numbers, applied value by value: y = f(a, b), a row per function as in src/ops/binary.rs.
//
// An operand shorter than the result repeats along leading axes; what is stretched otherwise has been stretched
// before (strided.cu). Grid: any; each thread takes every grid_threads()-th value.
#include "cross_entropy.cuh"

#define BINARY(name, f)                                                                                              \
    extern "C" __global__ void binary_##name(const float* from_a, int length_a, const float* from_b, int length_b,   \
                                             float* to, int n) {                                                     \
        for (int i = grid_thread(); i < n; i += grid_threads()) {                                                    \
            const float a = from_a[length_a == n ? i : i % length_a], b = from_b[length_b == n ? i : i % length_b];  \
            to[i] = f;                                                                                               \
        }                                                                                                            \
    }

BINARY(add, a + b)
BINARY(sub, a - b)
BINARY(mul, a* b)
BINARY(div, a / b)
BINARY(pow, powf(a, b))
// NaN where either is.
BINARY(maximum, a >= b || a != a ? a : b)
BINARY(minimum, b >= a || a != a ? a : b)
BINARY(greater_equal, float(a >= b))
BINARY(greater, float(a > b))
BINARY(equal, float(a == b))
// The gradient a where the mask b is not 0.
BINARY(masked, b == 0.0f ? 0.0f : a)
// The gradient a of what tanh, or the logistic function, made b of.
BINARY(tanh_grad, a - a * (b * b))
BINARY(sigmoid_grad, a * (b * (1.0f - b)))

// The probability a against the target b.
BINARY(binary_cross_entropy, OfProbability::loss(a, b))
BINARY(binary_cross_entropy_slope, OfProbability::slope(a, b))
