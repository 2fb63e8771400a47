//! What a judge says about samples: every figure beside the same figure of real test images. That is the floor: no
//! generator is expected to be better.

use super::classifier::Seen;
use super::score::are_right;
use super::{Judge, known};
use crate::data::Images;
use crate::metrics::{
    COMPARISON, ClassShares, Figure, FrechetDistance, KernelSet, Manifold, Modes, Moments, Nearest, Overlap, Points,
    RESAMPLING, classifier_score, closest, confidence, frechet_of_samples, kernel_distance, nearest,
};
use crate::random::Random;

/// The fewest samples that are judged, as the extrapolation of the Frechet distance needs that many.
pub const FEWEST: usize = 50;

/// The share of test images that count as near to a training image; the distance of the last of them is the limit for
/// samples.
const NEAR: f64 = 0.01;

/// Which way a figure gets better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// A lower figure is better, down to the floor.
    Lower,
    /// A higher figure is better, up to the floor.
    Higher,
    /// A figure nearer to the floor is better.
    Near,
}

/// A figure of the samples beside that of test images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Its name in JSON and tables.
    pub key: &'static str,
    /// Its name on a terminal, at most 16 characters, so that 80 columns have room for two figures with intervals
    /// beside it.
    pub name: &'static str,
    /// Which way is better.
    pub better: Better,
    /// The figure of the samples.
    pub samples: Figure,
    /// The figure of the test images.
    pub floor: Figure,
}

/// A sample and the training image nearest to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// The index of the sample.
    pub sample: usize,
    /// The index of the training image.
    pub image: usize,
    /// √Σ (difference)² over the pixels, where black is 0 and white 1.
    pub distance: f64,
}

/// All that a judge says about samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The number of samples.
    pub samples: usize,
    /// The number of test images with which they are compared: the same number, or all if there are fewer.
    pub floor: usize,
    /// The figures, in the order in which they are read.
    pub rows: Vec<Row>,
    /// Estimates of the Frechet distances of infinitely many samples, and of infinitely many test images.
    pub extrapolated: [f64; 2],
    /// The classes that exist.
    pub classes: Vec<usize>,
    /// The share of each of them.
    pub shares: Vec<Row>,
    /// The number of classes that appear, and the number of all classes.
    pub present: [usize; 2],
    /// The class with the smallest share.
    pub rarest: usize,
    /// The modes among the samples, if they are stacked images.
    pub modes: Option<Modes>,
    /// Which figures are left out, and why.
    pub left_out: Option<&'static str>,
    /// The closest pairs, the closest first.
    pub pairs: Vec<Pair>,
}

impl Verdict {
    /// Whether there are so few samples that the Frechet distance says more about their number than about them: it is
    /// more than a tenth above the estimate for infinitely many.
    pub fn is_biased(&self) -> bool {
        let distance = self.rows[0].samples.value;
        distance > 1.1 * self.extrapolated[0].max(0.0)
    }
}

/// Features as points.
fn points(seen: &Seen, width: usize) -> Points<'_> {
    Points::of(&seen.features, width)
}

/// Pixels of whole images as points, where black is 0 and white 1.
fn pixels(images: &[u8], size: usize) -> Points<'_> {
    Points::new(images.len() / size, size, move |index, to| {
        to.extend(images[index * size..][..size].iter().map(|&byte| f32::from(byte) / 255.0));
    })
}

/// `count` of `images` picked at random, the same ones for the same `seed`, and their labels, if they have any.
pub(super) fn picked(images: &Images, count: usize, seed: u64) -> (Vec<u8>, Vec<u16>) {
    let order = Random::new(seed, COMPARISON).permutation(images.len());
    let places = order[..count].iter().map(|&index| index as usize);
    let pixels = places.clone().flat_map(|index| images.image(index)).copied().collect();
    let labels = match images.labels.is_empty() {
        true => Vec::new(),
        false => places.map(|index| images.labels[index]).collect(),
    };
    (pixels, labels)
}

