// The barrier between the steps is missing, so that a thread may read a sum that is not made yet.
// says: block_sums is right in
// says: "one block, ascending order"
// says: wanted

constexpr int BLOCK = 64;

extern "C" __global__ void block_sums(const float* x, float* sums, int n) {
    __shared__ float values[BLOCK];
    const int t = threadIdx.x, i = blockIdx.x * blockDim.x + t;
    values[t] = i < n ? x[i] : 0.0f;
    __syncthreads();
    for (int half = BLOCK / 2; half >= 1; half /= 2) {
        if (t < half) values[t] += values[t + half];
    }
    if (t == 0) sums[blockIdx.x] = values[0];
}
