//! Judges: safetensors with a network and its training in the header.
#![no_main]

use libfuzzer_sys::fuzz_target;
use minimax::judge;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(mut judge) = judge::parse(Path::new("judge.safetensors"), bytes, minimax::Device::Cpu) {
        let size: usize = judge.classifier.spec().network.input.iter().product();
        judge.score(&vec![77; 2 * size]);
    }
});
