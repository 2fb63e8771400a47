//! Starts the command line, nothing else.

use minimax::memory::OneLine;
use std::alloc::System;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: OneLine<System> = OneLine(System);

fn main() -> ExitCode {
    minimax::cli::main()
}
