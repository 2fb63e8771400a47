//! NumPy's arrays as data (NumPy Enhancement Proposal 1): a .npy of images, `[n, h, w]` or `[n, h, w, c]` of uint8, or
//! a .npz, an archive of such arrays, with images and optionally labels, whole numbers `[n]` or `[n, 1]`.

use super::{AGAIN, Images, LARGEST, damage, room};
use crate::terminal::brief;
use crate::{Error, Result};
use npyz::{DType, NpyHeader, Order};
use std::io::{self, Read, Seek};
use std::path::Path;
use zip::ZipArchive;

/// How a .npy file begins.
pub const MAGIC: &[u8] = b"\x93NUMPY";

/// The most characters that a header may have, as in NumPy itself.
const MOST_HEADER: u32 = 10_000;
/// The most brackets in one; a shape and a type of plain numbers make two pairs.
const MOST_BRACKETS: usize = 16;

/// The names of images and labels in a .npz; the first one that is found counts.
const IMAGE_NAMES: [&str; 6] = ["x", "X", "x_train", "images", "arr_0", "data"];
const LABEL_NAMES: [&str; 5] = ["y", "Y", "y_train", "labels", "arr_1"];

const SAVE: &str = "save a uint8 array of shape [n, h, w] or [n, h, w, c], where c is 1 or 3, with numpy.save";

const SAVE_BYTES: &str = "save it as numpy.uint8, 0 to 255: from numbers in [0, 1] by (255 * x).round().astype('uint8'), \
                          from [-1, 1] by (127.5 * (x + 1)).round().astype('uint8'); samples that are judged may be of float32 \
                          in a .npy";
/// What to do about `[n, c, h, w]`.
pub const MOVE_CHANNELS: &str = "put the channels last with numpy.moveaxis(x, 1, -1) and save it again";

/// Reads the header at the start of a .npy file from `source`, which is then at the first value. Its length is checked
/// before it is parsed.
///
/// # Errors
/// A message that says what is wrong with it.
pub fn read_header(source: &mut impl Read) -> std::result::Result<NpyHeader, String> {
    let mut start = vec![0; 10];
    let cut = |_: io::Error| "is cut short".to_string();
    source.read_exact(&mut start).map_err(cut)?;
    if !start.starts_with(MAGIC) {
        return Err("is not a .npy file".into());
    }
    if start[6] > 1 {
        start.resize(12, 0);
        source.read_exact(&mut start[10..]).map_err(cut)?;
    }
    let length = match start[8..] {
        [a, b] => u32::from_le_bytes([a, b, 0, 0]),
        [a, b, c, d] => u32::from_le_bytes([a, b, c, d]),
        _ => unreachable!("of 10 or 12 bytes"),
    };
    if length > MOST_HEADER {
        return Err(format!("has a header of {length} characters, more than {MOST_HEADER}"));
    }
    let text = start.len();
    start.resize(text + length as usize, 0);
    source.read_exact(&mut start[text..]).map_err(cut)?;
    let brackets = start[text..].iter().filter(|byte| b"([{".contains(byte));
    if brackets.count() > MOST_BRACKETS {
        return Err(format!("has a header of more than {MOST_BRACKETS} brackets"));
    }
    let header = NpyHeader::from_reader(&start[..]);
    // The parser's message isn't used: it may quote the whole header.
    header.map_err(|_| "has a damaged header".to_string())
}

/// The images in a .npy file; `path` only names it in errors.
///
/// # Errors
/// [`Error::Data`] if it isn't an array of images as described above, or is damaged.
pub fn read_npy(path: &Path, mut source: impl Read) -> Result<Images> {
    let wrong = |what: String| Error::data(path, what, SAVE);
    let header = read_header(&mut source).map_err(wrong)?;
    let shape = header.shape().to_vec();
    let [count, height, width, channels] = match shape[..] {
        [n, h, w] => [n, h, w, 1],
        [n, h, w, c @ (1 | 3)] => [n, h, w, c],
        [_, 1 | 3, h, w] if h == w => {
            return Err(Error::data(path, format!("has shape {shape:?}, channels first"), MOVE_CHANNELS));
        }
        _ => return Err(wrong(format!("has shape {shape:?}"))),
    };
    let (kind, size) = number(&header);
    if (kind, size) != ('u', 1) {
        let dtype = header.dtype().descr();
        return Err(Error::data(path, format!("holds {dtype:.40}, not uint8"), SAVE_BYTES));
    }
    if header.order() != Order::C {
        let fix = "save numpy.ascontiguousarray(x)";
        return Err(Error::data(path, "is in Fortran's order", fix));
    }
    let promised = shape.iter().try_fold(1u64, |product, &n| product.checked_mul(n));
    let promised = match promised {
        Some(0) => return Err(wrong(format!("has shape {shape:?}, so it holds no images"))),
        Some(promised) if promised <= LARGEST => promised,
        _ => {
            return Err(wrong(format!("has shape {shape:?}, more than the {LARGEST} bytes allowed")));
        }
    };
    room::check(path, promised)?;
    let pixels = room::read_promised(source, promised).map_err(|error| damage(path, error))?;
    if pixels.len() as u64 != promised {
        let what = match (pixels.len() as u64) < promised {
            true => format!("cut short: {} bytes where its header says {promised}", pixels.len()),
            false => format!("goes on after the {promised} bytes that its header says"),
        };
        return Err(wrong(what));
    }
    debug_assert_eq!(count * height * width * channels, promised);
    Ok(Images {
        height: height as usize,
        width: width as usize,
        channels: channels as usize,
        pixels,
        labels: Vec::new(),
    })
}

