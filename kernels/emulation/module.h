// What a compiled stem shows to src/cuda/emulator.rs: its kernels by name, and a way to run one.
#pragma once

extern "C" const emulation::Kernel* find_kernel(const char* name) {
    for (const emulation::Kernel& kernel : kernels) {
        if (std::strcmp(kernel.name, name) == 0) return &kernel;
    }
    return nullptr;
}

extern "C" const char* launch_kernel(const emulation::Kernel* kernel, const unsigned* grid, const unsigned* block,
                                     int shared_bytes, void** arguments, uint64_t order) {
    return emulation::launch(*kernel, grid, block, shared_bytes, arguments, order);
}
