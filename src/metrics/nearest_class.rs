//! Which classes appear among samples, and how evenly: the class of each sample is that of the nearest
//! labelled image. What it is for is mode collapse, a generator that makes one kind of image only.

use super::points::{Points, rows_at_a_time};
use crate::autograd::no_grad;
use crate::ops::{Transpose, matmul};

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

/// The class of the nearest of `images`, which have `labels`, counted over `samples`. Near is Euclidean distance
/// between values:
///
/// ```text
/// |a - b|² = |a|² - 2 a·b + |b|²        of which |a|² does not change the order
/// ```
///
/// # Panics
/// If there are no images, more or fewer than labels, or samples of other dimensions.
pub fn nearest_classes(samples: &Points, images: &Points, labels: &[u8]) -> ClassShares {
    let dimensions = images.dimensions();
    assert!(
        !images.is_empty() && images.len() == labels.len() && samples.dimensions() == dimensions,
        "nearest_classes: {} samples of {} values, {} images of {dimensions}, {} labels",
        samples.len(),
        samples.dimensions(),
        images.len(),
        labels.len()
    );
    // The distance and the place of the nearest so far.
    let mut nearest = vec![(f32::INFINITY, 0); samples.len()];
    for some in rows_at_a_time(images.len(), dimensions) {
        let part = images.tensor(some.clone());
        let length = |image: &[f32]| image.iter().map(|v| v * v).sum::<f32>();
        let lengths: Vec<f32> = part.to_f32().chunks(dimensions).map(length).collect();
        for rows in rows_at_a_time(samples.len(), dimensions) {
            let few = samples.tensor(rows.clone());
            let products = no_grad(|| matmul(&few, &part, Transpose::B)).to_f32();
            let rows = nearest[rows].iter_mut().zip(products.chunks(some.len()));
            for (nearest, products) in rows {
                let distances = products.iter().zip(&lengths).map(|(&ab, &bb)| bb - 2.0 * ab);
                for (distance, place) in distances.zip(some.clone()) {
                    if distance.total_cmp(&nearest.0).is_lt() {
                        *nearest = (distance, place);
                    }
                }
            }
        }
    }

    let most = usize::from(*labels.iter().max().expect("there are images"));
    let mut shares = ClassShares { counts: vec![0; most + 1], labels: vec![false; most + 1] };
    for &label in labels {
        shares.labels[usize::from(label)] = true;
    }
    for (_, place) in nearest {
        shares.counts[usize::from(labels[place])] += 1;
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
        let (samples, images) = (Points::of(&samples, 2), Points::of(&images, 2));
        let shares = nearest_classes(&samples, &images, &labels);
        assert_eq!(shares.counts, [1, 0, 3, 0]);
        assert_eq!((shares.classes(), shares.present()), (3, 2));
    }

    /// Large images are compared in parts, which changes no bit of any distance.
    #[test]
    fn parts_of_large_images_give_what_the_whole_gives() {
        let (n, m, dimensions) = (19, 37, (1 << 18) + 3);
        let value = |i: usize| ((i * 7919) % 251) as f32 / 251.0;
        let samples: Vec<f32> = (0..n * dimensions).map(value).collect();
        let images: Vec<f32> = (0..m * dimensions).map(|i| value(i + 100)).collect();
        let labels: Vec<u8> = (0..m as u8).collect();
        let whole = {
            let tensor = |values: &[f32], rows| crate::Tensor::from_f32(values, [rows, dimensions], crate::Device::Cpu);
            matmul(&tensor(&samples, n), &tensor(&images, m), Transpose::B).to_f32()
        };
        let (samples, images) = (Points::of(&samples, dimensions), Points::of(&images, dimensions));
        for rows in rows_at_a_time(n, dimensions) {
            for some in rows_at_a_time(m, dimensions) {
                let [few, part] = [samples.tensor(rows.clone()), images.tensor(some.clone())];
                let products = matmul(&few, &part, Transpose::B).to_f32();
                for (row, products) in rows.clone().zip(products.chunks(some.len())) {
                    assert_eq!(whole[row * m..][some.clone()], *products, "row {row}");
                }
            }
        }
        let shares = nearest_classes(&samples, &images, &labels);
        assert_eq!(shares.counts.iter().sum::<usize>(), n);
    }

    #[test]
    fn a_class_with_less_than_a_tenth_of_its_share_is_missing() {
        let shares = |few: usize| ClassShares { counts: vec![100 - few, few], labels: vec![true, true] };
        assert_eq!(shares(4).present(), 1);
        assert_eq!(shares(5).present(), 2);
    }
}
