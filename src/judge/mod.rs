//! The judge of samples: a classifier of the set's classes, trained on its training images once and for all, whose
//! features and classes of generated images are held against those of real ones.
//!
//! | file | what |
//! |---|---|
//! | `spec.rs` | how a judge is made: its network and training, as `recipes/judges/*.toml` say them |
//! | `classifier.rs` | images to features and classes |
//! | `training.rs` | how one is trained |
//! | `shift.rs` | what becomes of images on the way there |
//! | `verdict.rs` | what one says of samples |
//! | `score.rs` | the few figures of it that a run asks for as it goes |
//! | `stacked.rs` | both, of stacked digits |
//! | `file.rs` | the file that keeps one, so that figures of different days are of one judge |

mod classifier;
mod file;
mod score;
mod shift;
mod spec;
mod stacked;
mod training;
mod verdict;

pub use classifier::{Classifier, Seen};
pub use file::{about, built_in, file_name, load, load_or, parse, parse_or, save};
pub use score::Score;
pub use spec::JudgeSpec;
pub use stacked::MODES_FOUND;
pub use training::{Progress, check, train};
pub use verdict::{Better, FEWEST, Pair, Row, Verdict};

use crate::data::Images;
use crate::metrics::Moments;

/// A trained judge.
pub struct Judge {
    /// From images to features and classes.
    pub classifier: Classifier,
    /// The features of all training images.
    pub reference: Moments,
    /// What it was trained on, and how well it does.
    pub about: About,
}

/// What a judge was trained on, and how well it does.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// The set as it was named.
    pub data: String,
    /// The SHA-256 sum of its images' pixels and labels, test images left out that are not held out of them.
    pub sum: String,
    /// Training images.
    pub training: usize,
    /// Test images.
    pub test: usize,
    /// Test images that it is right about.
    pub right: usize,
}

impl Judge {
    /// Whether it was trained on the set of these `images`, test images left out that are not held out of them.
    pub fn is_of(&self, images: &Images) -> bool {
        self.about.sum == training::sum_of(images)
    }

    /// Whether it knows `images`, their size and their classes.
    ///
    /// # Errors
    /// Why it doesn't, in words.
    pub fn check(&self, images: &Images) -> Result<(), String> {
        let spec = self.classifier.spec();
        let (takes, found) = (&spec.network.input, [images.height, images.width, images.channels]);
        if takes[..] != found {
            return Err(format!("judges images of {takes:?}, not of {found:?}"));
        }
        match images.labels.iter().find(|&&label| usize::from(label) >= spec.classes()) {
            Some(label) => Err(format!("judges {} classes, of which label {label} is none", spec.classes())),
            None => Ok(()),
        }
    }
}

/// Which of a judge's `classes` there are: those of a set's `labels`, or all where it has none; and those that the judge has
/// `seen`, as it may see one that the set has none of.
fn known<'a>(
    classes: usize,
    labels: impl Iterator<Item = usize>,
    seen: impl IntoIterator<Item = &'a Seen>,
) -> Vec<bool> {
    let mut known = vec![false; classes];
    labels.for_each(|label| known[label] = true);
    if !known.contains(&true) {
        known.fill(true);
    }
    seen.into_iter().flat_map(|seen| &seen.classes).for_each(|&class| known[usize::from(class)] = true);
    known
}

impl About {
    /// Whether the numbers can be those of a judge.
    fn check(&self) -> Result<(), String> {
        match self.training < 2 || self.test == 0 || self.right > self.test {
            true => Err(format!("says that it is right about {} of {} images", self.right, self.test)),
            false => Ok(()),
        }
    }

    /// The share of test images that it is right about.
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.test as f64
    }
}
