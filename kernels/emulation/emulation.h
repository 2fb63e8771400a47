// CUDA's vocabulary for a plain C++ compiler, so that a kernel's very source runs, and is tested, on a machine
// without a GPU.
//
// A block's threads become fibers of one system thread. Each runs until it reaches a barrier; when all threads of
// its block (or warp) have reached it, they go on. In which order they run between two barriers is drawn anew for
// every stretch, so that a kernel that lacks a barrier gives other results in other orders. Blocks run one after
// another, in a drawn order too.
//
//   scheduler                    fiber of thread t
//     resume(t)  ------------->    runs the kernel ...
//                <-------------    ... up to __syncthreads(), a shuffle, or its end
//     resume(t') ------------->
//
// Shared memory is filled with NaN before each block: what a kernel reads before it writes shows. Copies to shared
// memory that CUDA makes asynchronously are made as late as the kernel allows: when it waits for them.
//
// Nothing here is a model of speed.
#pragma once

#include <algorithm>
#include <climits>
#include <cmath>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <random>
#include <string>
#include <sys/mman.h>
#include <tuple>
#include <ucontext.h>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __restrict__
// All variables of this section lie between two symbols that the linker makes.
#define __shared__ static __attribute__((section("emulated_shared")))
#define __align__(n) __attribute__((aligned(n)))

extern "C" __attribute__((visibility("hidden"))) char __start_emulated_shared[], __stop_emulated_shared[];

struct uint3 {
    unsigned x, y, z;
};
struct dim3 {
    unsigned x = 1, y = 1, z = 1;
};
struct alignas(8) float2 {
    float x, y;
};
struct alignas(16) float4 {
    float x, y, z, w;
};
struct alignas(16) uint4 {
    unsigned x, y, z, w;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }

// The section exists in a file without shared memory as well.
static __attribute__((section("emulated_shared"), used)) char emulated_shared_begins;

static uint3 threadIdx, blockIdx;
static dim3 blockDim, gridDim;
constexpr int warpSize = 32;

