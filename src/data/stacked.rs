//! Stacked MNIST: three random digits as the red, green and blue planes of one image (Metz, Poole, Pfau and
//! Sohl-Dickstein 2017; Srivastava, Valkov, Russell, Gutmann and Sutton 2017). There are 1,000 modes, so that those
//! that a generator leaves out can be counted.
//!
//! ```text
//! plane p of image i = image below(n, word 3 i + p) of the set that is stacked, of n images
//! label              = 100 red + 10 green + blue
//! ```
//!
//! Which digits make an image is a pure function of the image's number: the set is the same for everybody, whatever a
//! run's seed. `stacked-mnist` is made of MNIST; `stacked:SET` is made of any other set of grey images with labels
//! below 10, given by its name, its folder or its file.

use super::open::check_there;
use super::{Images, Opened, Wanted, open_split};
use crate::random::{Purpose, Random};
use crate::{Error, Result};
use rayon::prelude::*;

/// The name of the set whose digits are MNIST's.
pub const STACKED_MNIST: &str = "stacked-mnist";
/// What precedes the name of the set that is stacked, if it isn't MNIST.
pub const PREFIX: &str = "stacked:";

/// The number of training images, as in the papers: 301 MB at MNIST's size.
pub const TRAINING: usize = 128_000;
/// The number of test images: as many as the samples among which the papers count modes.
pub const TEST: usize = 26_000;

/// The number of planes of an image.
pub const PLANES: usize = 3;
/// The number of labels of a plane, which count from 0.
pub const DIGITS: usize = 10;
/// The number of modes, which are the labels of images.
pub const MODES: usize = 1000;

/// The random numbers that choose the digits of an image.
const COMPOSITION: Purpose = Purpose::new(12);
/// The seeds of the training images' composition and of the test images'.
const SEEDS: [u64; 2] = [1, 2];

/// The set whose images are the planes of the set `name`, or `None` if that isn't a stacked one.
pub fn planes_of(name: &str) -> Option<&str> {
    match name {
        STACKED_MNIST => Some("mnist"),
        _ => name.strip_prefix(PREFIX),
    }
}

/// The mode of an image with these digits in its planes.
///
/// # Panics
/// If a digit is above 9.
pub fn mode(digits: [u8; PLANES]) -> usize {
    assert!(digits.iter().all(|&digit| usize::from(digit) < DIGITS), "mode: {digits:?} are not all digits");
    digits.iter().fold(0, |mode, &digit| DIGITS * mode + usize::from(digit))
}

/// The planes of `images`, `[n, h, w, 3]`, as grey images, `[3 n, h, w, 1]`: red, green and blue of the first, then of
/// the next.
pub fn planes(images: &[u8], image_len: usize) -> Vec<u8> {
    let of = |image: &[u8], plane: usize| image.iter().skip(plane).step_by(PLANES).copied().collect::<Vec<u8>>();
    images.chunks(image_len).flat_map(|image| (0..PLANES).flat_map(move |plane| of(image, plane))).collect()
}

/// The training images whose planes are images of the set `planes`.
///
/// # Errors
/// As [`super::open`], and [`Error::Data`] if those images aren't grey or a label is above 9.
pub(super) fn open(planes: &str, wanted: &Wanted) -> Result<Opened> {
    check(planes)?;
    let Opened { images, notes } = super::open(planes, &wanted_of_planes(wanted))?;
    Ok(Opened { images: stack(planes, &images, TRAINING, SEEDS[0])?, notes })
}

/// As [`open`], for the test images, whose planes are test images of that set or images held out of it.
///
/// # Errors
/// As [`open`].
pub(super) fn open_test(planes: &str, wanted: &Wanted) -> Result<Images> {
    check(planes)?;
    let test = open_split(planes, &wanted_of_planes(wanted))?.test;
    stack(planes, &test, TEST, SEEDS[1])
}

