//! SVHN's cropped digits (Netzer, Wang, Coates, Bissacco, Wu and Ng, "Reading digits in natural images
//! with unsupervised feature learning", 2011), a MATLAB file of two arrays:
//!
//! ```text
//! X  uint8 [32, 32, 3, n], column-major: image by image, in each channel by channel, in each column
//!    by column
//! y  [n, 1], numbers of any type: 1 to 9, and 10 for the digit 0
//! ```

use super::matlab::{Array, Number, for_each_array};
use super::{AGAIN, Images, LARGEST, damage, room};
use crate::{Error, Result};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// The file of training images.
pub const FILE: &str = "train_32x32.mat";
/// The file of test images.
const TEST: &str = "test_32x32.mat";
/// The file of further, easier images, 531,131 of them.
pub const EXTRA: &str = "extra_32x32.mat";
/// The name of the set that consists of that file alone.
pub const EXTRA_SET: &str = "svhn-extra";

const SIDE: usize = 32;
const CHANNELS: usize = 3;

/// The training set in `folder`, or the images of [`EXTRA`] if the folder has only that; `None` if it has neither. With
/// `extra`, the images of [`EXTRA`] follow those of the training set; the file is in the same folder or in that of
/// [`EXTRA_SET`] beside it.
///
/// # Errors
/// As [`read`], and [`Error::Io`] if a file can't be opened; [`Error::Data`] if one of the two has labels and the other
/// has none, or if the images that `extra` asks for don't exist.
pub fn read_folder(folder: &Path, extra: bool) -> Result<Option<Images>> {
    let (train, beside) = (folder.join(FILE), folder.join(EXTRA));
    if !train.is_file() {
        return match beside.is_file() {
            true => read_file(&beside).map(Some),
            false => Ok(None),
        };
    }
    let mut set = read_file(&train)?;
    if extra {
        let of_its_own = folder.with_file_name(EXTRA_SET).join(EXTRA);
        let path = [beside, of_its_own].into_iter().find(|path| path.is_file());
        let Some(path) = path else {
            let what = format!("has no {EXTRA}, which data.extra asks for");
            let fix = format!("put it there, get it with: minimax data fetch {EXTRA_SET}, or remove data.extra");
            return Err(Error::data(folder, what, fix));
        };
        add(&mut set, read_file(&path)?, &path)?;
    }
    Ok(Some(set))
}

/// The test set in `folder`, or `None` if there is none.
///
/// # Errors
/// As [`read`], and [`Error::Io`] if the file can't be opened.
pub fn read_test(folder: &Path) -> Result<Option<Images>> {
    let path = folder.join(TEST);
    path.is_file().then(|| read_file(&path)).transpose()
}

/// Adds the images of the file `path` to a set.
fn add(set: &mut Images, more: Images, path: &Path) -> Result<()> {
    if set.labels.is_empty() != more.labels.is_empty() {
        let what = format!("this or {FILE} has labels, and the other has none");
        return Err(Error::data(path, what, "take both files from one source"));
    }
    let bytes = set.pixels.len() as u64 + more.pixels.len() as u64;
    if bytes > LARGEST {
        let what = format!("{bytes} bytes with those of {FILE}, more than the {LARGEST} allowed");
        return Err(Error::data(path, what, "remove data.extra"));
    }
    set.pixels.extend(more.pixels);
    set.labels.extend(more.labels);
    Ok(())
}

fn read_file(path: &Path) -> Result<Images> {
    let file = crate::files::open(path)?;
    read(path, BufReader::new(file))
}

/// The images and labels in one file; `path` only names it in errors.
///
/// # Errors
/// [`Error::Data`] if it isn't a MATLAB level 5 file, is damaged, or has no `X`, or an `X` or `y` that differs from the
/// description above. Without a `y` the images have no labels.
pub fn read(path: &Path, source: impl BufRead) -> Result<Images> {
    let mut pixels = None;
    let mut labels = None;
    for_each_array(path, source, &mut |array, values| {
        match array.name.as_str() {
            "X" if pixels.is_none() => pixels = Some(read_pixels(path, array, values)?),
            "y" if labels.is_none() => labels = Some(read_labels(path, array, values)?),
            _ => {}
        }
        Ok(())
    })?;
    let Some(pixels) = pixels else {
        let fix = "take SVHN's cropped digits (format 2)";
        return Err(Error::data(path, "holds no numeric array X", fix));
    };
    let has_labels = labels.is_some();
    let labels = labels.unwrap_or_default();
    let set = Images { height: SIDE, width: SIDE, channels: CHANNELS, pixels, labels };
    if has_labels && set.len() != set.labels.len() {
        let what = format!("{} labels for {} images", set.labels.len(), set.len());
        return Err(Error::data(path, what, AGAIN));
    }
    Ok(set)
}

