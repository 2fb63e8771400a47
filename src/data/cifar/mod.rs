//! The binary versions of CIFAR-10 and CIFAR-100 (Krizhevsky, "Learning multiple layers of features from
//! tiny images", 2009): files of records, in a folder or still in their .tar.gz.
//!
//! ```text
//! CIFAR-10   data_batch_1.bin to data_batch_5.bin of up to 10,000 records
//! CIFAR-100  train.bin of up to 50,000 records
//! record     a label (0 to 9); in CIFAR-100 a coarse one (0 to 19), then a fine one (0 to 99), the class;
//!            then 32 · 32 bytes of red, as many of green, as many of blue
//! ```

mod archive;

pub use archive::read_archive;

use super::{AGAIN, Images, damage};
use crate::{Error, Result};
use std::fs;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

const SIDE: usize = 32;
const PLANE: usize = SIDE * SIDE;

/// How one of the two sets is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The number of label bytes in a record; the last of them is the class.
    pub labels: usize,
    /// How many classes there are.
    pub classes: u8,
    /// The number of records in a whole file; none may have more.
    pub most: usize,
}

/// CIFAR-10's files.
pub const TEN: Layout = Layout { labels: 1, classes: 10, most: 10_000 };

/// CIFAR-100's file.
pub const HUNDRED: Layout = Layout { labels: 2, classes: 100, most: 50_000 };

impl Layout {
    /// The bytes of a record.
    pub fn record(self) -> usize {
        self.labels + 3 * PLANE
    }
}

/// CIFAR-10's file of test images, and CIFAR-100's.
const TESTS: [&str; 2] = ["test_batch.bin", "test.bin"];

/// CIFAR-100's file of training images, and one that its archive has beside it.
const TRAIN: &str = "train.bin";
const FINE_NAMES: &str = "fine_label_names.txt";

/// The archives, and the folders that unpacking them makes.
const ARCHIVES: [&str; 2] = ["cifar-10-binary.tar.gz", "cifar-100-binary.tar.gz"];
const FOLDERS: [&str; 2] = ["cifar-10-batches-bin", "cifar-100-binary"];

/// The names of the python versions, which are pickles, packed and unpacked.
const PICKLES: [&str; 5] =
    ["data_batch_1", "cifar-10-python.tar.gz", "cifar-10-batches-py", "cifar-100-python.tar.gz", "cifar-100-python"];

/// The training images in `folder`: from the batches that are there, from CIFAR-100's file, from an archive of either
/// set, or from the folder to which one unpacks; `None` if there is none of these.
///
/// # Errors
/// As [`read_batch`] and [`read_archive`], and [`Error::Io`] if a file can't be opened; [`Error::Data`] if there is
/// only a python version.
pub fn read_folder(folder: &Path) -> Result<Option<Images>> {
    if let Some(set) = read_files(folder)? {
        return Ok(Some(set));
    }
    for inner in FOLDERS {
        if let Some(set) = read_files(&folder.join(inner))? {
            return Ok(Some(set));
        }
    }
    let found = |names: &[&str]| names.iter().map(|name| folder.join(name)).find(|path| path.exists());
    if let Some(path) = found(&ARCHIVES) {
        let file = crate::files::open(&path)?;
        return read_archive(&path, BufReader::new(file)).map(Some);
    }
    match found(&PICKLES) {
        Some(path) => Err(pickle(&path)),
        None => Ok(None),
    }
}

/// The test images in `folder`, or in the folder to which an archive of either set unpacks; `None` if there are none.
/// They are not looked for in archives.
///
/// # Errors
/// As [`read_batch`], and [`Error::Io`] where the file can't be opened.
pub fn read_test(folder: &Path) -> Result<Option<Images>> {
    let folders = [folder.to_path_buf(), folder.join(FOLDERS[0]), folder.join(FOLDERS[1])];
    for folder in folders {
        let [ten, hundred] = TESTS.map(|name| folder.join(name));
        let (path, layout) = match ten.is_file() {
            true => (ten, TEN),
            false if hundred.is_file() && is_hundred(&folder, &folder.join(TRAIN)) => (hundred, HUNDRED),
            false => continue,
        };
        let mut set = no_images();
        read_batch(&path, BufReader::new(crate::files::open(&path)?), layout, &mut set)?;
        return Ok(Some(set));
    }
    Ok(None)
}

/// The images of the files themselves in `folder`.
fn read_files(folder: &Path) -> Result<Option<Images>> {
    let batches: Vec<PathBuf> =
        (1..=5).map(|batch| folder.join(format!("data_batch_{batch}.bin"))).filter(|path| path.is_file()).collect();
    let train = folder.join(TRAIN);
    let (paths, layout) = match batches.is_empty() {
        false => (batches, TEN),
        true if is_hundred(folder, &train) => (vec![train], HUNDRED),
        true => return Ok(None),
    };
    let mut set = no_images();
    for path in &paths {
        let file = crate::files::open(path)?;
        read_batch(path, BufReader::new(file), layout, &mut set)?;
    }
    Ok(Some(set))
}

/// Whether the file `train` is CIFAR-100's; other programs have files of that name too.
fn is_hundred(folder: &Path, train: &Path) -> bool {
    let whole = (HUNDRED.most * HUNDRED.record()) as u64;
    let bytes = fs::metadata(train).map(|file| if file.is_file() { file.len() } else { 0 });
    bytes.is_ok_and(|bytes| bytes == whole || bytes > 0 && folder.join(FINE_NAMES).is_file())
}

/// The error for a python version.
fn pickle(path: &Path) -> Error {
    let what = "CIFAR's python version, a pickle, which isn't read";
    let fix = "take the binary version: minimax data fetch cifar10, or the archive ...-binary.tar.gz of \
                https://www.cs.toronto.edu/~kriz/cifar.html";
    Error::data(path, what, fix)
}

