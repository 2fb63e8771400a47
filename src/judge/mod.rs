//! The judge of samples: a classifier that is trained once on the training images of a data set. Its features and
//! classes of generated images are compared with those of real ones.
//!
//! | file | what |
//! |---|---|
//! | `spec.rs` | how a judge is made: its network and training, which `recipes/judges/*.toml` describe |
//! | `classifier.rs` | images to features and classes |
//! | `training.rs` | how a judge is trained |
//! | `shift.rs` | how training images are moved at random |
//! | `verdict.rs` | what a judge says about samples |
//! | `score.rs` | the few figures that a run asks for as it goes |
//! | `stacked.rs` | both of these for stacked digits |
//! | `file.rs` | the file of a judge, so that figures of different days come from the same judge |

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
    /// The name of the set.
    pub data: String,
    /// The SHA-256 sum of the pixels and labels of the set's images. Test images are included only if they were held
    /// out of these.
    pub sum: String,
    /// The number of training images.
    pub training: usize,
    /// The number of test images.
    pub test: usize,
    /// The number of test images that it classifies correctly.
    pub right: usize,
}

impl Judge {
    /// Whether it was trained on the set of these `images`, which are compared as in [`About::sum`].
    pub fn is_of(&self, images: &Images) -> bool {
        self.about.sum == training::sum_of(images)
    }

    /// Checks that it can judge `images`: that it knows their size and their classes.
    ///
    /// # Errors
    /// A message that says why it can't.
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

/// Which of a judge's `classes` exist: those of a set's `labels`, or all if it has none. Those that the judge has
/// `seen` count too, as it may see a class of which the set has no image.
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

    /// The share of test images that it classifies correctly.
    pub fn accuracy(&self) -> f64 {
        self.right as f64 / self.test as f64
    }
}
