//! Which classes appear among samples, and how evenly. It shows mode collapse: a generator that makes only some kinds
//! of image.

use super::bootstrap::{Figure, Interval, RESAMPLES};
use super::nearest::nearest;
use super::points::Points;
use super::score::entropy;
use crate::random::Random;
use std::ops::Range;

/// How many samples are of each class.
///
/// ```
/// use minimax::metrics::ClassShares;
///
/// let shares = ClassShares::of([0, 0, 0, 2], vec![true; 3]);
/// assert_eq!((shares.classes(), shares.present(), shares.rarest()), (3, 2, Some(1)));
/// assert_eq!(shares.modes().found, 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassShares {
    /// The number of samples of class 0, 1, ...
    pub counts: Vec<usize>,
    /// Which of the classes exist at all.
    labels: Vec<bool>,
}

impl ClassShares {
    /// The shares among samples of these `classes`; a class exists where `labels` is true.
    ///
    /// # Panics
    /// If a sample is of a class that doesn't exist.
    pub fn of(classes: impl IntoIterator<Item = usize>, labels: Vec<bool>) -> ClassShares {
        let mut counts = vec![0; labels.len()];
        for class in classes {
            assert!(labels.get(class) == Some(&true), "ClassShares: there is no class {class}");
            counts[class] += 1;
        }
        ClassShares { counts, labels }
    }

    /// How many classes there are.
    pub fn classes(&self) -> usize {
        self.labels.iter().filter(|&&there| there).count()
    }

    /// How many of the classes appear, which means that they have at least a tenth of an even share of the samples.
    pub fn present(&self) -> usize {
        let (samples, classes) = (self.samples(), self.classes());
        let enough = |count: usize| 10 * classes * count >= samples;
        let counts = self.counts.iter().zip(&self.labels);
        let counts = counts.filter(|&(&count, &there)| there && enough(count));
        counts.count()
    }

    /// The class with the fewest samples, or the first of several; `None` if there are no classes.
    pub fn rarest(&self) -> Option<usize> {
        let there = (0..self.counts.len()).filter(|&class| self.labels[class]);
        there.min_by_key(|&class| self.counts[class])
    }

    /// The share of `class` among the samples. The interval, here and below, is from resampling the samples.
    ///
    /// # Panics
    /// If there are no samples or there is no such class.
    pub fn share(&self, class: usize, random: &mut Random) -> Figure {
        let samples = self.samples();
        let places = self.places(class);
        let resampled = |times: &[u32]| f64::from(times[places.clone()].iter().sum::<u32>()) / samples as f64;
        Figure::new(samples, resampled, random)
    }

    /// -Σ s ln s over the shares s, in nats: ln(classes) if all are even, 0 if there is one class only.
    ///
    /// The entropy of few samples is too small, and that of a resample even more so; therefore the interval is moved
    /// until the resamples' mean is the entropy itself.
    ///
    /// # Panics
    /// If there are no samples.
    pub fn entropy(&self, random: &mut Random) -> Figure {
        let samples = self.samples();
        let places: Vec<Range<usize>> = (0..self.counts.len()).map(|class| self.places(class)).collect();
        let of = |count: usize| count as f64 / samples as f64;
        let resampled = |times: &[u32]| {
            let counts = places.iter().map(|places| times[places.clone()].iter().sum::<u32>() as usize);
            entropy(counts.map(of))
        };
        Figure::centred(samples, RESAMPLES, resampled, random)
    }

    /// The modes among the samples, where each class is one.
    ///
    /// # Panics
    /// If there are no samples.
    pub fn modes(&self) -> Modes {
        let there = self.counts.iter().zip(&self.labels).filter(|&(_, &there)| there);
        Modes::of(&there.map(|(&count, _)| count).collect::<Vec<usize>>())
    }

    /// [`Modes::found`] and [`Modes::divergence`] with their intervals. A resample finds fewer modes, as it has fewer
    /// different samples; so both intervals are moved like that of [`ClassShares::entropy`], but not beyond what is
    /// possible.
    ///
    /// # Panics
    /// If there are no samples.
    pub fn modes_in_figures(&self, random: &mut Random) -> [Figure; 2] {
        let there = (0..self.counts.len()).filter(|&class| self.labels[class]);
        let places: Vec<Range<usize>> = there.map(|class| self.places(class)).collect();
        let resampled = |times: &[u32]| {
            let counts = places.iter().map(|places| times[places.clone()].iter().sum::<u32>() as usize);
            Modes::of(&counts.collect::<Vec<usize>>())
        };
        let mut of = |figure: fn(Modes) -> f64, most: f64| {
            let Figure { value, interval } =
                Figure::centred(self.samples(), RESAMPLES, |times| figure(resampled(times)), random);
            let [low, high] = [interval.low, interval.high].map(|end| end.clamp(0.0, most));
            Figure { value, interval: Interval { low, high } }
        };
        let modes = places.len() as f64;
        let Figure { value, interval: Interval { low, high } } = of(|modes| modes.found as f64, modes);
        // A number of modes is whole.
        let found = Figure { value, interval: Interval { low: low.floor(), high: high.ceil() } };
        [found, of(|modes| modes.divergence, libm::log(modes))]
    }

    fn samples(&self) -> usize {
        self.counts.iter().sum()
    }

    /// The places that the samples of `class` would have in the order of their classes.
    fn places(&self, class: usize) -> Range<usize> {
        let start = self.counts[..class].iter().sum();
        start..start + self.counts[class]
    }
}

