//! The input of a generator: latents and, if it is conditional, the class that each sample is to be of.

use super::model::FIXED_LATENTS;
use super::real::one_hot;
use crate::random::Random;
use crate::storage::Device;
use crate::tensor::Tensor;

/// The input of a generator, for some samples.
///
/// ```
/// use minimax::gan::latents::Latents;
///
/// let sevens = Latents::fixed(1, 16, 64).of_classes(&[7; 16], 10);
/// assert_eq!((sevens.count(), sevens.values().len()), (16, 16 * 64));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Latents {
    /// `[n, width]`.
    values: Vec<f32>,
    width: usize,
    /// `[n, classes]`, rows of probabilities; empty if there are no classes.
    labels: Vec<f32>,
    classes: usize,
}

impl Latents {
    /// The latents `values` `[n, width]`, without classes.
    ///
    /// # Panics
    /// If `values` doesn't consist of whole rows.
    pub fn new(values: Vec<f32>, width: usize) -> Latents {
        assert!(values.len().is_multiple_of(width), "latents: {} values in rows of {width}", values.len());
        Latents { values, width, labels: Vec::new(), classes: 0 }
    }

    /// `count` random latents of `width` values each, which depend on `seed` alone, so that the samples can be made
    /// again.
    pub fn fixed(seed: u64, count: usize, width: usize) -> Latents {
        let values = Random::new(seed, FIXED_LATENTS).normal(count * width);
        Latents::new(values.into_iter().map(|v| v as f32).collect(), width)
    }

    /// These latents for samples of these classes, each below `classes`.
    ///
    /// # Panics
    /// If the number of classes differs from that of latents, or one is not below `classes`.
    pub fn of_classes(self, asked: &[u16], classes: usize) -> Latents {
        self.labelled(one_hot(asked, classes), classes)
    }

    /// These latents for samples of mixtures of classes: `labels` `[n, classes]`, rows of probabilities.
    ///
    /// # Panics
    /// If the number of rows differs from that of latents.
    pub fn labelled(self, labels: Vec<f32>, classes: usize) -> Latents {
        assert!(labels.len() == self.count() * classes, "latents: {} labels for {}", labels.len(), self.count());
        Latents { labels, classes, ..self }
    }

    /// The number of samples.
    pub fn count(&self) -> usize {
        self.values.len() / self.width
    }

    /// The values, `[n, width]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Latents and labels as tensors, `count` rows at a time.
    pub(super) fn batches(&self, count: usize, device: Device) -> impl Iterator<Item = (Tensor, Option<Tensor>)> {
        let rows = move |values: &[f32], width: usize| Tensor::from_f32(values, [values.len() / width, width], device);
        let mut labels = self.labels.chunks((count * self.classes).max(1));
        self.values.chunks(count * self.width).map(move |values| {
            let labels = labels.next().map(|labels| rows(labels, self.classes));
            (rows(values, self.width), labels)
        })
    }
}

/// The class of each of `count` samples in a grid with `columns` in a row: each row has one class, and after the last
/// class comes the first again.
pub fn rows_of_classes(count: usize, columns: usize, classes: usize) -> Vec<u16> {
    (0..count).map(|place| (place / columns.max(1) % classes) as u16).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_have_the_labels_of_their_latents() {
        let latents = Latents::new(vec![1.0, 2.0, 3.0], 1).of_classes(&[2, 0, 1], 3);
        let batches: Vec<_> = latents.batches(2, Device::Reference).collect();
        assert_eq!(batches[0].1.as_ref().unwrap().to_f64(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
        assert_eq!((batches[1].0.to_f64(), batches[1].1.as_ref().unwrap().dims()), (vec![3.0], &[1, 3][..]));
        assert!(Latents::new(vec![1.0], 1).batches(2, Device::Reference).all(|(_, labels)| labels.is_none()));
    }

    #[test]
    fn rows_go_through_the_classes() {
        assert_eq!(rows_of_classes(8, 2, 3), [0, 0, 1, 1, 2, 2, 0, 0]);
    }
}
