//! Archives of pictures.
#![no_main]

use libfuzzer_sys::fuzz_target;
use minimax::data::{Wanted, folder};
use std::io::Cursor;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let wanted = Wanted { size: Some([3, 4, 1]), ..Wanted::default() };
    if let Ok(Some(opened)) = folder::read_zip(Path::new("pictures.zip"), Cursor::new(bytes), &wanted) {
        let (count, labels) = (opened.images.len(), opened.images.labels.len());
        assert!(labels == 0 || labels == count);
    }
});
