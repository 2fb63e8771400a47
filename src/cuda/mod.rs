//! What CUDA launchers share: devices, memory, launches and captured graphs. It knows buffers and geometry,
//! never tensors; a kernel's launcher is in its op's stem, `src/ops/<stem>/cuda.rs`.
//!
//! In reading order:
//!
//! - [`driver`] is the interface to a device; `nvidia` implements it for a GPU, and `emulator`, for tests, runs the
//!   same kernels on the processor;
//! - `context` is a device in use, with its `pool` of memory;
//! - launchers are made from `buffer` and `launch`, and `product` launches matrix products;
//! - [`ladder`] shows how a kernel becomes fast, rung by rung;
//! - [`capture`] turns a training step into a graph.
//!
//! A test in this module holds the whole order: no file imports from a later one.
//!
//! A launch can't be checked at run time, so its arguments must be right. Therefore the functions that make launches
//! are private to the crate, and public functions check what they are given.

pub(crate) mod buffer;
pub mod capture;
pub(crate) mod columns;
pub(crate) mod context;
pub(crate) mod devices;
pub mod driver;
#[cfg(feature = "emulator")]
pub mod emulator;
pub(crate) mod fill;
pub(crate) mod geometry;
pub mod ladder;
pub(crate) mod launch;
pub(crate) mod modules;
pub(crate) mod nvidia;
pub(crate) mod pool;
pub(crate) mod product;
pub(crate) mod staging;
pub(crate) mod strided;
pub(crate) mod tensors;

pub use crate::unwind::catch;
pub use buffer::Buffer;
pub use context::Context;
pub use devices::{context, count, open, settle};
pub use launch::launches;

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// The files, lowest first.
    const ORDER: [&str; 18] = [
        "driver", "modules", "nvidia", "pool", "context", "devices", "emulator", "buffer", "launch", "fill", "columns",
        "geometry", "product", "strided", "staging", "tensors", "ladder", "capture",
    ];

    /// What `code` names of this module, in `use` lines and elsewhere: `b` and `c` in `super::b::B` and
    /// `crate::cuda::{c::C}`.
    fn imports(code: &str) -> Vec<String> {
        let code: Vec<&str> = code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
        let code = code.concat().replace(char::is_whitespace, "").replace("crate::cuda::", "super::");
        let mut found = Vec::new();
        for path in code.split("super::").skip(1) {
            let (mut depth, mut name) = (0, String::new());
            let mut in_name = true;
            for c in path.chars() {
                if in_name && (c.is_alphanumeric() || "_*".contains(c)) {
                    name.push(c);
                    continue;
                }
                if !name.is_empty() {
                    found.push(std::mem::take(&mut name));
                    in_name = false;
                }
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => in_name = true,
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
        }
        found
    }

    #[test]
    fn no_file_imports_from_one_above_it() {
        let code = "use super::{a, b::{B, c}, d::D}; // super::e\nuse crate::cuda::f;\nlet g = super::g::h(super::i);";
        assert_eq!(imports(code), ["a", "b", "d", "f", "g", "i"]);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cuda");
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let file = path.file_stem().unwrap().to_str().unwrap().to_string();
            if file == "mod" {
                continue;
            }
            let place = ORDER.iter().position(|name| **name == file);
            let place = place.unwrap_or_else(|| panic!("{file}.rs has no place in the order"));
            for import in imports(&std::fs::read_to_string(path).unwrap()) {
                // A file's own tests see the file.
                let below = import == "*" || ORDER[..place].contains(&import.as_str());
                assert!(below, "{file}.rs names {import}, which is not below it");
            }
            files.push(file);
        }
        assert_eq!(files.len(), ORDER.len(), "the order names files that are not there");
    }
}
