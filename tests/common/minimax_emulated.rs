//! The command as `minimax` is, on the emulated CUDA device that the environment names.

use std::process::ExitCode;

fn main() -> ExitCode {
    minimax::cuda::emulator::start_if_named();
    minimax::cli::main()
}