namespace emulation {

constexpr int MAX_THREADS = 1024;
constexpr size_t STACK = 128 * 1024;
constexpr size_t MAX_SHARED = 227 * 1024;

enum class State { runnable, at_block_barrier, at_warp_barrier, done };

// A copy that has been asked for and not been waited for.
struct Copy {
    void* to;
    const void* from;
    int bytes, bytes_read;
};

struct Thread {
    jmp_buf resume_at;
    ucontext_t start;
    bool started = false;
    State state = State::done;
    int barrier_line = 0;
    // What other lanes of the warp read in a shuffle or a matrix product.
    alignas(16) unsigned char exchanged[64];
    std::vector<std::vector<Copy>> groups;
    std::vector<Copy> group;
};

static Thread threads[MAX_THREADS];
static int thread_count = 0;
static int current = 0;
static jmp_buf scheduler;
static void (*kernel)(void**) = nullptr;
static void** kernel_arguments = nullptr;
static std::string failure;
static std::mutex mutex;
alignas(16) static unsigned char dynamic_shared[MAX_SHARED];

// Leaves the running fiber for the scheduler.
inline void yield(State state) {
    Thread& thread = threads[current];
    thread.state = state;
    if (_setjmp(thread.resume_at) == 0) _longjmp(scheduler, 1);
}

inline void block_barrier(int line) {
    threads[current].barrier_line = line;
    yield(State::at_block_barrier);
}

inline void warp_barrier() { yield(State::at_warp_barrier); }

// A fiber serves one thread of each launch after another.
inline void fiber() {
    for (;;) {
        kernel(kernel_arguments);
        yield(State::done);
    }
}

inline void start(Thread& thread) {
    thread.started = true;
    getcontext(&thread.start);
    void* stack = mmap(nullptr, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stack == MAP_FAILED) {
        std::perror("emulation: no memory for a fiber's stack");
        std::abort();
    }
    thread.start.uc_stack.ss_sp = stack;
    thread.start.uc_stack.ss_size = STACK;
    thread.start.uc_link = nullptr;
    makecontext(&thread.start, fiber, 0);
    setcontext(&thread.start);
}

// Runs thread t up to its next barrier or its end.
inline void resume(int t) {
    current = t;
    const unsigned x = blockDim.x, y = blockDim.y;
    threadIdx = {unsigned(t) % x, unsigned(t) / x % y, unsigned(t) / (x * y)};
    if (_setjmp(scheduler) != 0) return;
    if (!threads[t].started) start(threads[t]);
    _longjmp(threads[t].resume_at, 1);
}

inline bool all(int from, int to, State state, bool& any) {
    any = false;
    for (int t = from; t < to; t++) {
        if (threads[t].state == State::done) continue;
        if (threads[t].state != state) return false;
        any = true;
    }
    return any;
}

// Lets go on whoever has met; false if nobody can.
inline bool release() {
    bool any, released = false;
    for (int first = 0; first < thread_count; first += warpSize) {
        const int last = std::min(first + warpSize, thread_count);
        if (all(first, last, State::at_warp_barrier, any)) {
            for (int t = first; t < last; t++) {
                if (threads[t].state == State::at_warp_barrier) threads[t].state = State::runnable;
            }
            released = true;
        }
    }
    if (released || !all(0, thread_count, State::at_block_barrier, any)) return released;
    int line = 0;
    for (int t = 0; t < thread_count; t++) {
        if (threads[t].state == State::done) continue;
        if (line != 0 && threads[t].barrier_line != line) {
            failure = "threads of a block meet at the barriers of lines " + std::to_string(line) + " and " +
                      std::to_string(threads[t].barrier_line);
            return false;
        }
        line = threads[t].barrier_line;
        threads[t].state = State::runnable;
    }
    return true;
}

// Runs one block; false if it failed.
inline bool run_block(int shared_bytes, std::mt19937_64& random, bool shuffled) {
    std::fill(__start_emulated_shared, __stop_emulated_shared, char(0xff));
    std::fill(dynamic_shared, dynamic_shared + shared_bytes, (unsigned char)(0xff));
    std::vector<int> order(thread_count);
    for (int t = 0; t < thread_count; t++) {
        order[t] = t;
        threads[t].state = State::runnable;
        threads[t].groups.clear();
        threads[t].group.clear();
    }
    // ANCHOR: rounds
    for (;;) {
        if (shuffled) std::shuffle(order.begin(), order.end(), random);
        bool left = false;
        for (int t : order) {
            if (threads[t].state == State::runnable) resume(t);
            left |= threads[t].state != State::done;
        }
        if (failure.empty() && !left) return true;
        if (failure.empty() && !release() && failure.empty())
            failure = "some threads wait at a barrier that others of their block never reach";
        if (!failure.empty()) {
            // The fibers stand in the middle of a kernel: new ones take their place.
            for (int t = 0; t < thread_count; t++) threads[t].started = false;
            return false;
        }
    }
    // ANCHOR_END: rounds
}

// Calls a kernel with arguments that are given by address, as the driver does.
template <auto* f>
struct Call;
template <class... P, void (*f)(P...)>
struct Call<f> {
    static constexpr size_t count = sizeof...(P);
    static constexpr size_t sizes[sizeof...(P) + 1] = {sizeof(P)..., 0};
    static void call(void** arguments) { call(arguments, std::index_sequence_for<P...>()); }
    template <size_t... i>
    static void call(void** arguments, std::index_sequence<i...>) {
        f(*static_cast<std::remove_cv_t<P>*>(arguments[i])...);
    }
};

// A row of a module's table of kernels.
struct Kernel {
    const char* name;
    void (*call)(void**);
    const size_t* sizes;
    size_t count;
};

// Runs a grid. `order` 0 runs blocks and threads in ascending order; any other number is the seed of a drawn one.
// Returns what went wrong, or nothing.
inline const char* launch(const Kernel& row, const unsigned grid[3], const unsigned block[3], int shared_bytes,
                          void** arguments, uint64_t order) {
    std::lock_guard<std::mutex> lock(mutex);
    failure.clear();
    const size_t count = size_t(block[0]) * block[1] * block[2];
    if (count == 0 || count > MAX_THREADS) return "a block has 1 to 1024 threads";
    if (grid[0] == 0 || grid[1] == 0 || grid[2] == 0) return "a grid has a block at least";
    if (grid[0] > INT_MAX || grid[1] > 65535 || grid[2] > 65535) return "the grid has too many blocks";
    if (size_t(shared_bytes) > MAX_SHARED) return "more shared memory than a block can have";
    gridDim = {grid[0], grid[1], grid[2]};
    blockDim = {block[0], block[1], block[2]};
    thread_count = int(count);
    kernel = row.call;
    kernel_arguments = arguments;
    std::mt19937_64 random(order);
    std::vector<uint64_t> blocks(uint64_t(grid[0]) * grid[1] * grid[2]);
    for (uint64_t i = 0; i < blocks.size(); i++) blocks[i] = i;
    if (order != 0) std::shuffle(blocks.begin(), blocks.end(), random);
    for (uint64_t i : blocks) {
        blockIdx = {unsigned(i % grid[0]), unsigned(i / grid[0] % grid[1]), unsigned(i / grid[0] / grid[1])};
        if (!run_block(shared_bytes, random, order != 0)) return failure.c_str();
    }
    return nullptr;
}

// Every lane of the warp shows `value`, and reads that of lane `from`.
template <class T>
inline T exchange(unsigned mask, T value, int from) {
    static_assert(sizeof(T) <= sizeof(Thread::exchanged));
    if (mask != 0xffffffffu) failure = "only whole warps can shuffle here";
    std::memcpy(threads[current].exchanged, &value, sizeof(T));
    warp_barrier();
    T other;
    std::memcpy(&other, threads[current / warpSize * warpSize + from].exchanged, sizeof(T));
    warp_barrier();
    return other;
}

inline int lane() { return current % warpSize; }

// What lane `from` of this warp shows.
template <class T>
inline const T* shown(int from) {
    return reinterpret_cast<const T*>(threads[current / warpSize * warpSize + from].exchanged);
}

// The warp's product D += A · B of 16x8 by 8x8 TF32 values, each lane holding the fragments that the PTX manual
// gives it for mma.m16n8k8: with g = lane / 4 and t = lane % 4,
//   a = A[g][t], A[g + 8][t], A[g][t + 4], A[g + 8][t + 4]     b = B[t][g], B[t + 4][g]
//   d = D[g][2t], D[g][2t + 1], D[g + 8][2t], D[g + 8][2t + 1]
inline void mma_m16n8k8_tf32(float (&d)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
    struct Fragments {
        unsigned a[4], b[2];
    } mine = {{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
    std::memcpy(threads[current].exchanged, &mine, sizeof(mine));
    warp_barrier();
    auto tf32 = [](unsigned bits) {
        bits &= 0xffffe000u; // the unit reads 10 bits of the fraction
        float value;
        std::memcpy(&value, &bits, 4);
        return value;
    };
    const int g = lane() / 4, t = lane() % 4;
    for (int i = 0; i < 4; i++) {
        const int row = g + 8 * (i / 2), column = 2 * t + i % 2;
        double sum = 0;
        for (int k = 0; k < 8; k++) {
            const Fragments* of_a = shown<Fragments>(4 * (row % 8) + k % 4);
            const Fragments* of_b = shown<Fragments>(4 * column + k % 4);
            sum += double(tf32(of_a->a[row / 8 + 2 * (k / 4)])) * double(tf32(of_b->b[k / 4]));
        }
        d[i] = float(d[i] + sum);
    }
    warp_barrier();
}

// Addresses are multiples of `bytes`, also where nothing is read.
inline void copy_later(void* to, const void* from, int bytes, int bytes_read) {
    if (uintptr_t(to) % bytes != 0 || uintptr_t(from) % bytes != 0)
        failure = "copies " + std::to_string(bytes) + " bytes from or to an address that is no multiple of that";
    threads[current].group.push_back({to, from, bytes, bytes_read});
}

inline void commit_copies() {
    threads[current].groups.push_back(std::move(threads[current].group));
    threads[current].group.clear();
}

// Makes all copies but those of the last `pending` groups.
inline void wait_for_copies(int pending) {
    auto& groups = threads[current].groups;
    while (int(groups.size()) > pending) {
        for (const Copy& copy : groups.front()) {
            std::memcpy(copy.to, copy.from, copy.bytes_read);
            std::memset(static_cast<char*>(copy.to) + copy.bytes_read, 0, copy.bytes - copy.bytes_read);
        }
        groups.erase(groups.begin());
    }
}

} // namespace emulation

#define __syncthreads() emulation::block_barrier(__LINE__)
inline void __syncwarp(unsigned = 0xffffffffu) { emulation::warp_barrier(); }

template <class T>
inline T __shfl_sync(unsigned mask, T value, int from) {
    return emulation::exchange(mask, value, from % warpSize);
}
template <class T>
inline T __shfl_xor_sync(unsigned mask, T value, int bits) {
    return emulation::exchange(mask, value, emulation::lane() ^ bits);
}
template <class T>
inline T __shfl_down_sync(unsigned mask, T value, int by) {
    const int from = emulation::lane() + by;
    return emulation::exchange(mask, value, from < warpSize ? from : emulation::lane());
}
template <class T>
inline T __shfl_up_sync(unsigned mask, T value, int by) {
    const int from = emulation::lane() - by;
    return emulation::exchange(mask, value, from >= 0 ? from : emulation::lane());
}

// Blocks run one after another: what one has written, the next one finds.
inline void __threadfence() {}
inline unsigned atomicInc(unsigned* at, unsigned last) {
    const unsigned before = *at;
    *at = before >= last ? 0 : before + 1;
    return before;
}

inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned((uint64_t(a) * b) >> 32); }
template <class T>
inline T __ldg(const T* at) {
    return *at;
}
inline float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
inline unsigned __float_as_uint(float value) {
    unsigned bits;
    std::memcpy(&bits, &value, 4);
    return bits;
}
inline float __uint_as_float(unsigned bits) {
    float value;
    std::memcpy(&value, &bits, 4);
    return value;
}
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
// The sine and cosine of πx.
inline void sincospi(double x, double* sine, double* cosine) {
    *sine = std::sin(M_PI * x);
    *cosine = std::cos(M_PI * x);
}
inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a > b ? a : b; }
inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
inline unsigned max(unsigned a, unsigned b) { return a > b ? a : b; }

// A row of the table for kernel `f`.
#define EMULATED_KERNEL(f) \
    {#f, &emulation::Call<&f>::call, emulation::Call<&f>::sizes, emulation::Call<&f>::count}