/// A set of this format without an image, for [`read_batch`] to add to.
pub fn no_images() -> Images {
    Images { height: SIDE, width: SIDE, channels: 3, pixels: Vec::new(), labels: Vec::new() }
}

/// Adds the images of one batch to `set`; `path` only names it in errors.
///
/// # Errors
/// [`Error::Data`] if it doesn't consist of whole records, at least 1 and no more than `layout` allows, or has a label
/// that is too large.
pub fn read_batch(path: &Path, mut source: impl Read, layout: Layout, set: &mut Images) -> Result<()> {
    let (size, most, classes) = (layout.record(), layout.most, layout.classes);
    let mut record = Vec::with_capacity(size);
    for count in 0.. {
        record.clear();
        let read = source.by_ref().take(size as u64).read_to_end(&mut record);
        let what = match read.map_err(|error| damage(path, error))? {
            0 if count == 0 => "the file is empty".into(),
            0 => break,
            read if read < size => format!("{read} bytes after {count} records of {size} bytes"),
            _ if count == most => format!("more than {most} records of {size} bytes"),
            _ if record[layout.labels - 1] >= classes => {
                let (label, last) = (record[layout.labels - 1], classes - 1);
                format!("record {} has label {label}, not 0 to {last}", count + 1)
            }
            _ => {
                set.labels.push(u16::from(record[layout.labels - 1]));
                let (red, planes) = record[layout.labels..].split_at(PLANE);
                let (green, blue) = planes.split_at(PLANE);
                let pixels = (0..PLANE).flat_map(|at| [red[at], green[at], blue[at]]);
                set.pixels.extend(pixels);
                continue;
            }
        };
        return Err(Error::data(path, what, AGAIN));
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    #[test]
    fn the_hundred_classes_are_the_fine_labels() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let file = [vec![19], record(99, [1, 2, 3]), vec![0], record(7, [4, 5, 6])].concat();
        fs::write(path.join(TRAIN), &file).unwrap();
        // Some other program's.
        assert_eq!(read_folder(path).unwrap(), None);
        fs::write(path.join(FINE_NAMES), "apple\n").unwrap();
        let set = read_folder(path).unwrap().unwrap();
        assert_eq!((set.len(), set.labels), (2, vec![99, 7]));
        assert_eq!(set.pixels[..6], [2, 3, 4, 1, 2, 3]);
        fs::write(path.join(TRAIN), &file[..3075]).unwrap();
        let error = read_folder(path).unwrap_err().to_string();
        assert!(error.contains("1 bytes after 1 records of 3074"), "{error}");
    }

    #[test]
    fn a_folder_around_the_files_is_looked_through_and_a_pickle_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("data_batch_1"), b"\x80\x02}q\x01").unwrap();
        let error = read_folder(folder.path()).unwrap_err().to_string();
        assert!(error.contains("data_batch_1: CIFAR's python version, a pickle"), "{error}");
        assert!(error.contains("minimax data fetch cifar10"), "{error}");

        let inner = folder.path().join(FOLDERS[0]);
        fs::create_dir(&inner).unwrap();
        fs::write(inner.join("data_batch_1.bin"), record(4, [1, 2, 3])).unwrap();
        assert_eq!(read_folder(folder.path()).unwrap().unwrap().labels, [4]);
    }

    /// A record whose planes are r, g and b, with the first pixel of each one higher.
    pub fn record(label: u8, colour: [u8; 3]) -> Vec<u8> {
        let mut bytes = vec![label];
        for value in colour {
            bytes.push(value + 1);
            bytes.extend([value; PLANE - 1]);
        }
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Images> {
        let mut set = no_images();
        read_batch(Path::new("some/data_batch_1.bin"), bytes, TEN, &mut set)?;
        Ok(set)
    }

    #[test]
    fn the_batches_that_are_there_are_read_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        assert_eq!(read_folder(path).unwrap(), None);

        let second = [record(1, [4, 5, 6]), record(2, [7, 8, 9])].concat();
        fs::write(path.join("data_batch_5.bin"), second).unwrap();
        fs::write(path.join("data_batch_2.bin"), record(9, [1, 2, 3])).unwrap();
        fs::write(path.join("test_batch.bin"), record(0, [0; 3])).unwrap();
        let set = read_folder(path).unwrap().unwrap();
        assert_eq!((set.len(), set.image_len()), (3, 32 * 32 * 3));
        assert_eq!(set.labels, [9, 1, 2]);
        assert_eq!(set.image(0)[..6], [2, 3, 4, 1, 2, 3]);
        assert_eq!(set.image(2)[3069..], [7, 8, 9]);
        assert_eq!(read_test(path).unwrap().unwrap().labels, [0]);
    }

    #[test]
    fn every_kind_of_damage_is_one_line() {
        let good = record(3, [0; 3]);
        for (bytes, what) in [
            (vec![], "the file is empty"),
            (good[..100].to_vec(), "100 bytes after 0 records of 3073"),
            ([&good[..], &[1, 2]].concat(), "2 bytes after 1 records of 3073"),
            ([good, record(10, [0; 3])].concat(), "record 2 has label 10, not 0 to 9"),
            (vec![0; 3073 * 10_001], "more than 10000 records of 3073 bytes"),
        ] {
            let error = read(&bytes).expect_err(what).to_string();
            let expected = format!("some/data_batch_1.bin: {what}");
            assert!(error.starts_with(&expected), "{error}");
            assert!(error.contains("; ") && !error.contains('\n'), "{error}");
        }
        assert_eq!(read(&vec![0; 3073 * 10_000]).unwrap().len(), 10_000);
    }
}
