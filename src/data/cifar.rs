//! CIFAR-10's binary version (Krizhevsky, "Learning multiple layers of features from tiny images",
//! 2009): files `data_batch_1.bin` to `data_batch_5.bin`, each of up to 10,000 records.
//!
//! ```text
//! record  label (0 to 9), then 32 · 32 bytes of red, as many of green, as many of blue: 3073 bytes
//! ```

use super::{AGAIN, Images, damage};
use crate::{Error, Result};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

const SIDE: usize = 32;
const PLANE: usize = SIDE * SIDE;
const RECORD: usize = 1 + 3 * PLANE;
const CLASSES: u8 = 10;

/// The records of a whole batch, more than which none may have.
const BATCH: usize = 10_000;

/// The training images in `folder`, of whichever batches are there, or `None` where none is.
///
/// # Errors
/// As [`read_batch`], and [`Error::Io`] where a file can't be opened.
pub fn read_folder(folder: &Path) -> Result<Option<Images>> {
    let batches: Vec<PathBuf> = (1..=5)
        .map(|batch| folder.join(format!("data_batch_{batch}.bin")))
        .filter(|path| path.is_file())
        .collect();
    if batches.is_empty() {
        return Ok(None);
    }
    let mut set = no_images();
    for path in &batches {
        let file = crate::files::open(path)?;
        read_batch(path, BufReader::new(file), &mut set)?;
    }
    Ok(Some(set))
}

/// A set of this format without an image, for [`read_batch`] to add to.
pub fn no_images() -> Images {
    Images {
        height: SIDE,
        width: SIDE,
        channels: 3,
        pixels: Vec::new(),
        labels: Vec::new(),
    }
}

/// Adds the images of one batch to `set`; `path` only names it in errors.
///
/// # Errors
/// [`Error::Data`] where it isn't 1 to 10,000 whole records, or has a label above 9.
pub fn read_batch(path: &Path, mut source: impl Read, set: &mut Images) -> Result<()> {
    let mut record = Vec::with_capacity(RECORD);
    for count in 0.. {
        record.clear();
        let read = source.by_ref().take(RECORD as u64).read_to_end(&mut record);
        let what = match read.map_err(|error| damage(path, error))? {
            0 if count == 0 => "the file is empty".into(),
            0 => break,
            RECORD if count == BATCH => format!("more than {BATCH} records of {RECORD} bytes"),
            RECORD if record[0] >= CLASSES => {
                format!("record {} has label {}, not 0 to 9", count + 1, record[0])
            }
            RECORD => {
                set.labels.push(record[0]);
                let (red, planes) = record[1..].split_at(PLANE);
                let (green, blue) = planes.split_at(PLANE);
                let pixels = (0..PLANE).flat_map(|at| [red[at], green[at], blue[at]]);
                set.pixels.extend(pixels);
                continue;
            }
            extra => format!("{extra} bytes after {count} records of {RECORD} bytes"),
        };
        return Err(Error::data(path, what, AGAIN));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A record whose planes are r, g and b, with the first pixel of each one higher.
    fn record(label: u8, colour: [u8; 3]) -> Vec<u8> {
        let mut bytes = vec![label];
        for value in colour {
            bytes.push(value + 1);
            bytes.extend([value; PLANE - 1]);
        }
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Images> {
        let mut set = no_images();
        read_batch(Path::new("some/data_batch_1.bin"), bytes, &mut set)?;
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
    }

    #[test]
    fn every_kind_of_damage_is_one_line() {
        let good = record(3, [0; 3]);
        for (bytes, what) in [
            (vec![], "the file is empty"),
            (good[..100].to_vec(), "100 bytes after 0 records of 3073"),
            (
                [&good[..], &[1, 2]].concat(),
                "2 bytes after 1 records of 3073",
            ),
            (
                [good, record(10, [0; 3])].concat(),
                "record 2 has label 10, not 0 to 9",
            ),
            (
                vec![0; RECORD * (BATCH + 1)],
                "more than 10000 records of 3073 bytes",
            ),
        ] {
            let error = read(&bytes).expect_err(what).to_string();
            let expected = format!("some/data_batch_1.bin: {what}");
            assert!(error.starts_with(&expected), "{error}");
            assert!(error.contains("; ") && !error.contains('\n'), "{error}");
        }
        assert_eq!(read(&vec![0; RECORD * BATCH]).unwrap().len(), BATCH);
    }
}
