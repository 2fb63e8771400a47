//! NumPy's arrays of images, alone and in archives with labels.
#![no_main]

use libfuzzer_sys::fuzz_target;
use minimax::data::numpy;
use std::io::Cursor;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(set) = numpy::read_npy(Path::new("x.npy"), bytes) {
        assert_eq!(set.pixels.len(), set.len() * set.image_len());
    }
    if let Ok(set) = numpy::read_npz(Path::new("set.npz"), Cursor::new(bytes)) {
        assert!(set.labels.is_empty() || set.labels.len() == set.len());
    }
});