/// The images and labels in a .npz file; `path` only names it in errors.
///
/// # Errors
/// [`Error::Data`] if it isn't an archive, is damaged, has no array with one of the names for images, or has such an
/// array that isn't of images or labels.
pub fn read_npz(path: &Path, source: impl Read + Seek) -> Result<Images> {
    let archive = ZipArchive::new(source);
    let mut archive = archive.map_err(|error| broken(path, &error.to_string()))?;
    let find = |names: &[&str], archive: &ZipArchive<_>| {
        let mut names = names.iter().map(|name| format!("{name}.npy"));
        names.find(|name| archive.index_for_name(name).is_some())
    };
    let Some(images) = find(&IMAGE_NAMES, &archive) else {
        let what = format!("holds no array of images by the name {}", IMAGE_NAMES.join(", "));
        let fix = "save it with numpy.savez(FILE, x=images, y=labels)";
        return Err(Error::data(path, what, fix));
    };
    let labels = find(&LABEL_NAMES, &archive);
    let mut open = |name: &str, read: &mut dyn FnMut(&Path, &mut dyn Read) -> Result<()>| {
        let entry = archive.by_name(name);
        let mut entry = entry.map_err(|error| broken(path, &error.to_string()))?;
        read(&path.join(name), &mut entry)
    };
    let mut set = None;
    open(&images, &mut |path, source| {
        set = Some(read_npy(path, source)?);
        Ok(())
    })?;
    let mut set = set.expect("read, or an error was returned");
    if let Some(labels) = labels {
        open(&labels, &mut |path, source| {
            set.labels = read_labels(path, source, set.len())?.into_iter().map(u16::from).collect();
            Ok(())
        })?;
    }
    Ok(set)
}

/// The error for the file at `path`, which can't be read as an archive.
fn broken(path: &Path, error: &str) -> Error {
    let what = format!("is damaged, or no .npz archive ({})", brief(error)).replace('\n', " ");
    Error::data(path, what, "save it again with numpy.savez, or copy it anew")
}

/// `count` labels, one for each image.
fn read_labels(path: &Path, mut source: impl Read, count: usize) -> Result<Vec<u8>> {
    let wrong = |what: String| {
        let fix = format!("save {count} whole numbers from 0 to 255 in an array of shape [{count}]");
        Error::data(path, what, fix)
    };
    let header = read_header(&mut source).map_err(wrong)?;
    let shape = header.shape().to_vec();
    let n = count as u64;
    if !(shape == [n] || shape == [n, 1]) {
        return Err(wrong(format!("has labels of shape {shape:?} for {n} images")));
    }
    let (kind, size) = number(&header);
    if !matches!((kind, size), ('u' | 'i', 1 | 2 | 4 | 8) | ('b', 1)) {
        let dtype = header.dtype().descr();
        return Err(wrong(format!("holds {dtype:.40}, not whole numbers")));
    }
    let big_endian = header.dtype().descr().starts_with("'>");
    let mut labels = Vec::new();
    for index in 0..n {
        let mut bytes = [0; 8];
        let read = source.read_exact(&mut bytes[..size]);
        read.map_err(|error| damage(path, error))?;
        if big_endian {
            bytes[..size].reverse();
        }
        // A negative number has its sign bit set, and so is above 255 here.
        let value = u64::from_le_bytes(bytes);
        let negative = kind == 'i' && value >> (8 * size - 1) != 0;
        match u8::try_from(value) {
            Ok(label) if !negative => labels.push(label),
            _ => {
                return Err(wrong(format!("the label of image {} is not from 0 to 255", index + 1)));
            }
        }
    }
    match source.read(&mut [0]) {
        Ok(0) => Ok(labels),
        Ok(_) => Err(Error::data(path, "goes on after its labels", AGAIN)),
        Err(error) => Err(damage(path, error)),
    }
}

