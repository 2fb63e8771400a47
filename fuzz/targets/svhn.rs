//! SVHN's cropped digits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use minimax::data::svhn;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(set) = svhn::read(Path::new(svhn::FILE), bytes) {
        assert_eq!(set.pixels.len(), set.len() * set.image_len());
        assert!(set.labels.is_empty() || set.labels.len() == set.len());
        assert!(set.labels.iter().all(|&label| label < 10));
    }
});
