//! Compiles `src/torch/shim.cpp` against the libtorch that tch was built with, and notes where it is found at
//! run time.

use std::path::PathBuf;

fn main() {
    let lib = PathBuf::from(std::env::var("DEP_TCH_LIBTORCH_LIB").expect("torch-sys says where"));
    let include = lib.with_file_name("include");
    println!("cargo:rerun-if-changed=src/torch/shim.cpp");
    println!("cargo:rerun-if-changed=src/torch/removed.h");
    cc::Build::new()
        .cpp(true)
        .std("c++20")
        .warnings(false)
        .include(&include)
        .include(include.join("torch/csrc/api/include"))
        .file("src/torch/shim.cpp")
        .compile("yardstick_shim");
    println!("cargo:rustc-link-arg-bins=-Wl,-rpath={}", lib.display());
}