/// Gives each of `samples` the class of the nearest of `images`, which have `labels`, and counts these classes. It is
/// for sets without a classifier.
///
/// # Panics
/// If there are no images, if their number is not that of labels, or if samples have other dimensions.
pub fn nearest_classes(samples: &Points, images: &Points, labels: &[u16]) -> ClassShares {
    assert!(
        !images.is_empty() && images.len() == labels.len(),
        "nearest_classes: {} images, {} labels",
        images.len(),
        labels.len()
    );
    let most = usize::from(*labels.iter().max().expect("there are images"));
    let mut there = vec![false; most + 1];
    labels.iter().for_each(|&label| there[usize::from(label)] = true);
    let classes = nearest(samples, images).into_iter().map(|nearest| usize::from(labels[nearest.place]));
    ClassShares::of(classes, there)
}

/// How many of the modes of a distribution are among samples, and how evenly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Modes {
    /// The number of modes of the distribution.
    pub all: usize,
    /// The number of modes that have at least one sample.
    pub found: usize,
    /// KL(found ‖ uniform) = Σ s ln(s · modes) over the shares s of all modes, in nats: 0 if all shares are equal,
    /// ln(modes) if there is only one mode. n samples of an even distribution have about (modes - 1) / 2n: 26,000
    /// samples of 1,000 modes have 0.02.
    pub divergence: f64,
}

impl Modes {
    /// The modes of samples, where `counts` has the number of samples of each mode.
    ///
    /// # Panics
    /// If there are no samples.
    pub fn of(counts: &[usize]) -> Modes {
        let samples: usize = counts.iter().sum();
        assert!(samples > 0, "Modes: there are no samples");
        let shares = counts.iter().map(|&count| count as f64 / samples as f64);
        Modes {
            all: counts.len(),
            found: counts.iter().filter(|&&count| count > 0).count(),
            divergence: libm::log(counts.len() as f64) - entropy(shares),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::stacked::MODES as STACKED_MODES;
    use crate::metrics::RESAMPLING;
    use crate::random::Purpose;

    fn shares(counts: &[usize]) -> ClassShares {
        ClassShares { counts: counts.to_vec(), labels: vec![true; counts.len()] }
    }

    #[test]
    fn a_class_with_less_than_a_tenth_of_its_share_is_missing() {
        assert_eq!(shares(&[96, 4]).present(), 1);
        assert_eq!(shares(&[95, 5]).present(), 2);
    }

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

    #[test]
    fn shares_and_entropy_are_those_of_the_counts() {
        let mut random = Random::new(1, RESAMPLING);
        let all = ClassShares::of([0, 2, 2, 3, 2, 2, 0, 0].repeat(50), vec![true, false, true, true]);
        assert_eq!((&all.counts[..], all.classes(), all.rarest()), (&[150, 0, 200, 50][..], 3, Some(3)));
        let share = all.share(3, &mut random);
        assert_eq!(share.value, 0.125);
        // ±1.96 √(p (1 - p) / n).
        let half = 1.96 * (0.125f64 * 0.875 / 400.0).sqrt();
        let width = (share.interval.high - share.interval.low) / (2.0 * half);
        assert!((0.85..1.15).contains(&width), "{share:?}, ±{half}");
        let expected = -[0.375, 0.5, 0.125].map(|s| s * libm::log(s)).iter().sum::<f64>();
        let entropy = all.entropy(&mut random);
        assert!((entropy.value - expected).abs() < 1e-12);
        assert!(entropy.interval.low < expected && expected < entropy.interval.high, "{entropy:?}");
        assert!((shares(&[7; 10]).entropy(&mut random).value - libm::log(10.0)).abs() < 1e-12);
    }

    #[test]
    fn modes_that_are_known() {
        let mut counts = vec![0; STACKED_MODES];
        counts[3] = 26_000;
        let Modes { found, divergence, .. } = Modes::of(&counts);
        assert!(found == 1 && (divergence - libm::log(1000.0)).abs() < 1e-12);
        let Modes { found, divergence, .. } = Modes::of(&[26; STACKED_MODES]);
        assert!(found == STACKED_MODES && divergence.abs() < 1e-12);
        counts.fill(0);
        for word in Random::new(1, Purpose::CHECK).words(26_000) {
            counts[((u64::from(word) * 1000) >> 32) as usize] += 1;
        }
        let Modes { found, divergence, .. } = Modes::of(&counts);
        assert!(found == STACKED_MODES && (divergence - 999.0 / 52_000.0).abs() < 0.004, "{divergence}");
    }

    /// Of a generator that makes some modes ten thousand times as often as others: held to how much the figures of
    /// other sets of its samples differ.
    #[test]
    fn intervals_of_modes_are_as_wide_as_figures_differ() {
        let modes = 200;
        let draw = |seed: u64| {
            let uniform = Random::new(seed, Purpose::CHECK).uniform(4000);
            let mode = |u: f64| ((libm::exp(u * libm::log(1e4)) - 1.0) / (1e4 - 1.0) * modes as f64) as usize;
            ClassShares::of(uniform.into_iter().map(mode), vec![true; modes])
        };
        let of_others: Vec<Modes> = (100..300).map(|seed| draw(seed).modes()).collect();
        let figures: [fn(&Modes) -> f64; 2] = [|modes| modes.found as f64, |modes| modes.divergence];
        for (place, figure) in figures.into_iter().enumerate() {
            let mut values: Vec<f64> = of_others.iter().map(figure).collect();
            values.sort_by(f64::total_cmp);
            let (low, high) = (values[5], values[194]);
            let some = (1..=20).map(|seed| draw(seed).modes_in_figures(&mut Random::new(seed, RESAMPLING))[place]);
            let widths = some.map(|f| f.interval.high - f.interval.low).sum::<f64>() / 20.0;
            assert!((0.6..1.7).contains(&(widths / (high - low))), "{widths} where {low} to {high}");
        }
    }
}
