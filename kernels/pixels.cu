// Bytes of pictures as numbers: y_i = table[byte i], which src/gan/pixels.rs makes for the range that a network reads.
//
// Grid: any; a thread takes four bytes at once, and then every grid_threads()-th four. The table lies in shared memory:
// 32 lanes look up 32 places at a time, which global memory would serve one line after the other.
#include "vectors.cuh"

extern "C" __global__ void pixels_to_floats(const unsigned char* from, const float* table, float* to, int n) {
    __shared__ float values[256];
    for (int byte = threadIdx.x; byte < 256; byte += blockDim.x) values[byte] = table[byte];
    __syncthreads();
    for (int i = 4 * grid_thread(); i < n; i += 4 * grid_threads()) {
        u32 bytes = 0;
        if (i + 4 <= n) {
            bytes = *reinterpret_cast<const u32*>(from + i);
        } else {
            for (int j = 0; i + j < n; j++) bytes |= u32(from[i + j]) << 8 * j;
        }
        // The first byte is the lowest.
        store_four(to, i, n, make_float4(values[bytes & 255], values[bytes >> 8 & 255], values[bytes >> 16 & 255],
                                         values[bytes >> 24]));
    }
}
