//! Writes MATLAB level 5 files, for the tests of what reads them.

use super::{ARRAY, COMPRESSED};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::Write;

/// Types of elements with numbers in them.
pub const U8: u32 = 2;
pub const U16: u32 = 4;
pub const I32: u32 = 5;
pub const U32: u32 = 6;
pub const F64: u32 = 9;

/// Classes of arrays.
pub const CELL_CLASS: u32 = 1;
pub const DOUBLE_CLASS: u32 = 6;
pub const UINT8_CLASS: u32 = 9;

/// A file's byte order and what it says with it.
#[derive(Clone, Copy, Debug)]
pub struct Writer {
    pub big_endian: bool,
}

impl Writer {
    /// A whole file of these elements.
    pub fn file(self, elements: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = b"MATLAB 5.0 MAT-file".to_vec();
        bytes.resize(124, b' ');
        bytes.extend(if self.big_endian { [1, 0, b'M', b'I'] } else { [0, 1, b'I', b'M'] });
        bytes.extend(elements.concat());
        bytes
    }

    /// An element, a small one where that can be.
    pub fn element(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let size = body.len() as u32;
        let mut bytes = match size {
            1..=4 => self.word(size << 16 | kind).to_vec(),
            _ => [self.word(kind), self.word(size)].concat(),
        };
        bytes.extend(body);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    /// An array of `class` whose values are the bytes of an element of type `kind`.
    pub fn array(self, class: u32, name: &str, sizes: &[u32], kind: u32, values: &[u8]) -> Vec<u8> {
        let flags = [self.word(class), self.word(0)].concat();
        let sizes: Vec<u8> = sizes.iter().flat_map(|&size| self.word(size)).collect();
        let parts = [
            self.element(U32, &flags),
            self.element(I32, &sizes),
            self.element(1, name.as_bytes()),
            self.element(kind, values),
        ];
        self.element(ARRAY, &parts.concat())
    }

    /// The same element compressed.
    pub fn compressed(self, element: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(element).unwrap();
        self.packed(&encoder.finish().unwrap())
    }

    /// A compressed element of this stream.
    pub fn packed(self, stream: &[u8]) -> Vec<u8> {
        let size = stream.len() as u32;
        [&self.word(COMPRESSED), &self.word(size), stream].concat()
    }

    /// Numbers as values of an array of doubles.
    pub fn doubles(self, values: &[f64]) -> Vec<u8> {
        let bytes = |value: &f64| {
            if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
        };
        values.iter().flat_map(bytes).collect()
    }

    /// Numbers as values of an array of 16-bit words.
    pub fn words16(self, values: &[u16]) -> Vec<u8> {
        let bytes = |value: &u16| {
            if self.big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
        };
        values.iter().flat_map(bytes).collect()
    }

    pub fn word(self, word: u32) -> [u8; 4] {
        if self.big_endian { word.to_be_bytes() } else { word.to_le_bytes() }
    }
}

/// Both byte orders.
pub const ORDERS: [Writer; 2] = [Writer { big_endian: false }, Writer { big_endian: true }];
