//! IDX images and labels, plain and gzipped.
#![no_main]

use libfuzzer_sys::fuzz_target;
use minimax::data::idx;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(([count, height, width], pixels)) = idx::read_images(Path::new("images"), bytes) {
        assert_eq!(pixels.len(), count * height * width);
    }
    let _ = idx::read_labels(Path::new("labels"), bytes);
});
