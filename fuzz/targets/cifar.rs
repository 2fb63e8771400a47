//! Files of CIFAR-10 and CIFAR-100, and their archives.
#![no_main]

use libfuzzer_sys::fuzz_target;
use minimax::data::cifar;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    for layout in [cifar::TEN, cifar::HUNDRED] {
        let mut set = cifar::no_images();
        if cifar::read_batch(Path::new("batch.bin"), bytes, layout, &mut set).is_ok() {
            assert_eq!(bytes.len(), set.len() * layout.record());
            assert_eq!(set.len(), set.labels.len());
            assert!(set.labels.iter().all(|&label| label < u16::from(layout.classes)));
        }
    }
    if let Ok(set) = cifar::read_archive(Path::new("cifar.tar.gz"), bytes) {
        assert_eq!(set.len(), set.labels.len());
    }
});
