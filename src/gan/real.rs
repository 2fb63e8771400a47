//! The real examples that a step is shown.

use crate::tensor::Tensor;

/// A batch of real images or points, with the class of each if the game is conditional.
#[derive(Clone)]
pub struct Real {
    /// `[n, h, w, c]`, or `[n, 2]`.
    pub images: Tensor,
    /// `[n, classes]`, a 1 in each row.
    pub labels: Option<Tensor>,
}

impl Real {
    /// `images` `[n, ...]` with their `labels`, each of which is below `classes`.
    ///
    /// # Panics
    /// If the number of labels differs from that of images, or a label is not a class.
    pub fn labelled(images: Tensor, labels: &[u16], classes: usize) -> Real {
        let n = images.dims()[0];
        assert!(labels.len() == n, "labelled: {} labels for {n} images", labels.len());
        let rows = Tensor::from_f32(&one_hot(labels, classes), [n, classes], images.device());
        Real { images, labels: Some(rows) }
    }
}

impl From<&Tensor> for Real {
    /// Examples without classes.
    fn from(images: &Tensor) -> Real {
        Real { images: images.clone(), labels: None }
    }
}

/// A row of `classes` values for each of `labels`: 1 at the label's place, 0 elsewhere.
///
/// # Panics
/// If a label is not a class.
pub(super) fn one_hot(labels: &[u16], classes: usize) -> Vec<f32> {
    let mut rows = vec![0.0; labels.len() * classes];
    for (row, &label) in rows.chunks_exact_mut(classes).zip(labels) {
        row[usize::from(label)] = 1.0;
    }
    rows
}
