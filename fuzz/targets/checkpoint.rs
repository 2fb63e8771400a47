//! Checkpoints: safetensors with a recipe in the header.
#![no_main]

use libfuzzer_sys::fuzz_target;
use minimax::run::checkpoint;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let _ = checkpoint::parse(Path::new("checkpoint.safetensors"), bytes, Some(minimax::Device::Cpu));
});
