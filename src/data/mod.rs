//! Data sets of small images: where they come from and how batches are cut from them.
//!
//! [`open`] reads a set by its name, its folder or its file and gives [`Images`]; [`Batches`] cuts them into training
//! batches. Points of the plane, which are not images, are in [`plane`].

mod balanced;
mod batches;
pub mod digits;
mod flip;
pub mod folder;
pub mod idx;
pub mod picture;
pub mod pixels;
mod room;

#[cfg(feature = "gan")]
pub mod cifar;
#[cfg(feature = "gan")]
pub mod floats;
#[cfg(feature = "gan")]
pub mod matlab;
#[cfg(feature = "gan")]
pub mod numpy;
#[cfg(feature = "gan")]
mod open;
#[cfg(feature = "gan")]
pub mod place;
#[cfg(feature = "gan")]
pub mod plane;
#[cfg(feature = "gan")]
mod semi_supervised;
#[cfg(feature = "gan")]
mod split;
#[cfg(feature = "gan")]
pub mod stacked;
#[cfg(feature = "gan")]
pub mod sum;
#[cfg(feature = "gan")]
pub mod svhn;

#[cfg(feature = "app")]
pub mod fetch;
#[cfg(feature = "app")]
pub mod manifest;
#[cfg(feature = "app")]
pub mod verify;

pub use batches::{Batch, Batches, LastBatch};
#[cfg(feature = "gan")]
pub use open::{DIGITS, is_same_set, open, open_path, open_test};
#[cfg(feature = "gan")]
pub use semi_supervised::{Parts, SemiSupervised};
#[cfg(feature = "gan")]
pub use split::{Split, open_split, test_images};

use crate::Error;
use crate::terminal::brief;
use std::io;
use std::path::Path;

/// A data set in memory, with one byte for each value.
///
/// ```
/// use minimax::data::{Images, digits};
///
/// let set: Images = digits::render(100, 1);
/// assert_eq!((set.len(), set.size(), set.classes()), (100, [28, 28, 1], 10));
/// assert_eq!(set.image(0).len(), 28 * 28);
/// let sizes: Vec<usize> = set.in_order(32).map(|batch| batch.len()).collect();
/// assert_eq!(sizes, [32, 32, 32, 4]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// Rows of an image, at least 1.
    pub height: usize,
    /// Columns of an image, at least 1.
    pub width: usize,
    /// 1 (grey) or 3 (red, green, blue).
    pub channels: usize,
    /// `[n, height, width, channels]`, row-major.
    pub pixels: Vec<u8>,
    /// The class of each image, `[n]`, or empty where the set has none.
    pub labels: Vec<u16>,
}

impl Images {
    /// How many images there are.
    pub fn len(&self) -> usize {
        self.pixels.len() / self.image_len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// `[height, width, channels]` of an image.
    pub fn size(&self) -> [usize; 3] {
        [self.height, self.width, self.channels]
    }

    /// The bytes of one image: height · width · channels.
    pub fn image_len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Image `index` as `[height, width, channels]`.
    ///
    /// # Panics
    /// If `index` is not below [`len`](Images::len).
    pub fn image(&self, index: usize) -> &[u8] {
        &self.pixels[index * self.image_len()..][..self.image_len()]
    }

    /// The images in order, as batches of `count`, the last of which may be smaller: for a test set.
    ///
    /// # Panics
    /// If `count` is 0.
    pub fn in_order(&self, count: usize) -> impl Iterator<Item = Batch<'_>> {
        let size = self.size();
        let pixels = self.pixels.chunks(count.saturating_mul(self.image_len()));
        pixels.enumerate().map(move |(i, pixels)| {
            let labels = self.labels.chunks(count).nth(i).unwrap_or(&[]);
            Batch { size, pixels, labels }
        })
    }

    /// How many different labels there are; 0 where the set has none.
    pub fn classes(&self) -> usize {
        let labels: std::collections::BTreeSet<u16> = self.labels.iter().copied().collect();
        labels.len()
    }
}

/// What [`open`] is asked for besides the name of a set.
///
/// ```
/// use minimax::data::Wanted;
///
/// let wanted = Wanted { size: Some([32, 32, 3]), ..Wanted::default() };
/// assert_eq!((wanted.seed, wanted.background), (0, [0, 0, 0]));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The seed of the built-in digits; nothing else depends on it.
    pub seed: u64,
    /// The [height, width, channels] to which the pictures of a folder or a .zip are brought; default: those of the
    /// first picture. The other formats have one size, which they keep: a caller that needs a certain size must
    /// compare.
    pub size: Option<[usize; 3]>,
    /// The colour behind the transparent parts of pictures: [red, green, blue]; default: black.
    pub background: [u8; 3],
    /// With SVHN's training set, the images of [`svhn::EXTRA`] too.
    pub extra: bool,
}

/// A data set that has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Its images.
    pub images: Images,
    /// What a person should know about the set, one line each: which files were passed over, and what was done to
    /// pictures to make them fit.
    pub notes: Vec<String>,
}

impl From<Images> for Opened {
    fn from(images: Images) -> Opened {
        Opened { images, notes: Vec::new() }
    }
}

/// The most bytes that a set may have, so that neither a forged header nor a bomb of compressed data can exhaust the
/// memory. SVHN's largest file holds 1.6 GB.
const LARGEST: u64 = u32::MAX as u64;

/// What to do about a damaged file.
const AGAIN: &str = "download it again";

/// The error for what went wrong in reading `path`: either the file is damaged, or the system refused to read it.
fn damage(path: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::data(path, "cut short", AGAIN),
        // flate2 gives these kinds for a stream that isn't deflate and for a wrong checksum.
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            let what = format!("damaged compressed data ({})", brief(&error.to_string()));
            Error::data(path, what, AGAIN)
        }
        _ => Error::io(path)(error),
    }
}
