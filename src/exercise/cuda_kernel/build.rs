//! Compiles the kernel, with the device that is emulated around it, to a program that runs it once.

use std::env;
use std::path::Path;
use std::process::{Command, exit};

fn main() {
    println!("cargo:rerun-if-changed=src/kernel.cu");
    println!("cargo:rerun-if-changed=harness");
    let program = Path::new(&env::var_os("OUT_DIR").expect("cargo says it")).join("program");
    let mut compiler = Command::new("c++");
    // Threads leave their stacks by longjmp, which the hardened one takes for an attack.
    compiler.args(["-std=c++17", "-O1", "-w", "-U_FORTIFY_SOURCE", "-Iharness", "harness/program.cpp", "-o"]).arg(program);
    match compiler.status() {
        Ok(status) if status.success() => {}
        Ok(_) => exit(1),
        Err(error) => {
            eprintln!("c++, a C++ compiler, can't be run: {error}");
            exit(1);
        }
    }
}
