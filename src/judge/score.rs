//! What a run asks of its judge each time: a few figures that cost little.

use super::classifier::Seen;
use super::verdict::picked;
use super::{Judge, known};
use crate::data::Images;
use crate::metrics::{ClassShares, Modes, Moments, Points, frechet_distance, largest};

/// How good the samples of one state of a generator are.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// The Frechet distance of the samples' features from those of all training images; the lower, the better.
    pub frechet_distance: f64,
    /// The mean probability of each image's likeliest class; low for blobs, which clearly belong to no class.
    pub confidence: f64,
    /// How many samples are of each class; for stacked images, how many planes.
    pub classes: ClassShares,
    /// The share of the samples that are of the class that was asked for, if the game is conditional.
    pub asked_class: Option<f64>,
    /// The modes among the samples, if they are stacked images.
    pub modes: Option<Modes>,
}

impl Judge {
    /// Scores `images`, `[n, h, w, c]` of the judge's size. `asked` has the class that each was to be of, or is empty.
    /// The classes are those of the `training` images.
    ///
    /// # Panics
    /// If there are fewer than two images, they have another size, or `asked` has another length.
    pub fn score(&mut self, images: &[u8], asked: &[u16], training: &Images) -> Score {
        let seen = self.classifier.see(images);
        let (_, width) = self.classifier.spec().features();
        let labels = training.labels.iter().map(|&label| usize::from(label));
        let known = known(self.classifier.spec().classes(), labels, [&seen]);
        Score { asked_class: asked_class(&seen, asked), ..self.score_of(&seen, &self.reference, width, known) }
    }

    /// The score of images as the judge has `seen` them, `width` features each.
    pub(super) fn score_of(&self, seen: &Seen, reference: &Moments, width: usize, known: Vec<bool>) -> Score {
        let classes = self.classifier.spec().classes();
        let largest = largest(&seen.probabilities, classes);
        Score {
            frechet_distance: frechet_distance(reference, &Moments::of(&Points::of(&seen.features, width))),
            confidence: largest.iter().sum::<f64>() / largest.len() as f64,
            classes: ClassShares::of(seen.classes.iter().map(|&class| usize::from(class)), known),
            asked_class: None,
            modes: None,
        }
    }

    /// The score of `count` `test` images, or of all if there are fewer: the floor for the score of as many samples.
    ///
    /// # Panics
    /// As [`Judge::score`].
    pub fn floor(&mut self, test: &Images, count: usize, training: &Images) -> Score {
        let seed = self.classifier.spec().training.seed;
        let (images, labels) = picked(test, count.min(test.len()), seed);
        self.score(&images, &labels, training)
    }
}

/// The share of the images that a judge has `seen` as the class that was `asked` for; `None` if no classes were.
///
/// # Panics
/// If the number of classes differs from that of images.
pub(super) fn asked_class(seen: &Seen, asked: &[u16]) -> Option<f64> {
    let right = are_right(seen, asked)?;
    Some(right.iter().sum::<f64>() / right.len() as f64)
}

/// 1 for each image that is seen as the class that was asked for, 0 for each other; otherwise as [`asked_class`].
pub(super) fn are_right(seen: &Seen, asked: &[u16]) -> Option<Vec<f64>> {
    if asked.is_empty() {
        return None;
    }
    let found = &seen.classes;
    assert!(asked.len() == found.len(), "judge: {} classes asked for, {} images", asked.len(), found.len());
    let right = |(found, asked): (_, &u16)| f64::from(u8::from(usize::from(*asked) == found));
    Some(found.iter().map(|&class| usize::from(class)).zip(asked).map(right).collect())
}
