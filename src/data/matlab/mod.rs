//! MATLAB level 5 files (The MathWorks, "MAT-File Format"): the numeric arrays of a file, each of which is streamed to
//! the caller, in either byte order, compressed or not.
//!
//! ```text
//! file        header of 128 bytes, then elements
//! header      116 bytes of text, 8 bytes that don't matter here, then version 0x0100 and "MI" as 16-bit words
//!             in the writer's byte order: "IM" means little-endian
//! element     type u32, size u32, then size bytes and zeros up to a multiple of 8
//! small one   size u16 and type u16 in one word, size in the upper half, then always 4 bytes
//! compressed  an element of type 15 whose bytes, not padded, are the zlib stream of one element
//! array       an element of type 14 whose bytes are elements: flags (the class), sizes, name, values
//! ```

mod number;
#[cfg(test)]
pub(super) mod writer;

pub use number::Number;

use super::{AGAIN, damage};
use crate::terminal::excerpt;
use crate::{Error, Result};
use flate2::bufread::ZlibDecoder;
use std::io::{self, BufRead, Cursor, Read};
use std::ops::RangeInclusive;
use std::path::Path;

/// Types of elements that hold elements.
const ARRAY: u32 = 14;
const COMPRESSED: u32 = 15;

/// Classes of arrays of numbers: double, single, then integers of 8 to 64 bits. The others (cells,
/// structures, text, sparse matrices) are passed over.
const NUMERIC: RangeInclusive<u32> = 6..=15;
/// The flag of an array that has imaginary parts, which is passed over too.
const COMPLEX: u32 = 0x0800;

/// The most bytes that an array's sizes and its name may take. MATLAB's names end at 63.
const MOST_SIZES: u32 = 4 * 32;
const MOST_NAME: u32 = 256;

/// What to do about a file of another level.
const SAVE_AGAIN: &str =
    "save it as level 5: MATLAB's save with -v7 (or -v6), or scipy.io.savemat(FILE, {'X': X, 'y': y})";

/// An array of numbers, without its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Array {
    /// The variable's name.
    pub name: String,
    /// Its sizes; values are in column-major order, the first index running fastest.
    pub sizes: Vec<usize>,
    /// How its values are stored.
    pub number: Number,
    big_endian: bool,
}

impl Array {
    /// Reads the next of the array's `values`.
    ///
    /// # Errors
    /// Those of `values`, and `UnexpectedEof` after the last value.
    pub fn next_value(&self, values: &mut dyn Read) -> io::Result<f64> {
        let mut bytes = [0; 8];
        let size = self.number.size();
        values.read_exact(&mut bytes[..size])?;
        if self.big_endian {
            bytes[..size].reverse();
        }
        Ok(self.number.value(u64::from_le_bytes(bytes)))
    }
}

/// What a caller does with an array: it may read the values, as many as the sizes say, or leave them.
pub type Visit<'a> = dyn FnMut(&Array, &mut dyn Read) -> Result<()> + 'a;

/// Calls `visit` with every array of real numbers in a file, in the file's order. `path` only names the file in errors.
/// Nothing stays in memory except what `visit` keeps.
///
/// # Errors
/// [`Error::Data`] if it isn't a MATLAB level 5 file or is damaged, and the errors of `visit`.
pub fn for_each_array(path: &Path, mut source: impl BufRead, visit: &mut Visit) -> Result<()> {
    let mut header = Vec::with_capacity(128);
    let read = source.by_ref().take(128).read_to_end(&mut header);
    read.map_err(|error| damage(path, error))?;
    if let Some(version) = other_version(&header) {
        return Err(Error::data(path, format!("a MATLAB {version}"), SAVE_AGAIN));
    }
    let big_endian = match header[..] {
        [_, .., 0, 1, b'I', b'M'] if header.len() == 128 => false,
        [_, .., 1, 0, b'M', b'I'] if header.len() == 128 => true,
        _ if header.len() < 128 => return Err(Error::data(path, "cut short", AGAIN)),
        _ => {
            let fix = "check that the file is what its name says";
            return Err(Error::data(path, "not a MATLAB level 5 file", fix));
        }
    };
    let file = MatFile { path, big_endian };
    while !source.fill_buf().map_err(Error::io(path))?.is_empty() {
        let tag = file.tag(&mut source)?;
        let mut body = source.by_ref().take(tag.rest());
        match tag.kind {
            COMPRESSED => file.compressed(&mut body, visit)?,
            ARRAY => file.array(&tag, &mut body, visit)?,
            _ => {}
        }
        file.skip(&mut body)?;
        if tag.kind != COMPRESSED {
            file.skip(&mut source.by_ref().take(tag.padding()))?;
        }
    }
    Ok(())
}

/// The name of another of MATLAB's formats, if a file with this `header` has one.
///
/// A level 4 file begins with numbers of 32 bits below 5000, of which one byte is 0; the text that the
/// others begin with has none.
fn other_version(header: &[u8]) -> Option<&'static str> {
    match header {
        [b'\x89', b'H', b'D', b'F', ..] => Some("7.3 file, which is HDF5"),
        [a, b, c, d, ..] if [a, b, c, d].contains(&&0) => Some("level 4 file"),
        [.., 0, 2, b'I', b'M'] | [.., 2, 0, b'M', b'I'] if header.len() == 128 => Some("7.3 file, which is HDF5"),
        _ => None,
    }
}

