//! PNG images of a folder: the first three bytes are the size that is asked for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use minimax::data::folder;
use std::io::Cursor;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let &[height, width, colour, ref png @ ..] = bytes else {
        return;
    };
    let size = [
        usize::from(height).max(1),
        usize::from(width).max(1),
        if colour % 2 == 0 { 1 } else { 3 },
    ];
    if let Ok(pixels) = folder::read_png(Path::new("image.png"), Cursor::new(png), size) {
        assert_eq!(pixels.len(), size.iter().product());
    }
});