/// X as `[n, height, width, channels]`.
fn read_pixels(path: &Path, array: &Array, values: &mut dyn Read) -> Result<Vec<u8>> {
    // MATLAB leaves out a last size of 1.
    let count = match array.sizes[..] {
        [SIDE, SIDE, CHANNELS] if array.number == Number::U8 => 1,
        [SIDE, SIDE, CHANNELS, count] if array.number == Number::U8 => count,
        _ => {
            let (number, sizes) = (array.number, &array.sizes);
            let what = format!("X is {number:?} {sizes:?}, not U8 [{SIDE}, {SIDE}, {CHANNELS}, n]");
            let fix = "take SVHN's cropped digits (format 2)";
            return Err(Error::data(path, what, fix));
        }
    };
    if count == 0 {
        return Err(Error::data(path, "holds no images", AGAIN));
    }
    let mut image = [0; SIDE * SIDE * CHANNELS];
    // The size of an array in bytes is a 32-bit number.
    room::check(path, (count * image.len()) as u64)?;
    let mut pixels = Vec::new();
    for _ in 0..count {
        let read = values.read_exact(&mut image);
        read.map_err(|error| damage(path, error))?;
        for row in 0..SIDE {
            for column in 0..SIDE {
                let at = |channel| image[(channel * SIDE + column) * SIDE + row];
                pixels.extend((0..CHANNELS).map(at));
            }
        }
    }
    Ok(pixels)
}