impl Judge {
    /// Judges `samples`, `[n, h, w, c]` of the judge's size, beside as many `test` images. `asked` has the class that
    /// each sample was to be of, or is empty. Figures that compare points with points take as many `training` images,
    /// but the nearest training image is looked for among all of them.
    ///
    /// # Panics
    /// If there are fewer than [`FEWEST`] samples or test images, if images have another size, or if `asked` has
    /// another length.
    pub fn judge(&mut self, samples: &[u8], asked: &[u16], training: &Images, test: &Images) -> Verdict {
        let size = training.image_len();
        let count = samples.len() / size;
        assert!(count.min(test.len()) >= FEWEST, "judge: {count} samples, {} test images", test.len());
        let seed = self.classifier.spec().training.seed;
        let (floor, floor_labels) = picked(test, count.min(test.len()), seed);
        let (real, _) = picked(training, count.min(training.len()), seed);
        let [of_samples, of_floor, of_real] = [samples, &floor, &real].map(|images| self.classifier.see(images));
        let (_, width) = self.classifier.spec().features();
        let seen = Compared { width, seen: [&of_samples, &of_floor], real: &of_real };
        let mut random = Random::new(seed, RESAMPLING);

        let [distance, least] = seen.frechet(&self.reference, &mut random);
        let mut rows = vec![
            row("frechet_distance", "Frechet distance", Better::Lower, [distance.distance, least.distance]),
            row("kernel_distance", "kernel distance", Better::Lower, seen.kernel(&mut random)),
        ];
        rows.extend(seen.manifold(&mut random));
        let classes = self.classifier.spec().classes();
        let of = |figure: fn(&[f32], usize, &mut Random) -> Figure, random: &mut Random| {
            seen.seen.map(|seen| figure(&seen.probabilities, classes, random))
        };
        rows.push(row("classifier_score", "classifier score", Better::Higher, of(classifier_score, &mut random)));
        rows.push(row("confidence", "confidence", Better::Higher, of(confidence, &mut random)));
        let right = [(&of_samples, asked), (&of_floor, &floor_labels)].map(|(seen, asked)| are_right(seen, asked));
        if let [Some(of_samples), Some(of_floor)] = right {
            let shares = [of_samples, of_floor].map(|right| Figure::mean(&right, &mut random));
            rows.push(row("asked_class", "asked class", Better::Higher, shares));
        }

        let known = known(classes, training.labels.iter().map(|&label| usize::from(label)), seen.seen);
        let shares = seen.seen.map(|seen| ClassShares::of(seen.classes.iter().map(|&c| usize::from(c)), known.clone()));
        let entropy = shares.each_ref().map(|shares| shares.entropy(&mut random));
        rows.push(row("class_entropy", "class entropy", Better::Higher, entropy));
        let there: Vec<usize> = (0..classes).filter(|&class| known[class]).collect();
        let of_class = |&class: &usize| {
            let figures = shares.each_ref().map(|shares| shares.share(class, &mut random));
            row("share", "share", Better::Near, figures)
        };
        let by_class = there.iter().map(of_class).collect();

        let near = [samples, &floor].map(|images| nearest(&pixels(images, size), &pixels(&training.pixels, size)));
        rows.extend(memorisation(&near, &mut random));
        let pairs = closest(&near[0], 10).into_iter().map(|sample| {
            let Nearest { place, distance } = near[0][sample];
            Pair { sample, image: place, distance }
        });
        Verdict {
            samples: count,
            floor: floor.len() / size,
            rows,
            extrapolated: [distance.extrapolated, least.extrapolated],
            classes: there,
            shares: by_class,
            present: [shares[0].present(), shares[0].classes()],
            rarest: shares[0].rarest().unwrap_or(0),
            modes: None,
            left_out: None,
            pairs: pairs.collect(),
        }
    }
}

pub(super) fn row(key: &'static str, name: &'static str, better: Better, [samples, floor]: [Figure; 2]) -> Row {
    Row { key, name, better, samples, floor }
}

/// What the judge has seen: the samples, the images of the floor, and training images.
struct Compared<'a> {
    width: usize,
    seen: [&'a Seen; 2],
    real: &'a Seen,
}

impl Compared<'_> {
    fn frechet(&self, reference: &Moments, random: &mut Random) -> [FrechetDistance; 2] {
        self.seen.map(|seen| frechet_of_samples(reference, &points(seen, self.width), random))
    }

    fn kernel(&self, random: &mut Random) -> [Figure; 2] {
        let real = KernelSet::of(&points(self.real, self.width), random);
        self.seen.map(|seen| {
            let set = KernelSet::of(&points(seen, self.width), random);
            kernel_distance(&real, &set, random)
        })
    }

    fn manifold(&self, random: &mut Random) -> [Row; 4] {
        let real = points(self.real, self.width);
        let around = Manifold::of(&real);
        let [samples, floor] = self.seen.map(|seen| {
            let some = points(seen, self.width);
            Overlap::of((&real, &around), (&some, &Manifold::of(&some)))
        });
        let mut of = |key, name, better, figure: fn(&Overlap, &mut Random) -> Figure| {
            row(key, name, better, [figure(&samples, random), figure(&floor, random)])
        };
        [
            of("precision", "precision, k = 3", Better::Higher, Overlap::precision),
            of("recall", "recall, k = 3", Better::Higher, Overlap::recall),
            of("density", "density, k = 5", Better::Higher, Overlap::density),
            of("coverage", "coverage, k = 5", Better::Higher, Overlap::coverage),
        ]
    }
}

/// The distance of samples from the nearest training image, and the share of samples that are as near to one as only
/// the nearest hundredth of test images are.
fn memorisation(near: &[Vec<Nearest>; 2], random: &mut Random) -> [Row; 2] {
    let distances = near.each_ref().map(|near| near.iter().map(|nearest| nearest.distance).collect::<Vec<f64>>());
    let mut sorted = distances[1].clone();
    sorted.sort_by(f64::total_cmp);
    let limit = sorted[(NEAR * sorted.len() as f64) as usize];
    let mean = distances.each_ref().map(|distances| Figure::mean(distances, random));
    let copies = distances.each_ref().map(|distances| {
        let nearer: Vec<f64> = distances.iter().map(|&distance| f64::from(u8::from(distance < limit))).collect();
        Figure::mean(&nearer, random)
    });
    [
        row("nearest_training_image", "to training set", Better::Near, mean),
        row("near_copies", "near copies", Better::Near, copies),
    ]
}
