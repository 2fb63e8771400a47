//! The judge of digits on stacked digits (see [`crate::data::stacked`]): it sees each plane of an image by itself.
//!
//! ```text
//! features of an image = those of its red, its green and its blue plane, one after the other
//! mode of an image     = 100 red + 10 green + blue, the likeliest digit of each
//! ```
//!
//! As the planes of an image are chosen independently, the moments of the features of all possible images follow from
//! those of the training digits: the mean is theirs three times, and the covariance has theirs in three blocks.

use super::classifier::Seen;
use super::score::Score;
use super::verdict::{FEWEST, Verdict, picked, row};
use super::{Better, Judge, known};
use crate::data::Images;
use crate::data::stacked::{DIGITS, MODES, PLANES, mode, planes};
use crate::metrics::{ClassShares, Figure, Moments, Points, RESAMPLING, frechet_of_samples, largest};
use crate::random::Random;

/// The key of the only row whose figure is a count.
pub const MODES_FOUND: &str = "modes_found";

/// Which figures [`Judge::judge_stacked`] leaves out, and why.
const LEFT_OUT: &str = "all other figures are left out: they compare every sample with every training image, and modes \
                        say more";

impl Judge {
    /// As [`Judge::check`], for stacked `images`.
    ///
    /// # Errors
    /// A message that says why it can't judge them.
    pub fn check_stacked(&self, images: &Images) -> Result<(), String> {
        let spec = self.classifier.spec();
        let (takes, found) = (&spec.network.input, [images.height, images.width, 1]);
        if takes[..] != found || images.channels != PLANES {
            return Err(format!("judges images of {takes:?}, not planes of {found:?}"));
        }
        if spec.classes() > DIGITS {
            return Err(format!("judges {} classes, more than the {DIGITS} of stacked planes", spec.classes()));
        }
        match labels_of(images).find(|&digit| digit >= spec.classes()) {
            Some(digit) => Err(format!("judges {} classes, of which label {digit} is none", spec.classes())),
            None => Ok(()),
        }
    }

    /// As [`Judge::score`], for stacked `images`, `[n, h, w, 3]`.
    ///
    /// # Panics
    /// As [`Judge::score`].
    pub fn score_stacked(&mut self, images: &[u8], training: &Images) -> Score {
        let seen = self.classifier.see(&planes(images, training.image_len()));
        let (reference, width) = self.stacked_reference();
        let digits = known(self.classifier.spec().classes(), labels_of(training), [&seen]);
        let modes = shares_of_modes(training, [&seen]).map(|shares| shares.modes());
        Score { modes: modes.into_iter().next(), ..self.score_of(&seen, &reference, width, digits) }
    }

    /// As [`Judge::floor`], for stacked images.
    ///
    /// # Panics
    /// As [`Judge::floor`].
    pub fn floor_stacked(&mut self, test: &Images, count: usize, training: &Images) -> Score {
        let seed = self.classifier.spec().training.seed;
        self.score_stacked(&picked(test, count.min(test.len()), seed).0, training)
    }

    /// As [`Judge::judge`], for stacked `samples`, `[n, h, w, 3]`: modes and how even they are, confidence and classes
    /// of the planes, and the Frechet distance of the features of three planes. There are no other figures and no
    /// pairs.
    ///
    /// # Panics
    /// As [`Judge::judge`].
    pub fn judge_stacked(&mut self, samples: &[u8], training: &Images, test: &Images) -> Verdict {
        let size = training.image_len();
        let count = samples.len() / size;
        assert!(count.min(test.len()) >= FEWEST, "judge: {count} samples, {} test images", test.len());
        let seed = self.classifier.spec().training.seed;
        let (floor, _) = picked(test, count.min(test.len()), seed);
        let seen = [samples, &floor].map(|images| self.classifier.see(&planes(images, size)));
        let both = seen.each_ref();
        let mut random = Random::new(seed, RESAMPLING);

        let (reference, width) = self.stacked_reference();
        let distances =
            both.map(|seen| frechet_of_samples(&reference, &Points::of(&seen.features, width), &mut random));
        let modes = shares_of_modes(training, both);
        let [[found, divergence], [most, least]] = modes.each_ref().map(|shares| shares.modes_in_figures(&mut random));
        let classes = self.classifier.spec().classes();
        let confidence = both.map(|seen| {
            let largest = largest(&seen.probabilities, classes);
            let of_image = |planes: &[f64]| planes.iter().sum::<f64>() / PLANES as f64;
            Figure::mean(&largest.chunks(PLANES).map(of_image).collect::<Vec<f64>>(), &mut random)
        });
        let rows = vec![
            row("frechet_distance", "Frechet distance", Better::Lower, distances.each_ref().map(|d| d.distance)),
            row(MODES_FOUND, "modes found", Better::Higher, [found, most]),
            row("modes_divergence", "KL to even modes", Better::Lower, [divergence, least]),
            row("confidence", "confidence", Better::Higher, confidence),
        ];

        let digits = known(classes, labels_of(training), both);
        let shares = both.map(|seen| ClassShares::of(seen.classes.iter().map(|&c| usize::from(c)), digits.clone()));
        let there: Vec<usize> = (0..classes).filter(|&class| digits[class]).collect();
        let of_class = |&class: &usize| {
            let figures = shares.each_ref().map(|shares| shares.share(class, &mut random));
            row("share", "share", Better::Near, figures)
        };
        let by_class = there.iter().map(of_class).collect();
        Verdict {
            samples: count,
            floor: floor.len() / size,
            rows,
            extrapolated: distances.map(|distance| distance.extrapolated),
            classes: there,
            shares: by_class,
            present: [shares[0].present(), shares[0].classes()],
            rarest: shares[0].rarest().unwrap_or(0),
            modes: Some(modes[0].modes()),
            left_out: Some(LEFT_OUT),
            pairs: Vec::new(),
        }
    }

