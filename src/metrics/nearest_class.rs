//! Which classes appear among samples, and how evenly: the class of each sample is that of the nearest
//! labelled image. What it is for is mode collapse, a generator that makes one kind of image only.

use crate::autograd::no_grad;
use crate::ops::{Transpose, matmul};
use crate::storage::Device;
use crate::tensor::Tensor;

/// How many samples are of each class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassShares {
    /// Samples whose nearest image has label 0, 1, ...
    pub counts: Vec<usize>,
    /// Which labels there are among the images.
    labels: Vec<bool>,
}

impl ClassShares {
    /// How many classes the images have.
    pub fn classes(&self) -> usize {
        self.labels.iter().filter(|&&there| there).count()
    }

    /// How many of the classes appear: have at least a tenth of an even share of the samples.
    pub fn present(&self) -> usize {
        let samples: usize = self.counts.iter().sum();
        let classes = self.classes();
        let enough = |count: usize| 10 * classes * count >= samples;
        let counts = self.counts.iter().zip(&self.labels);
        let counts = counts.filter(|&(&count, &there)| there && enough(count));
        counts.count()
    }
}

/// The class of the nearest of `images` `[m, dimensions]`, which have `labels` `[m]`, counted over
/// `samples` `[n, dimensions]`. Near is Euclidean distance between values:
///
/// ```text
/// |a - b|² = |a|² - 2 a·b + |b|²        of which |a|² does not change the order
/// ```
///
/// # Panics
/// If the lengths don't fit, or there are no images.
pub fn nearest_classes(
    samples: &[f32],
    images: &[f32],
    labels: &[u8],
    dimensions: usize,
) -> ClassShares {
    let m = labels.len();
    assert!(
        m > 0 && images.len() == m * dimensions && samples.len().is_multiple_of(dimensions),
        "nearest_classes: {} samples' values, {} images' values in rows of {dimensions}, {m} labels",
        samples.len(),
        images.len()
    );
    let n = samples.len() / dimensions;
    let lengths: Vec<f32> = images
        .chunks(dimensions)
        .map(|image| image.iter().map(|v| v * v).sum())
        .collect();
    let samples = Tensor::from_f32(samples, [n, dimensions], Device::Cpu);
    let images = Tensor::from_f32(images, [m, dimensions], Device::Cpu);
    let products = no_grad(|| matmul(&samples, &images, Transpose::B)).to_f32();

    let most = usize::from(*labels.iter().max().expect("there are images"));
    let mut shares = ClassShares {
        counts: vec![0; most + 1],
        labels: vec![false; most + 1],
    };
    for &label in labels {
        shares.labels[usize::from(label)] = true;
    }
    for row in products.chunks(m) {
        let distances = row.iter().zip(&lengths).map(|(&ab, &bb)| bb - 2.0 * ab);
        let nearest = distances
            .enumerate()
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(index, _)| usize::from(labels[index]));
        shares.counts[nearest.expect("there are images")] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_sample_has_the_class_of_its_nearest_image() {
        let images = [0.0, 0.0, 10.0, 0.0, 0.0, 10.0, 9.0, 9.0];
        let labels = [0, 2, 2, 3];
        let samples = [1.0, 1.0, 9.0, 1.0, 1.0, 9.0, 11.0, -1.0];
        let shares = nearest_classes(&samples, &images, &labels, 2);
        assert_eq!(shares.counts, [1, 0, 3, 0]);
        assert_eq!((shares.classes(), shares.present()), (3, 2));
    }

    #[test]
    fn a_class_with_less_than_a_tenth_of_its_share_is_missing() {
        let shares = |few: usize| ClassShares {
            counts: vec![100 - few, few],
            labels: vec![true, true],
        };
        assert_eq!(shares(4).present(), 1);
        assert_eq!(shares(5).present(), 2);
    }
}