/// The kind of an array's numbers, as NumPy's letter, and their size in bytes; `'?'` and 0 for anything but plain
/// numbers.
fn number(header: &NpyHeader) -> (char, usize) {
    let DType::Plain(_) = header.dtype() else {
        return ('?', 0);
    };
    // '<i8' with its quotes.
    let text = header.dtype().descr();
    let mut letters = text.trim_matches('\'').chars();
    letters.next();
    let kind = letters.next().unwrap_or('?');
    (kind, letters.as_str().parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    fn npy(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = [MAGIC, &[1, 0], &(header.len() as u16).to_le_bytes()].concat();
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    fn array(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}\n");
        npy(&header, data)
    }

    fn npz(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in arrays {
            writer.start_file(format!("{name}.npy"), SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn read(bytes: &[u8]) -> Result<Images> {
        read_npy(Path::new("some/x.npy"), bytes)
    }

    #[test]
    fn grey_and_colour_are_read_with_labels_of_any_type() {
        let pixels: Vec<u8> = (0..24).collect();
        let grey = read(&array("|u1", "2, 3, 4", &pixels)).unwrap();
        assert_eq!((grey.len(), grey.height, grey.width, grey.channels), (2, 3, 4, 1));
        assert_eq!(grey.pixels, pixels);
        let x = array("|u1", "2, 2, 2, 3", &pixels);
        assert_eq!(read(&x).unwrap().channels, 3);
        for (descr, shape, data) in [
            ("|u1", "2,", vec![3, 255]),
            ("<i8", "2, 1", [3u64, 255].map(u64::to_le_bytes).concat()),
            (">u2", "2,", vec![0, 3, 0, 255]),
            ("<i4", "2,", vec![3, 0, 0, 0, 255, 0, 0, 0]),
        ] {
            let file = npz(&[("y", array(descr, shape, &data)), ("x", x.clone())]);
            let set = read_npz(Path::new("some/set.npz"), Cursor::new(file)).unwrap();
            assert_eq!((set.pixels, set.labels), (pixels.clone(), vec![3, 255]), "{descr}");
        }
        // As Keras's mnist.npz has them.
        let file = npz(&[("x_test", x.clone()), ("x_train", x), ("y_test", array("|u1", "1,", &[0]))]);
        let set = read_npz(Path::new("some/set.npz"), Cursor::new(file)).unwrap();
        assert_eq!((set.len(), set.labels.len()), (2, 0));
    }

    #[test]
    fn what_is_no_array_of_images_is_one_line() {
        for (bytes, what) in [
            (b"PK\x03\x04 something".to_vec(), "is not a .npy file"),
            (MAGIC.to_vec(), "is cut short"),
            (array("<f4", "1, 1, 1", &[0; 4]), "holds '<f4', not uint8"),
            (array("|u1", "4, 4", &[0; 16]), "has shape [4, 4]"),
            (array("|u1", "1, 3, 2, 2", &[0; 12]), "channels first"),
            (array("|u1", "1, 2, 2, 4", &[0; 16]), "has shape [1, 2, 2, 4]"),
            (array("|u1", "0, 2, 2", &[]), "holds no images"),
            (array("|u1", "1, 2, 2", &[0; 3]), "cut short: 3 bytes where"),
            (array("|u1", "1, 2, 2", &[0; 5]), "goes on after the 4 bytes"),
            (array("|u1", "4294967296, 4294967296, 1", &[]), "more than the 4294967295 bytes"),
            (array("|u1", "70000, 70000, 1", &[]), "more than the 4294967295 bytes"),
            (npy("{'descr': '|u1', 'fortran_order': True, 'shape': (1, 2, 2), }", &[0; 4]), "is in Fortran's order"),
            (npy("{'descr': ", &[]), "has a damaged header"),
            (npy(&"[".repeat(9_999), &[]), "more than 16 brackets"),
            (npy(&" ".repeat(10_001), &[]), "a header of 10001 characters"),
            (npy("{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (1, 1, 1), }", &[0]), "not uint8"),
        ] {
            let error = read(&bytes).expect_err(what).to_string();
            assert!(error.starts_with("some/x.npy: ") && error.contains(what), "{what}: {error}");
            assert!(error.contains("; ") && !error.contains('\n'), "{error}");
        }
        let x = array("|u1", "2, 1, 1", &[1, 2]);
        let cut = npz(&[("x", x.clone())]);
        let error = read_npz(Path::new("some/set.npz"), Cursor::new(&cut[..cut.len() / 2])).unwrap_err().to_string();
        assert!(error.starts_with("some/set.npz: is damaged, or no .npz archive ("), "{error}");
        for (arrays, what) in [
            (vec![("z", x.clone())], "no array of images by the name x"),
            (vec![("x", x.clone()), ("y", array("|u1", "3,", &[0; 3]))], "labels of shape [3] for 2 images"),
            (vec![("x", x.clone()), ("y", array("|i1", "2,", &[0, 0xff]))], "image 2 is not from 0 to 255"),
            (vec![("x", x.clone()), ("y", array("<f4", "2,", &[0; 8]))], "not whole numbers"),
            (vec![("x", x.clone()), ("y", array("|u1", "2,", &[0]))], "cut short"),
            (vec![("x", x), ("y", array("|u1", "2,", &[0; 3]))], "goes on"),
        ] {
            let read = read_npz(Path::new("some/set.npz"), Cursor::new(npz(&arrays)));
            let error = read.expect_err(what).to_string();
            assert!(error.starts_with("some/set.npz") && error.contains(what), "{what}: {error}");
            assert!(error.contains("; ") && !error.contains('\n'), "{error}");
        }
    }
}
