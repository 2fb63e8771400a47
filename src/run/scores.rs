//! Scores of a run's samples: at the end of each epoch, the images of the same latents are compared with the same real
//! images.

use crate::data::Images;
use crate::data::plane::Found;
use crate::metrics::{COMPARISON, ClassShares, Modes, Points, nearest_classes, sliced_wasserstein};
use crate::random::Random;

/// The number of samples, and of real images, whose distributions are compared.
pub const SAMPLES: usize = 1000;

/// The number of labelled images among which the nearest to each sample is looked for.
pub(super) const LABELLED: usize = 2000;

/// The number of those images that a class must have on average for that; some of the 1,000 modes of stacked MNIST have
/// none.
const OF_A_CLASS: usize = 5;

/// How good the samples of one state of the generator are.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// The sliced Wasserstein distance from as many real images, pixels in [0, 1]; the lower the
    /// better.
    pub sliced_wasserstein: f64,
    /// The same distance for other real images, if there are enough.
    pub sliced_floor: Option<f64>,
    /// Which classes appear: according to the judge if the samples are judged, else according to the nearest real
    /// image, if the data has labels and not too many classes for that.
    pub classes: Option<ClassShares>,
    /// Which modes are found, if samples are points of the plane.
    pub found: Option<Found>,
    /// The share of test images that the classifier of a game of three gets wrong.
    pub classifier_error: Option<f64>,
    /// The current probability of augmentation, if it is adaptive.
    pub augment_chance: Option<f64>,
    /// What the judge says, if there is one and the samples are due to be judged.
    pub judged: Option<Judged>,
}

/// What a run's judge says about its samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// The Frechet distance of their features from those of training images; the lower, the better.
    pub frechet_distance: f64,
    /// The same distance for as many test images, if there are any.
    pub frechet_floor: Option<f64>,
    /// The mean probability of the likeliest class.
    pub confidence: f64,
    /// In a conditional game, the share of samples that are of the class that was asked for.
    pub asked_class: Option<f64>,
    /// In such a game, the share of as many test images that the judge takes for their own class.
    pub asked_floor: Option<f64>,
    /// The modes among the samples, if the set is stacked.
    pub modes: Option<Modes>,
    /// The modes among as many test images.
    pub modes_floor: Option<Modes>,
}

impl Scores {
    /// The number of modes found, if the set has modes.
    pub fn modes_found(&self) -> Option<usize> {
        let stacked = self.judged.and_then(|judged| judged.modes);
        stacked.map(|modes| modes.found).or(self.found.map(|found| found.modes))
    }

    /// The number of modes among as many real ones, if the set has modes; points have all of them.
    pub fn modes_floor(&self) -> Option<usize> {
        let stacked = self.judged.and_then(|judged| judged.modes_floor);
        stacked.map(|modes| modes.found).or(self.found.map(|found| found.of))
    }

    /// The distance by which the states of a run are compared, the lower the better; `None` in a run with a judge if
    /// the samples are not due to be judged.
    pub fn distance(&self, is_judged: bool) -> Option<f64> {
        match is_judged {
            true => self.judged.map(|judged| judged.frechet_distance),
            false => Some(self.sliced_wasserstein),
        }
    }
}

/// Scores `samples` `[n, h, w, c]`, n at most [`SAMPLES`], against real images picked at random, the
/// same ones for the same `seed`.
///
/// # Panics
/// If there are fewer real images than samples.
pub fn score(samples: &[u8], real: &Images, seed: u64) -> Scores {
    let size = real.image_len();
    let mut random = Random::new(seed, COMPARISON);
    let order = random.permutation(real.len());
    let picked = &order[..order.len().min(LABELLED)];
    let samples = Points::new(samples.len() / size, size, |index, to| {
        unit(&samples[index * size..][..size], to);
    });
    let first = |count| images(real, &picked[..count]);
    let distance = sliced_wasserstein(&samples, &first(samples.len()), &mut random);
    let labels = real.labels.as_slice();
    let is_told = !labels.is_empty() && OF_A_CLASS * real.classes() <= LABELLED;
    let classes = is_told.then(|| {
        let labels: Vec<u16> = picked.iter().map(|&i| labels[i as usize]).collect();
        nearest_classes(&samples, &first(picked.len()), &labels)
    });
    Scores {
        sliced_wasserstein: distance,
        sliced_floor: None,
        classes,
        found: None,
        classifier_error: None,
        augment_chance: None,
        judged: None,
    }
}

/// The sliced Wasserstein distance of `count` other real images from those with which [`score`] compares as many
/// samples; `None` if there aren't so many.
pub(super) fn sliced_floor(count: usize, real: &Images, seed: u64) -> Option<f64> {
    let mut random = Random::new(seed, COMPARISON);
    let order = random.permutation(real.len());
    let others = order.get(LABELLED..LABELLED + count)?;
    Some(sliced_wasserstein(&images(real, others), &images(real, &order[..count]), &mut random))
}

/// The images with these indices, with pixels in [0, 1].
fn images<'a>(real: &'a Images, places: &'a [u32]) -> Points<'a> {
    Points::new(places.len(), real.image_len(), move |index, to| unit(real.image(places[index] as usize), to))
}

fn unit(bytes: &[u8], to: &mut Vec<f32>) {
    to.extend(bytes.iter().map(|&b| f32::from(b) / 255.0));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::digits::render;

    #[test]
    fn real_digits_score_better_than_noise_and_show_every_class() {
        let digits = render(3000, 1);
        let samples = render(SAMPLES, 2);
        let real = score(&samples.pixels, &digits, 5);
        assert_eq!(real.classes.unwrap().present(), 10);
        let noise: Vec<u8> = (0..samples.pixels.len()).map(|i| (i * 151) as u8).collect();
        let noise = score(&noise, &digits, 5);
        assert!(real.sliced_wasserstein * 10.0 < noise.sliced_wasserstein);
        let floor = sliced_floor(SAMPLES, &digits, 5).unwrap();
        assert!((0.5 * floor..2.0 * floor).contains(&real.sliced_wasserstein), "{floor}");
        assert_eq!(sliced_floor(SAMPLES + 1, &digits, 5), None, "3,000 images, of which 2,000 are compared with");

        let ones: Vec<u8> = samples.image(1).repeat(SAMPLES);
        assert_eq!(score(&ones, &digits, 5).classes.unwrap().present(), 1);
    }
}
