// Runs block_sums once: program ORDER VALUE... prints a line "sum NUMBER" for each block, or says what is wrong and exits with 1.
// In order 0 threads run in ascending order, any other number is the seed of a shuffled one.
#include "emulation/emulation.h"

// What an unwritten kernel calls.
static void todo() { emulation::failure = "not yet implemented: src/kernel.cu"; }

// How many barriers each thread of each block has come to: of one block, all threads should come to as many.
static std::vector<std::vector<int>> barriers;
#undef __syncthreads
#define __syncthreads() (barriers[blockIdx.x][threadIdx.x]++, emulation::block_barrier(__LINE__))

#include "../src/kernel.cu"

int main(int count, char** words) {
    // Around the values and the sums lie others, which are not to be used.
    constexpr int MARGIN = 64;
    constexpr float UNTOUCHED = 12345.0f;
    int n = count - 2;
    const int blocks = (n + BLOCK - 1) / BLOCK;
    std::vector<float> x(n + 2 * MARGIN, NAN), sums(blocks + 2 * MARGIN, UNTOUCHED);
    for (int i = 0; i < n; i++) x[MARGIN + i] = std::strtof(words[i + 2], nullptr);

    barriers.assign(blocks, std::vector<int>(BLOCK));
    const emulation::Kernel kernel = EMULATED_KERNEL(block_sums);
    const unsigned grid[] = {unsigned(blocks), 1, 1}, block[] = {BLOCK, 1, 1};
    const float* from = x.data() + MARGIN;
    float* to = sums.data() + MARGIN;
    void* arguments[] = {&from, &to, &n};
    const char* failure = emulation::launch(kernel, grid, block, 0, arguments, std::strtoull(words[1], nullptr, 10));
    for (int i = 0; i < 2 * MARGIN && !failure; i++) {
        const int place = i < MARGIN ? i : blocks + i;
        if (sums[place] != UNTOUCHED) failure = "it writes to a place outside of sums";
    }
    for (const std::vector<int>& counts : barriers) {
        const auto [least, most] = std::minmax_element(counts.begin(), counts.end());
        if (*least != *most && !failure)
            failure = "some threads of a block come to a barrier that others do not: none may stand in a branch, and no "
                      "thread may return before one";
    }
    if (failure) {
        std::fprintf(stderr, "%s\n", failure);
        return 1;
    }
    for (int i = 0; i < blocks; i++) std::printf("\nsum %.9g\n", to[i]);
}