/// Checks that the set `planes` may be stacked, as far as its name tells.
fn check(planes: &str) -> Result<()> {
    if planes_of(planes).is_some() {
        return Err(Error::data(planes, "is stacked itself", "stack a set of grey images"));
    }
    check_there(planes, &format!("as {PREFIX}FOLDER"))
}

/// What to ask of the set of planes if `wanted` is asked of the stacked set.
pub fn wanted_of_planes(wanted: &Wanted) -> Wanted {
    Wanted { size: wanted.size.map(|[height, width, _]| [height, width, 1]), ..*wanted }
}

/// `count` images with planes of `images`, of the set `planes`. The first images of a larger count are the same.
fn stack(planes: &str, images: &Images, count: usize, seed: u64) -> Result<Images> {
    if images.channels != 1 {
        let what = format!("has images of {} channels, which are not planes of others", images.channels);
        return Err(Error::data(planes, what, "stack a set of grey images"));
    }
    if let Some(label) = images.labels.iter().find(|&&label| usize::from(label) >= DIGITS) {
        let what = format!("has label {label}, and a stacked set tells labels 0 to {} apart", DIGITS - 1);
        return Err(Error::data(planes, what, "stack a set of at most ten classes"));
    }
    let words = Random::new(seed, COMPOSITION).words(PLANES * count);
    // Multiply-shift, as Random::below.
    let place = |word: &u32| ((u64::from(*word) * images.len() as u64) >> 32) as usize;
    let mut pixels = vec![0; count * PLANES * images.image_len()];
    pixels.par_chunks_exact_mut(PLANES * images.image_len()).zip(words.par_chunks(PLANES)).for_each(
        |(image, words)| {
            for (plane, word) in words.iter().enumerate() {
                let values = image.iter_mut().skip(plane).step_by(PLANES);
                values.zip(images.image(place(word))).for_each(|(to, &value)| *to = value);
            }
        },
    );
    let labels = match images.labels.is_empty() {
        true => Vec::new(),
        false => {
            let label = |word: &u32| images.labels[place(word)] as u8;
            words.chunks(PLANES).map(|words| mode([0, 1, 2].map(|plane| label(&words[plane]))) as u16).collect()
        }
    };
    Ok(Images { height: images.height, width: images.width, channels: PLANES, pixels, labels })
}

#[cfg(test)]
mod tests {
    use super::super::digits::render;
    use super::super::{open, open_split, open_test};
    use super::*;
    use rayon::ThreadPoolBuilder;
    use std::collections::HashMap;

    const STACKED_DIGITS: &str = "stacked:digits";

    #[test]
    fn modes_are_numbered_by_their_digits() {
        assert_eq!([mode([0, 0, 7]), mode([9, 8, 1]), mode([9, 9, 9])], [7, 981, MODES - 1]);
        assert_eq!([STACKED_MNIST, STACKED_DIGITS, "mnist"].map(planes_of), [Some("mnist"), Some("digits"), None]);
    }

    /// By the drawn digits, no two of which are alike: each plane is one of them, whose label is the plane's digit.
    #[test]
    fn a_label_is_of_the_digits_in_the_planes() {
        let digits = render(2000, 5);
        let label_of: HashMap<&[u8], u16> = (0..2000).map(|i| (digits.image(i), digits.labels[i])).collect();
        let stacked = stack("digits", &digits, 3000, 7).unwrap();
        assert_eq!((stacked.len(), stacked.labels.len()), (3000, 3000));
        assert_eq!((stacked.height, stacked.width, stacked.channels), (28, 28, 3));
        let planes = planes(&stacked.pixels, stacked.image_len());
        let found: Vec<u16> = planes.chunks(784).map(|plane| label_of[plane]).collect();
        for (digits, &label) in found.chunks(3).zip(&stacked.labels) {
            assert_eq!(100 * digits[0] + 10 * digits[1] + digits[2], label);
        }
        // Each digit has a tenth of each plane, give or take five standard deviations of 16.
        for plane in 0..3 {
            for digit in 0..10 {
                let count = found.iter().skip(plane).step_by(3).filter(|&&found| found == digit).count();
                assert!((218..382).contains(&count), "{count} times {digit} in plane {plane}");
            }
        }
        assert!(stacked.classes() > 900, "{} modes", stacked.classes());
    }

