//! Pictures of a folder, in any format: the first three bytes are the size that is asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use minimax::data::{folder, picture};
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let &[height, width, colour, ref file @ ..] = bytes else {
        return;
    };
    let size = [usize::from(height).max(1), usize::from(width).max(1), if colour % 2 == 0 { 1 } else { 3 }];
    let path = Path::new("picture");
    if let Ok((pixels, _)) = folder::read_picture(path, file, size, [9, 99, 199]) {
        assert_eq!(pixels.len(), size.iter().product::<usize>());
        assert!(picture::size(path, file).is_ok());
    }
});
