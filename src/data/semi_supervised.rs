//! Batches for learning from few labels: from all images without their labels, and from the few that keep them.

use super::split::part;
use super::{Batch, Batches, Images, LastBatch};
use crate::Result;
use crate::random::{Purpose, Random};
use std::sync::Arc;
use std::time::Duration;

/// Random numbers that choose the images which keep their label.
const LABELLED: Purpose = Purpose::new(18);
/// Random numbers for the orders of the batches' parts, except the first.
const ORDERS: [Purpose; 3] = [Purpose::new(19), Purpose::new(20), Purpose::new(21)];

/// How many images each part of a batch has, in the order of the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// From all images, each once in an epoch.
    pub unlabelled: usize,
    /// The same, in another order.
    pub more_unlabelled: usize,
    /// From the images that keep their label.
    pub labelled: usize,
    /// The same, in another order.
    pub more_labelled: usize,
}

impl Parts {
    fn sizes(&self) -> [usize; 4] {
        [self.unlabelled, self.more_unlabelled, self.labelled, self.more_labelled]
    }
}

/// Batches of four parts; batch `step` is a pure function of (seed, step).
pub struct SemiSupervised {
    parts: [Batches; 4],
    pixels: Vec<u8>,
    labels: Vec<u16>,
}

impl SemiSupervised {
    /// Batches of these `parts` of `images`; `last` says what happens to the first part at the end of an epoch. `count`
    /// of the images keep their label, equally many of each of `classes` classes.
    ///
    /// # Errors
    /// If a class has too few images: the class, and how many it has.
    ///
    /// # Panics
    /// If a part is 0 or larger than the images it is taken from, or if a label is not a class.
    pub fn new(
        images: Arc<Images>,
        count: usize,
        classes: usize,
        parts: Parts,
        seed: u64,
        last: LastBatch,
    ) -> std::result::Result<SemiSupervised, (u16, usize)> {
        let labelled = Arc::new(part(&images, &labelled(&images.labels, count / classes, classes, seed)?));
        let sizes = parts.sizes();
        let batches = |of: &Arc<Images>, index: usize| {
            let (purpose, last) = match index {
                0 => (Purpose::SHUFFLE, last),
                _ => (ORDERS[index - 1], LastBatch::Drop),
            };
            Batches::in_order_of(Arc::clone(of), sizes[index], seed, last, purpose)
        };
        let parts = [batches(&images, 0), batches(&images, 1), batches(&labelled, 2), batches(&labelled, 3)];
        Ok(SemiSupervised { parts, pixels: Vec::new(), labels: Vec::new() })
    }

    /// All images.
    pub fn images(&self) -> &Images {
        self.parts[0].images()
    }

    /// The number of batches in which all images have been in the first part, at least 1.
    pub fn steps_per_epoch(&self) -> u64 {
        self.parts[0].steps_per_epoch()
    }

    /// As [`Batches::waited`].
    pub fn waited(&self) -> Duration {
        self.parts.iter().map(Batches::waited).sum()
    }

    /// Batch `step`, counted from 0; an image without a label has the label 0.
    ///
    /// # Errors
    /// As [`Batches::batch`].
    pub fn batch(&mut self, step: u64) -> Result<Batch<'_>> {
        self.pixels.clear();
        self.labels.clear();
        for (index, part) in self.parts.iter_mut().enumerate() {
            let Batch { pixels, labels, .. } = part.batch(step)?;
            self.pixels.extend(pixels);
            match index {
                0 | 1 => self.labels.resize(self.labels.len() + labels.len(), 0),
                _ => self.labels.extend(labels),
            }
        }
        Ok(Batch { size: self.images().size(), pixels: &self.pixels, labels: &self.labels })
    }
}

/// The indices of `of_each` random images of each class below `classes`.
///
/// # Errors
/// The first class that has fewer, and how many it has.
fn labelled(
    labels: &[u16],
    of_each: usize,
    classes: usize,
    seed: u64,
) -> std::result::Result<Vec<usize>, (u16, usize)> {
    let mut counts = vec![0; classes];
    let mut places = Vec::new();
    for place in Random::new(seed, LABELLED).permutation(labels.len()) {
        let count = &mut counts[usize::from(labels[place as usize])];
        if *count < of_each {
            *count += 1;
            places.push(place as usize);
        }
    }
    match counts.iter().position(|&count| count < of_each) {
        Some(class) => Err((class as u16, counts[class])),
        None => Ok(places),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 40 images of one byte, their number; of classes 0 to 3 in turn.
    fn batches(seed: u64) -> SemiSupervised {
        let images = Images {
            height: 1,
            width: 1,
            channels: 1,
            pixels: (0..40).collect(),
            labels: (0..40).map(|i| i % 4).collect(),
        };
        let parts = Parts { unlabelled: 10, more_unlabelled: 20, labelled: 8, more_labelled: 1 };
        SemiSupervised::new(Arc::new(images), 8, 4, parts, seed, LastBatch::Drop)
            .unwrap_or_else(|class| panic!("{class:?}"))
    }

    #[test]
    fn the_same_few_images_have_labels_in_every_batch() {
        let mut of_one = batches(3);
        assert_eq!(of_one.steps_per_epoch(), 4);
        let mut with_labels = Vec::new();
        let mut seen = [0; 40];
        for step in 0..8 {
            let Batch { pixels, labels, .. } = of_one.batch(step).unwrap();
            assert_eq!((pixels.len(), labels.len()), (39, 39));
            pixels[..10].iter().for_each(|&pixel| seen[usize::from(pixel)] += 1);
            assert_eq!(labels[..30], [0; 30]);
            let mut few = pixels[30..38].to_vec();
            assert!(pixels[30..].iter().zip(&labels[30..]).all(|(&pixel, &label)| u16::from(pixel) % 4 == label));
            assert!(few.contains(&pixels[38]));
            few.sort();
            with_labels.push(few);
        }
        assert_eq!(seen, [2; 40], "twice in two epochs");
        assert!(with_labels.iter().all(|few| *few == with_labels[0]));
        for class in 0..4 {
            assert_eq!(with_labels[0].iter().filter(|&&pixel| pixel % 4 == class).count(), 2);
        }
        // From the middle on, and of another seed.
        let sixth = of_one.batch(5).unwrap().pixels.to_vec();
        assert_eq!(batches(3).batch(5).unwrap().pixels, sixth);
        assert_ne!(batches(4).batch(5).unwrap().pixels, sixth);
    }

    #[test]
    fn a_class_with_too_few_images_is_named() {
        assert_eq!(labelled(&[0, 1, 2, 0, 1], 1, 4, 0), Err((3, 0)));
        assert_eq!(labelled(&[0, 1, 2, 0, 1], 2, 3, 0), Err((2, 1)));
        assert_eq!(labelled(&[0, 1, 2, 0, 1], 1, 3, 0).unwrap().len(), 3);
    }
}
