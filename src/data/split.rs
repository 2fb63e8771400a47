//! A set in two: images to train on, and others to test with.

use super::{Images, Opened, Wanted, open, open_test};
use crate::{Error, Result};
use std::sync::Arc;

/// Of how many images one is held out where a set has no test images of its own.
const HELD_OUT: usize = 10;

/// A set in two parts without an image in common.
pub struct Split {
    /// The whole set as it was opened, without test images of its own.
    pub whole: Arc<Images>,
    /// To train on: all of that, or what was not held out.
    pub training: Arc<Images>,
    /// To test with.
    pub test: Images,
    /// What a person should know of them, a line each.
    pub notes: Vec<String>,
}

/// The set that [`open`] opens by that name and its test images; where it has none, every tenth image is held out in
/// their place.
///
/// # Errors
/// As [`open`] and [`test_images`].
pub fn open_split(name_or_path: &str, wanted: &Wanted) -> Result<Split> {
    let Opened { images, mut notes } = open(name_or_path, wanted)?;
    let whole = Arc::new(images);
    if let Some(test) = open_test(name_or_path, wanted, usize::MAX)? {
        check_size(name_or_path, &whole, &test)?;
        return Ok(Split { training: Arc::clone(&whole), whole, test, notes });
    }
    notes.push(format!("no test images of its own, so every {HELD_OUT}th image is held out as one"));
    let training = Arc::new(part(&whole, |index| !is_held_out(index)));
    Ok(Split { training, test: held_out(name_or_path, &whole)?, whole, notes })
}

/// The test images of the set whose `images` have been opened by that name: its own, of which there are at most `most`
/// where they have to be drawn, or every tenth of `images`.
///
/// # Errors
/// As [`open_test`], and [`Error::Data`] where they are of another size or there are too few to hold any out.
pub fn test_images(name_or_path: &str, wanted: &Wanted, images: &Images, most: usize) -> Result<Images> {
    match open_test(name_or_path, wanted, most)? {
        Some(test) => check_size(name_or_path, images, &test).map(|()| test),
        None => held_out(name_or_path, images),
    }
}

fn check_size(name_or_path: &str, images: &Images, test: &Images) -> Result<()> {
    let [size, found] = [images, test].map(|images| [images.height, images.width, images.channels]);
    match size == found {
        true => Ok(()),
        false => {
            let what = format!("has test images of {found:?} beside images of {size:?}");
            Err(Error::data(name_or_path, what, "take both from one source"))
        }
    }
}

fn held_out(name_or_path: &str, images: &Images) -> Result<Images> {
    if images.len() < HELD_OUT {
        let what = format!("has {} images, too few to hold any out for a test", images.len());
        return Err(Error::data(name_or_path, what, format!("give at least {HELD_OUT}")));
    }
    Ok(part(images, is_held_out))
}

fn is_held_out(index: usize) -> bool {
    index % HELD_OUT == HELD_OUT - 1
}

/// The images that `is_meant` says, by their place.
fn part(images: &Images, is_meant: impl Fn(usize) -> bool) -> Images {
    let places: Vec<usize> = (0..images.len()).filter(|&index| is_meant(index)).collect();
    Images {
        pixels: places.iter().flat_map(|&index| images.image(index)).copied().collect(),
        labels: places.iter().filter_map(|&index| images.labels.get(index)).copied().collect(),
        ..*images
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_test_images_gives_every_tenth_image() {
        let folder = tempfile::tempdir().unwrap();
        let pixels: Vec<u8> = (0..25).collect();
        let mut header = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        header.extend(format!("{:117}\n", "{'descr': '|u1', 'fortran_order': False, 'shape': (25, 1, 1), }").bytes());
        let path = folder.path().join("images.npy");
        std::fs::write(&path, [header, pixels].concat()).unwrap();
        let split = open_split(path.to_str().unwrap(), &Wanted::default()).unwrap();
        assert_eq!(split.test.pixels, [9, 19]);
        assert_eq!((split.training.len(), split.training.pixels[9], split.notes.len()), (23, 10, 1));
    }

    #[test]
    fn the_digits_of_both_parts_differ() {
        let split = open_split(super::super::DIGITS, &Wanted::default()).unwrap();
        assert_eq!((split.training.len(), split.test.len(), split.notes.len()), (10_000, 10_000, 0));
        assert_ne!(split.training.image(0), split.test.image(0));
    }
}
