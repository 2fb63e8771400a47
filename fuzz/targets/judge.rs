//! Judges: safetensors with a network and its training in the header.
#![no_main]

use libfuzzer_sys::fuzz_target;
use minimax::data::Images;
use minimax::judge;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(mut judge) = judge::parse(Path::new("judge.safetensors"), bytes, minimax::Device::Cpu) {
        let [height, width, channels] = judge.classifier.spec().network.input[..] else {
            panic!("a judge of images takes [height, width, channels]");
        };
        let pixels = vec![77; 2 * height * width * channels];
        let training = Images { height, width, channels, pixels, labels: Vec::new() };
        judge.score(&training.pixels, &[], &training);
    }
});
