//! CIFAR-10 batches.
#![no_main]

use libfuzzer_sys::fuzz_target;
use minimax::data::cifar;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let mut set = cifar::no_images();
    if cifar::read_batch(Path::new("data_batch_1.bin"), bytes, &mut set).is_ok() {
        assert_eq!(bytes.len(), set.len() * 3073);
        assert_eq!(set.len(), set.labels.len());
    }
});