/// The head of an element.
struct Tag {
    kind: u32,
    size: u32,
    /// The bytes of a small element, of which `size` count.
    inline: Option<[u8; 4]>,
}

impl Tag {
    /// How many bytes of the element follow the tag.
    fn rest(&self) -> u64 {
        match self.inline {
            Some(_) => 0,
            None => u64::from(self.size),
        }
    }

    /// How many zeros follow those.
    fn padding(&self) -> u64 {
        self.rest().next_multiple_of(8) - self.rest()
    }

    /// The element's bytes, where `source` goes on after the tag.
    fn body<'a>(&self, source: &'a mut dyn Read) -> impl Read + use<'a> {
        let inline = Cursor::new(self.inline.unwrap_or_default());
        let inline_size = u64::from(self.size) - self.rest();
        inline.take(inline_size).chain(source.take(self.rest()))
    }
}

/// What it takes to read an element: how the file orders bytes, and its name for errors.
struct MatFile<'a> {
    path: &'a Path,
    big_endian: bool,
}

impl MatFile<'_> {
    fn bad(&self, what: impl Into<String>) -> Error {
        Error::data(self.path, what, AGAIN)
    }

    fn word(&self, bytes: [u8; 4]) -> u32 {
        if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    fn read(&self, source: &mut dyn Read, bytes: &mut [u8]) -> Result<()> {
        let read = source.read_exact(bytes);
        read.map_err(|error| damage(self.path, error))
    }

    /// Reads what is left of `source`, which must have as much as it promises.
    fn skip(&self, source: &mut io::Take<impl Read>) -> Result<()> {
        io::copy(source, &mut io::sink()).map_err(|error| damage(self.path, error))?;
        match source.limit() {
            0 => Ok(()),
            _ => Err(self.bad("cut short")),
        }
    }

    fn tag(&self, source: &mut dyn Read) -> Result<Tag> {
        let mut bytes = [0; 8];
        self.read(source, &mut bytes)?;
        let [a, b, c, d, inline @ ..] = bytes;
        let first = self.word([a, b, c, d]);
        let small_size = first >> 16;
        match small_size {
            0 => Ok(Tag { kind: first, size: self.word(inline), inline: None }),
            1..=4 => Ok(Tag { kind: first & 0xffff, size: small_size, inline: Some(inline) }),
            _ => Err(self.bad(format!("damaged: an element of {small_size} bytes in 4"))),
        }
    }

    /// The array, if it is one, in the zlib stream `packed`. It is inflated no further than its size
    /// says, whatever the stream would make.
    fn compressed(&self, packed: &mut dyn BufRead, visit: &mut Visit) -> Result<()> {
        let mut plain = ZlibDecoder::new(packed);
        let tag = self.tag(&mut plain)?;
        if tag.kind != ARRAY {
            return Ok(());
        }
        let mut body = plain.by_ref().take(tag.rest());
        self.array(&tag, &mut body, visit)?;
        self.skip(&mut body)?;
        // The checksum stands at the stream's end, and is looked at when that is reached.
        match plain.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.bad("damaged: a compressed array goes on after its end")),
            Err(error) => Err(damage(self.path, error)),
        }
    }

    /// Hands the array in `source`, the bytes of an element with this `tag`, to `visit` if it is one
    /// of real numbers. Bytes may be left in `source`.
    fn array(&self, tag: &Tag, source: &mut dyn Read, visit: &mut Visit) -> Result<()> {
        if tag.rest() == 0 {
            return Ok(());
        }
        let flags = self.head(source, 8, "flags")?;
        let &[a, b, c, d, ..] = flags.as_slice() else {
            return Err(self.bad("damaged: an array without flags"));
        };
        let flags = self.word([a, b, c, d]);
        if !NUMERIC.contains(&(flags & 0xff)) || flags & COMPLEX != 0 {
            return Ok(());
        }
        let sizes = self.head(source, MOST_SIZES, "sizes")?;
        let (sizes, _) = sizes.as_chunks();
        let sizes: Vec<usize> = sizes.iter().map(|&word| self.word(word) as usize).collect();
        let name = self.head(source, MOST_NAME, "name")?;
        let name = String::from_utf8_lossy(&name).into_owned();
        let shown = excerpt(&name);

        let values = self.tag(source)?;
        let Some(number) = Number::of_type(values.kind) else {
            let what = format!("damaged: array {shown:?} has values of type {}", values.kind);
            return Err(self.bad(what));
        };
        let mut factors = sizes.iter();
        let bytes = factors.try_fold(number.size(), |bytes, &size| bytes.checked_mul(size));
        if bytes != Some(values.size as usize) {
            return Err(self
                .bad(format!("damaged: array {shown:?} of sizes {sizes:?} has {} bytes of {number:?}", values.size)));
        }
        let array = Array { name, sizes, number, big_endian: self.big_endian };
        visit(&array, &mut values.body(source))
    }

    /// The bytes of the next element of an array, at most `most`.
    fn head(&self, source: &mut dyn Read, most: u32, what: &str) -> Result<Vec<u8>> {
        let tag = self.tag(source)?;
        if tag.size > most {
            return Err(self.bad(format!("damaged: an array's {what} in {} bytes", tag.size)));
        }
        let mut bytes = vec![0; tag.size as usize];
        self.read(&mut tag.body(source), &mut bytes)?;
        self.skip(&mut source.take(tag.padding()))?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests;
