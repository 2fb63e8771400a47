//! Data sets of small images: where they come from and how batches are cut from them.
//!
//! [`open`] takes a name, a folder or a file and gives [`Images`]; [`Batches`] cuts them into training
//! batches. Points of the plane, which are no images, are in [`plane`].

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

/// A data set in memory, one byte a value.
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
    /// When `index` is not below [`len`](Images::len).
    pub fn image(&self, index: usize) -> &[u8] {
        &self.pixels[index * self.image_len()..][..self.image_len()]
    }

    /// The images in order, `count` at a time, the last maybe fewer: for a test set.
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

/// What is asked of a data set beside its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Draws the built-in digits; nothing else depends on it.
    pub seed: u64,
    /// The [height, width, channels] that pictures of a folder or a .zip are brought to; without it they
    /// take the first one's. The other formats have one size and keep it, so that whoever needs a
    /// certain one compares.
    pub size: Option<[usize; 3]>,
    /// What pictures lie over where they are transparent: [red, green, blue]; default: black.
    pub background: [u8; 3],
    /// With SVHN's training set, the images of [`svhn::EXTRA`] too.
    pub extra: bool,
}

/// A data set that has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Its images.
    pub images: Images,
    /// What a person should know of it, a line each: what was passed over, and what was done to pictures
    /// to make them fit.
    pub notes: Vec<String>,
}

impl From<Images> for Opened {
    fn from(images: Images) -> Opened {
        Opened { images, notes: Vec::new() }
    }
}

/// The most bytes that a set may have, so that a few forged words (or a bomb of compressed data behind
/// them) can't exhaust the memory. SVHN's largest file holds 1.6 GB.
const LARGEST: u64 = u32::MAX as u64;

/// The fix of every damaged file.
const AGAIN: &str = "download it again";

/// What reading `path` said, told apart: the file is bad, or the system refused.
fn damage(path: &Path, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Error::data(path, "cut short", AGAIN),
        // flate2's kinds for a stream that isn't deflate and for a checksum that is wrong.
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            let what = format!("damaged compressed data ({})", brief(&error.to_string()));
            Error::data(path, what, AGAIN)
        }
        _ => Error::io(path)(error),
    }
}