/// y as digits.
fn read_labels(path: &Path, array: &Array, values: &mut dyn Read) -> Result<Vec<u16>> {
    let (&[count, 1] | &[1, count]) = array.sizes.as_slice() else {
        let what = format!("y has sizes {:?}, not [n, 1]", array.sizes);
        return Err(Error::data(path, what, AGAIN));
    };
    if count as u64 > LARGEST / (SIDE * SIDE * CHANNELS) as u64 {
        let what = format!("y has {count} labels, more than there can be images");
        return Err(Error::data(path, what, AGAIN));
    }
    let mut labels = Vec::new();
    for index in 1..=count {
        let value = array.next_value(values);
        let value = value.map_err(|error| damage(path, error))?;
        // Some copies have been relabelled from 0 already.
        if !(0.0..=10.0).contains(&value) || value.fract() != 0.0 {
            let what = format!("the label of image {index} is {value}, not 1 to 10");
            return Err(Error::data(path, what, AGAIN));
        }
        labels.push(value as u16 % 10);
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::super::matlab::writer::*;
    use super::*;

    /// A value that every place has for itself, nearly.
    fn value(image: usize, row: usize, column: usize, channel: usize) -> u8 {
        (image * 101 + row * 7 + column * 31 + channel * 59) as u8
    }

    /// X of `count` images with its values in column-major order.
    fn x(order: Writer, count: usize) -> Vec<u8> {
        let mut values = Vec::new();
        for image in 0..count {
            for channel in 0..3 {
                for column in 0..32 {
                    values.extend((0..32).map(|row| value(image, row, column, channel)));
                }
            }
        }
        let sizes = [32, 32, 3, count as u32];
        let sizes = if count == 1 { &sizes[..3] } else { &sizes };
        order.array(UINT8_CLASS, "X", sizes, U8, &values)
    }

    fn read_bytes(bytes: &[u8]) -> Result<Images> {
        read(Path::new("some/train_32x32.mat"), bytes)
    }

    #[test]
    fn both_byte_orders_plain_and_compressed_hold_the_same() {
        for order in ORDERS {
            let labels = [10.0, 1.0, 9.0, 0.0, 5.0];
            let y = order.array(DOUBLE_CLASS, "y", &[5, 1], F64, &order.doubles(&labels));
            let elements = [x(order, 5), y];
            let packed = elements.each_ref().map(|element| order.compressed(element));
            for file in [order.file(&elements), order.file(&packed)] {
                let set = read_bytes(&file).unwrap();
                assert_eq!((set.len(), set.image_len()), (5, 32 * 32 * 3));
                assert_eq!(set.labels, [0, 1, 9, 0, 5]);
                for (at, &found) in set.pixels.iter().enumerate() {
                    let (image, row, column, channel) = (at / 3072, at / 96 % 32, at / 3 % 32, at % 3);
                    assert_eq!(found, value(image, row, column, channel), "{order:?} {at}");
                }
            }
        }
    }

    #[test]
    fn a_single_image_and_labels_of_any_type_are_read() {
        for order in ORDERS {
            for (kind, label) in [(U8, vec![3]), (U16, order.words16(&[3]))] {
                let y = order.array(DOUBLE_CLASS, "y", &[1, 1], kind, &label);
                // Labels first, and an array that has nothing to do with them.
                let other = order.array(DOUBLE_CLASS, "z", &[1, 1], U8, &[1]);
                let set = read_bytes(&order.file(&[y, other, x(order, 1)])).unwrap();
                assert_eq!((set.len(), set.labels), (1, vec![3]));
            }
        }
    }

    #[test]
    fn without_a_y_there_are_no_labels() {
        for order in ORDERS {
            let set = read_bytes(&order.file(&[x(order, 2)])).unwrap();
            assert_eq!((set.len(), set.labels.len()), (2, 0));
        }
    }

    #[test]
    fn extra_images_stand_alone_or_come_after_the_others() {
        let order = ORDERS[0];
        let file = |count: usize, labels: &[u8]| {
            let y = order.array(UINT8_CLASS, "y", &[labels.len() as u32, 1], U8, labels);
            order.file(&[x(order, count), y])
        };
        let sets = tempfile::tempdir().unwrap();
        let svhn = sets.path().join("svhn");
        let of_its_own = sets.path().join(EXTRA_SET);
        std::fs::create_dir(&svhn).unwrap();
        std::fs::create_dir(&of_its_own).unwrap();
        std::fs::write(svhn.join(FILE), file(2, &[1, 2])).unwrap();
        let error = read_folder(&svhn, true).unwrap_err().to_string();
        assert!(error.contains("minimax data fetch svhn-extra"), "{error}");

        std::fs::write(of_its_own.join(EXTRA), file(3, &[3, 4, 10])).unwrap();
        let labels = |folder: &Path, extra| read_folder(folder, extra).unwrap().unwrap().labels;
        assert_eq!(labels(&svhn, true), [1, 2, 3, 4, 0]);
        assert_eq!(labels(&svhn, false), [1, 2]);
        assert_eq!(labels(&of_its_own, false), [3, 4, 0]);
        // The folder's own file comes before that of the set.
        std::fs::write(svhn.join(EXTRA), file(1, &[9])).unwrap();
        assert_eq!(labels(&svhn, true), [1, 2, 9]);
        std::fs::write(svhn.join(EXTRA), order.file(&[x(order, 1)])).unwrap();
        let error = read_folder(&svhn, true).unwrap_err().to_string();
        assert!(error.contains("the other has none"), "{error}");
    }

    #[test]
    fn what_is_not_svhn_is_one_line() {
        let order = ORDERS[0];
        let y = |sizes: &[u32], values: &[u8]| order.array(UINT8_CLASS, "y", sizes, U8, values);
        let x_of = |sizes: &[u32], kind: u32, bytes: usize| order.array(UINT8_CLASS, "X", sizes, kind, &vec![0; bytes]);
        let good = y(&[2, 1], &[1, 2]);
        for (elements, what) in [
            (vec![], "holds no numeric array X"),
            (vec![good.clone()], "holds no numeric array X"),
            (vec![x(order, 2), y(&[0, 1], &[])], "0 labels for 2 images"),
            (vec![x(order, 3), good.clone()], "2 labels for 3 images"),
            (vec![x_of(&[32, 32, 3, 0], U8, 0), good.clone()], "holds no images"),
            (vec![x_of(&[2, 2, 3, 1], U8, 12), good.clone()], "X is U8 [2, 2, 3, 1], not U8 [32, 32, 3, n]"),
            (vec![x_of(&[32, 32, 3, 1], U16, 6144), good], "X is U16 [32, 32, 3, 1]"),
            (vec![y(&[2, 2], &[1; 4])], "y has sizes [2, 2]"),
            (vec![y(&[1, 3], &[1, 2, 11])], "the label of image 3 is 11, not 1 to 10"),
            (vec![order.array(DOUBLE_CLASS, "y", &[1, 1], F64, &order.doubles(&[f64::NAN]))], "is NaN"),
            (vec![order.array(DOUBLE_CLASS, "y", &[1, 1], F64, &order.doubles(&[1.5]))], "is 1.5"),
        ] {
            let error = read_bytes(&order.file(&elements)).expect_err(what).to_string();
            assert!(error.starts_with("some/train_32x32.mat: "), "{error}");
            assert!(error.contains(what), "{what}: {error}");
            assert!(error.contains("; ") && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_folder_without_the_file_is_another_format() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read_folder(folder.path(), false).unwrap(), None);
        std::fs::write(folder.path().join(FILE), b"MATLAB").unwrap();
        let error = read_folder(folder.path(), false).unwrap_err().to_string();
        assert!(error.contains("train_32x32.mat: cut short"), "{error}");
    }
}