    #[test]
    fn the_composition_is_this_one_for_any_seed_of_a_run_and_any_number_of_threads() {
        let mnist = Images { height: 1, width: 1, channels: 1, pixels: (0..10).collect(), labels: (0..10).collect() };
        let stacked = stack("digits", &mnist, 4, SEEDS[0]).unwrap();
        assert_eq!(stacked.labels, FIRST);
        let digits = render(100, 1);
        let with = |threads| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| stack("digits", &digits, 500, 3).unwrap())
        };
        let one = with(1);
        assert!(one == with(2) && one == with(7));
        assert_eq!(stack("digits", &digits, 20, 3).unwrap().pixels, one.pixels[..20 * 2352]);
        assert_ne!(stack("digits", &digits, 20, 4).unwrap().pixels, one.pixels[..20 * 2352]);
    }

    /// What runs are trained and judged on must not change under them.
    const FIRST: [u16; 4] = [163, 313, 848, 347];

    #[test]
    fn a_set_is_opened_by_its_name_and_its_test_images_are_of_other_digits() {
        let wanted = Wanted { size: Some([28, 28, 3]), ..Wanted::default() };
        let Opened { images, .. } = open(STACKED_DIGITS, &wanted).unwrap();
        assert_eq!((images.len(), images.image_len(), images.classes()), (TRAINING, 2352, MODES));
        let split = open_split(STACKED_DIGITS, &wanted).unwrap();
        assert_eq!((split.whole.pixels == images.pixels, split.test.len()), (true, TEST));
        let digits = open_split("digits", &wanted).unwrap();
        let is_in = |set: &Images, plane: &[u8]| set.pixels.chunks(784).any(|image| image == plane);
        for plane in planes(&split.test.pixels[..9 * 2352], 2352).chunks(784) {
            assert!(is_in(&digits.test, plane) && !is_in(&digits.training, plane));
        }
    }

    #[test]
    fn what_cannot_be_stacked_is_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().to_str().unwrap();
        let colour = folder.path().join("data_batch_1.bin");
        std::fs::create_dir(&colour).unwrap();
        std::fs::write(colour.join("data_batch_1.bin"), [0; 10 * 3073]).unwrap();
        for (name, what) in [
            ("stacked:", "neither"),
            ("stacked:no/such/folder", "no/such/folder: neither"),
            (STACKED_MNIST, "minimax data fetch mnist, or give the folder of its files as stacked:FOLDER"),
            ("stacked:fashion-mnist", "minimax data fetch fashion-mnist, or give the folder of its files as stacked:"),
            ("stacked:stacked:digits", "stacked:digits: is stacked itself"),
            (&format!("stacked:{}", colour.display()), "has images of 3 channels, which are not planes"),
            (&format!("stacked:{place}"), "no data set in this folder"),
        ] {
            for opened in [
                open(name, &Wanted::default()),
                open_test(name, &Wanted::default()).map(|_| Opened::from(render(1, 1))),
            ] {
                let error = opened.expect_err(name).to_string();
                assert!(error.contains(what) && !error.contains('\n'), "{name}: {error}");
            }
        }
        let many = Images { height: 1, width: 1, channels: 1, pixels: vec![0; 2], labels: vec![3, 10] };
        let error = stack("mine", &many, 5, 1).unwrap_err().to_string();
        assert!(error.starts_with("mine: has label 10, "), "{error}");
        assert!(stack("mine", &Images { labels: Vec::new(), ..many }, 5, 1).unwrap().labels.is_empty());
    }
}
