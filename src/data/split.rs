//! A set in two parts: images to train on, and others to test with.

use super::{Images, Opened, Wanted, open, open_test};
use crate::{Error, Result};
use std::collections::HashMap;
use std::sync::Arc;

/// Where a set has no test images of its own, one image in this many of each class is held out.
const HELD_OUT: usize = 10;

/// A set in two parts that have no image in common.
pub struct Split {
    /// The whole set as it was opened, without test images of its own.
    pub whole: Arc<Images>,
    /// The images to train on: the whole set, or those that were not held out.
    pub training: Arc<Images>,
    /// The images to test with.
    pub test: Images,
    /// What a person should know about the set, one line each.
    pub notes: Vec<String>,
    /// The index in the whole set of each image to train on, if some were held out.
    places: Option<Vec<usize>>,
}

impl Split {
    /// The index in the whole set of training image `index`, both counted from 0.
    ///
    /// # Panics
    /// If there are fewer training images.
    pub fn place_of(&self, index: usize) -> usize {
        self.places.as_ref().map_or(index, |places| places[index])
    }
}

/// The set that [`open`] opens by that name, with its test images. If it has none, every tenth image of each class is
/// held out instead.
///
/// # Errors
/// As [`open`] and [`test_images`].
pub fn open_split(name_or_path: &str, wanted: &Wanted) -> Result<Split> {
    let Opened { images, mut notes } = open(name_or_path, wanted)?;
    let whole = Arc::new(images);
    if let Some(test) = open_test(name_or_path, wanted)? {
        check_size(name_or_path, &whole, &test)?;
        return Ok(Split { training: Arc::clone(&whole), whole, test, notes, places: None });
    }
    let of_each = if whole.labels.is_empty() { "" } else { " of each class" };
    notes.push(format!("no test images of its own, so every {HELD_OUT}th image{of_each} is held out for testing"));
    let [places, test] = hold_out(name_or_path, &whole)?;
    let [training, test] = [&places, &test].map(|places| part(&whole, places));
    Ok(Split { training: Arc::new(training), test, whole, notes, places: Some(places) })
}

/// The test images of the set whose `images` have been opened by that name: its own, or every tenth of each class of
/// `images`.
///
/// # Errors
/// As [`open_test`], and [`Error::Data`] if the test images have another size or there are too few images to hold any
/// out.
pub fn test_images(name_or_path: &str, wanted: &Wanted, images: &Images) -> Result<Images> {
    match open_test(name_or_path, wanted)? {
        Some(test) => check_size(name_or_path, images, &test).map(|()| test),
        None => hold_out(name_or_path, images).map(|[_, test]| part(images, &test)),
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

/// The indices of `images` in two parts: those to train on, and every tenth of each class, in the order of the set.
fn hold_out(name_or_path: &str, images: &Images) -> Result<[Vec<usize>; 2]> {
    let mut seen = HashMap::new();
    let is_test = (0..images.len()).map(|index| {
        let of_class = seen.entry(images.labels.get(index)).or_insert(0);
        *of_class += 1;
        *of_class % HELD_OUT == 0
    });
    let is_test: Vec<bool> = is_test.collect();
    if !is_test.contains(&true) {
        let what = format!("has {} images, too few to hold any out for a test", images.len());
        return Err(Error::data(name_or_path, what, format!("give at least {HELD_OUT} of each class")));
    }
    Ok([false, true].map(|part| (0..images.len()).filter(|&index| is_test[index] == part).collect()))
}

/// The images with these indices.
pub(super) fn part(images: &Images, places: &[usize]) -> Images {
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
        assert_eq!([8, 9, 22].map(|index| split.place_of(index)), [8, 10, 24]);
    }

    /// As many of each class are held out, whatever the order of the images.
    #[test]
    fn a_set_whose_classes_take_turns_keeps_them_all_on_both_sides() {
        let images = |labels: Vec<u16>| Images {
            height: 1,
            width: 1,
            channels: 1,
            pixels: (0..labels.len()).map(|i| i as u8).collect(),
            labels,
        };
        for labels in [(0..100).map(|i| i % 10).collect::<Vec<u16>>(), (0..100).map(|i| i / 10).collect()] {
            let images = images(labels);
            let [training, test] = hold_out("mine", &images).unwrap().map(|places| part(&images, &places));
            assert_eq!((training.len(), test.len()), (90, 10));
            let mut held = test.labels.clone();
            held.sort();
            assert_eq!(held, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
            assert!(test.pixels.iter().all(|pixel| !training.pixels.contains(pixel)));
        }
        let error = hold_out("mine", &images((0..20).collect())).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("too few to hold any out") && error.ends_with("10 of each class"), "{error}");
    }

    #[test]
    fn the_digits_of_both_parts_differ() {
        let split = open_split(super::super::DIGITS, &Wanted::default()).unwrap();
        assert_eq!((split.training.len(), split.test.len(), split.notes.len()), (10_000, 10_000, 0));
        assert_ne!(split.training.image(0), split.test.image(0));
    }
}