    /// The moments of the features of all images that can be made of the training digits, and the number of these.
    fn stacked_reference(&self) -> (Moments, usize) {
        let Moments { count, mean, covariance } = &self.reference;
        let (one, all) = (mean.len(), PLANES * mean.len());
        let mut blocks = vec![0.0; all * all];
        for (at, row) in covariance.chunks(one).cycle().take(all).enumerate() {
            blocks[at * all + at / one * one..][..one].copy_from_slice(row);
        }
        (Moments { count: *count, mean: mean.repeat(PLANES), covariance: blocks }, all)
    }
}

/// The labels of the planes of stacked `images`.
fn labels_of(images: &Images) -> impl Iterator<Item = usize> {
    let digits = |&label: &u16| [100, 10, 1].map(|unit| usize::from(label) / unit % DIGITS);
    images.labels.iter().flat_map(digits)
}

/// How many images are of each mode. The modes that exist are those of the `training` images and those `seen`.
fn shares_of_modes<const N: usize>(training: &Images, seen: [&Seen; N]) -> [ClassShares; N] {
    let of = |seen: &Seen| -> Vec<usize> {
        seen.classes.chunks_exact(PLANES).map(|digits| mode([digits[0], digits[1], digits[2]])).collect()
    };
    let found = seen.map(of);
    let mut there = vec![training.labels.is_empty(); MODES];
    let labels = training.labels.iter().map(|&label| usize::from(label));
    labels.chain(found.iter().flatten().copied()).for_each(|mode| there[mode] = true);
    found.map(|modes| ClassShares::of(modes, there.clone()))
}

#[cfg(test)]
mod tests {
    use super::super::built_in;
    use super::*;
    use crate::data::{Wanted, open_split};
    use crate::storage::Device;

    /// The built-in digits that their judge was trained on.
    fn wanted() -> Wanted {
        Wanted { seed: 1, ..Wanted::default() }
    }

    /// The moments that follow from those of digits are, but for chance, those of many stacked images: each within
    /// eight times its standard error were features normal.
    #[test]
    fn moments_of_stacked_images_follow_from_those_of_digits() {
        const N: usize = 6000;
        let mut judge = built_in(Device::Cpu);
        let split = open_split("stacked:digits", &wanted()).unwrap();
        let size = split.training.image_len();
        let seen = judge.classifier.see(&planes(&split.training.pixels[..N * size], size));
        let (known, width) = judge.stacked_reference();
        let found = Moments::of(&Points::of(&seen.features, width));
        let c = |moments: &Moments, i: usize, j: usize| moments.covariance[i * width + j];
        for i in 0..width {
            let error = (c(&known, i, i) / N as f64).sqrt();
            assert!((found.mean[i] - known.mean[i]).abs() <= 8.0 * error, "mean {i}");
            for j in 0..width {
                let error = ((c(&known, i, i) * c(&known, j, j) + c(&known, i, j).powi(2)) / N as f64).sqrt();
                assert!((c(&found, i, j) - c(&known, i, j)).abs() <= 8.0 * error, "covariance {i} {j}");
            }
        }
    }

    #[test]
    fn planes_that_are_alike_are_far_from_stacked_digits() {
        let mut judge = built_in(Device::Cpu);
        let split = open_split("stacked:digits", &wanted()).unwrap();
        let some = &split.training.pixels[..3000 * split.training.image_len()];
        let alike: Vec<u8> = some.chunks(3).flat_map(|pixel| [pixel[0]; 3]).collect();
        let [real, alike] = [some, &alike].map(|images| judge.score_stacked(images, &split.training));
        assert!(alike.frechet_distance > 20.0 * real.frechet_distance, "{alike:?} beside {real:?}");
        assert_eq!([&real, &alike].map(|score| score.classes.present()), [10, 10]);
        // Of 1,000 modes those of three equal digits alone; of as many drawn at random e⁻³ are not among 3,000.
        let found = [&real, &alike].map(|score| score.modes.unwrap().found);
        assert!(found[0].abs_diff(950) < 20 && found[1] == 10, "{found:?}");
        assert_eq!(alike.modes.unwrap().all, MODES);
    }

    #[test]
    fn what_it_does_not_know_is_refused_in_words() {
        let judge = built_in(Device::Cpu);
        let images = |channels: usize, label: u16| Images {
            height: 28,
            width: 28,
            channels,
            pixels: vec![0; 784 * channels],
            labels: vec![label],
        };
        assert_eq!(judge.check_stacked(&images(3, 999)), Ok(()));
        assert!(judge.check_stacked(&images(1, 9)).unwrap_err().contains("not planes of"));
        let small = Images { height: 14, pixels: vec![0; 1176], ..images(3, 0) };
        assert!(judge.check_stacked(&small).unwrap_err().contains("[14, 28, 1]"));
    }
}
