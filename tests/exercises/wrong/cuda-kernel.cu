// The barrier after the values are written is missing.
// says: block_sums is right in 0 of 11 cases
// says: Case 1 of 11, "one block, ascending order"
// says: wanted

constexpr int BLOCK = 64;

extern "C" __global__ void block_sums(const float* x, float* sums, int n) {
    __shared__ float values[BLOCK];
    const int t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
    values[t] = i < n ? x[i] : 0.0f;
    for (int half = BLOCK / 2; half >= 1; half /= 2) {
        if (t < half) values[t] += values[t + half];
        __syncthreads();
    }
    if (t == 0) sums[blockIdx.x] = values[0];
}
