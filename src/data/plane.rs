//! Two-dimensional sets: points of the plane from a known distribution. What a generator has learned and what it has
//! lost can be seen at a glance, and counted without a judge.
//!
//! | name | points |
//! |---|---|
//! | `ring-2d` | 8 Gaussians, sigma 0.02, evenly on a circle of radius 2 (Metz et al. 2017) |
//! | `grid-2d` | 25 Gaussians, sigma 0.05, on a grid of 5 by 5, 2 apart |
//! | `spiral-2d` | along r = 2 θ/4π for θ from π/2 to 4π, evenly by length, blurred by a Gaussian of sigma 0.05; its modes are 16 stretches of equal length |
//!
//! All three are mixtures of equal Gaussians around [`anchors`](Plane::anchors); those of the spiral are so close
//! together that they make a line. A point is *good* within three sigma of an anchor, and belongs to the mode of the
//! nearest one.
//!
//! Points are sampled anew for every batch: no network sees one twice.

use crate::random::{Purpose, Random};
use std::collections::BTreeSet;
use std::f64::consts::{PI, TAU};

/// The random numbers of the points in batches.
pub const POINTS: Purpose = Purpose::new(13);

/// How many points count as an epoch, as these sets have no end.
pub const EPOCH: usize = 12_800;

/// The largest distance of a good point from the nearest anchor, in sigma.
const GOOD: f64 = 3.0;

/// The anchors of the spiral, which its modes share.
const SPIRAL_ANCHORS: usize = 1024;
const SPIRAL_MODES: usize = 16;

/// One of the sets.
///
/// ```
/// use minimax::data::plane::{POINTS, Plane};
/// use minimax::random::Random;
///
/// let points = Plane::Ring.sample(1000, &mut Random::new(1, POINTS));
/// let found = Plane::Ring.find(&points);
/// assert_eq!((found.modes, found.of), (8, 8));
/// assert!(found.good > 0.95);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plane {
    /// `ring-2d`.
    Ring,
    /// `grid-2d`.
    Grid,
    /// `spiral-2d`.
    Spiral,
}

/// How many of a set's modes have been found, and how many of the points that were looked at are good.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Modes with at least one good point.
    pub modes: usize,
    /// All modes of the set.
    pub of: usize,
    /// The share of good points, from 0 to 1.
    pub good: f64,
}

impl Plane {
    /// All the sets.
    pub const ALL: [Plane; 3] = [Plane::Ring, Plane::Grid, Plane::Spiral];

    /// The set of that name, if there is one.
    pub fn named(name: &str) -> Option<Plane> {
        Plane::ALL.into_iter().find(|plane| plane.name() == name)
    }

    /// What recipes and `--data` call it.
    pub fn name(self) -> &'static str {
        match self {
            Plane::Ring => "ring-2d",
            Plane::Grid => "grid-2d",
            Plane::Spiral => "spiral-2d",
        }
    }

    /// The standard deviation of each Gaussian, in both directions.
    pub fn sigma(self) -> f64 {
        match self {
            Plane::Ring => 0.02,
            Plane::Grid | Plane::Spiral => 0.05,
        }
    }

    /// How many modes it has.
    pub fn modes(self) -> usize {
        match self {
            Plane::Ring => 8,
            Plane::Grid => 25,
            Plane::Spiral => SPIRAL_MODES,
        }
    }

    /// The means of its Gaussians, `[x, y]` each. Every mode has the same number of them, one after the other.
    pub fn anchors(self) -> Vec<[f64; 2]> {
        let around = |angle: f64, radius: f64| {
            let (sin, cos) = libm::sincos(angle);
            [radius * cos, radius * sin]
        };
        match self {
            Plane::Ring => (0..8).map(|i| around(TAU * i as f64 / 8.0, 2.0)).collect(),
            Plane::Grid => (0..25).map(|i| [2.0 * (i % 5) as f64 - 4.0, 2.0 * (i / 5) as f64 - 4.0]).collect(),
            Plane::Spiral => {
                let along = |i: usize| {
                    let share = (i as f64 + 0.5) / SPIRAL_ANCHORS as f64;
                    let [first, last] = [PI / 2.0, 2.0 * TAU];
                    // The length of r = aθ up to θ is aθ²/2, nearly: evenly by length is evenly by θ².
                    let angle = (first * first + share * (last * last - first * first)).sqrt();
                    around(angle, 2.0 * angle / last)
                };
                (0..SPIRAL_ANCHORS).map(along).collect()
            }
        }
    }

    /// The largest distance of an anchor from 0 along either axis.
    pub fn reach(self) -> f64 {
        match self {
            Plane::Ring | Plane::Spiral => 2.0,
            Plane::Grid => 4.0,
        }
    }

    /// Half the side of the square around 0 that shows all of the set with some room around it.
    pub fn extent(self) -> f64 {
        1.3 * self.reach()
    }

    /// `count` random points `[count, 2]`: for each an anchor, with equal probability, and a normal offset along both
    /// axes.
    pub fn sample(self, count: usize, random: &mut Random) -> Vec<f32> {
        let (anchors, sigma) = (self.anchors(), self.sigma());
        let places = random.uniform(count);
        let steps = random.normal(2 * count);
        let point = |(place, step): (f64, &[f64])| {
            let anchor = anchors[(place * anchors.len() as f64) as usize];
            [0, 1].map(|axis| (anchor[axis] + sigma * step[axis]) as f32)
        };
        places.into_iter().zip(steps.chunks_exact(2)).flat_map(point).collect()
    }

    /// The share of good points among the set's own, estimated from 10,000 samples; it is 1 - exp(-9/2) where no mode
    /// has neighbours.
    pub fn good_of_own(self) -> f64 {
        self.find(&self.sample(10_000, &mut Random::new(0, POINTS))).good
    }

    /// The mode of each of `points` `[n, 2]`, or `None` for a point that isn't good.
    ///
    /// # Panics
    /// If the number of coordinates is odd.
    pub fn modes_of(self, points: &[f32]) -> Vec<Option<usize>> {
        assert!(points.len().is_multiple_of(2), "Plane::modes_of: {} numbers are no points", points.len());
        let anchors = self.anchors();
        let of_each = anchors.len() / self.modes();
        let mode = |point: &[f32]| {
            let square = |anchor: &[f64; 2]| {
                let [x, y] = [0, 1].map(|axis| f64::from(point[axis]) - anchor[axis]);
                x * x + y * y
            };
            let squares = anchors.iter().map(square).enumerate();
            let (nearest, square) = squares.min_by(|a, b| a.1.total_cmp(&b.1)).expect("there are anchors");
            (square.sqrt() <= GOOD * self.sigma()).then_some(nearest / of_each)
        };
        points.chunks_exact(2).map(mode).collect()
    }

    /// How much of this set is in `points` `[n, 2]`.
    ///
    /// # Panics
    /// If the number of coordinates is odd.
    pub fn find(self, points: &[f32]) -> Found {
        let modes = self.modes_of(points);
        let good = modes.iter().flatten().count();
        let found: BTreeSet<&usize> = modes.iter().flatten().collect();
        Found { modes: found.len(), of: self.modes(), good: good as f64 / modes.len().max(1) as f64 }
    }
}

/// Batches of points, each a pure function of (seed, step).
#[derive(Clone, Debug)]
pub struct PlaneBatches {
    plane: Plane,
    batch_size: usize,
    seed: u64,
}

impl PlaneBatches {
    /// Batches of `batch_size` points.
    ///
    /// # Panics
    /// If `batch_size` is 0 or more than an [`EPOCH`].
    pub fn new(plane: Plane, batch_size: usize, seed: u64) -> PlaneBatches {
        assert!((1..=EPOCH).contains(&batch_size), "PlaneBatches: {batch_size} of {EPOCH} points");
        PlaneBatches { plane, batch_size, seed }
    }

    /// The set.
    pub fn plane(&self) -> Plane {
        self.plane
    }

    /// How many whole batches an epoch has, at least 1.
    pub fn steps_per_epoch(&self) -> u64 {
        (EPOCH / self.batch_size) as u64
    }

    /// Batch `step`, counted from 0, `[batch_size, 2]`.
    pub fn batch(&self, step: u64) -> Vec<f32> {
        let mut random = Random::new(self.seed, POINTS);
        // What `sample` takes from the stream: one number for each point, then two.
        let blocks = self.batch_size.div_ceil(4) + (2 * self.batch_size).div_ceil(4);
        random.skip(step.wrapping_mul(blocks as u64));
        self.plane.sample(self.batch_size, &mut random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_found_whole_and_as_good_as_a_gaussian_is() {
        for plane in Plane::ALL {
            assert_eq!(Plane::named(plane.name()), Some(plane));
            let points = plane.sample(20_000, &mut Random::new(3, POINTS));
            let found = plane.find(&points);
            assert_eq!((found.modes, found.of), (plane.modes(), plane.modes()), "{plane:?}");
            // 1 - exp(-9/2) = 98.9% of a Gaussian in the plane lie within three sigma of its mean; a point near a
            // neighbour's mean is good too.
            let least = 1.0 - libm::exp(-4.5) - 0.003;
            assert!((least..=1.0).contains(&found.good), "{plane:?}: {found:?}");
            let reach = points.iter().fold(0.0, |reach: f32, v| reach.max(v.abs()));
            assert!(f64::from(reach) < plane.extent(), "{plane:?} reaches to {reach}");
        }
    }

    #[test]
    fn every_mode_is_drawn_alike_often() {
        for plane in Plane::ALL {
            let anchors = plane.anchors();
            let mut counts = vec![0; plane.modes()];
            for point in plane.sample(16_000, &mut Random::new(1, POINTS)).chunks_exact(2) {
                let far =
                    |anchor: &[f64; 2]| libm::hypot(f64::from(point[0]) - anchor[0], f64::from(point[1]) - anchor[1]);
                let nearest = (0..anchors.len()).min_by(|&a, &b| far(&anchors[a]).total_cmp(&far(&anchors[b])));
                counts[nearest.unwrap() * plane.modes() / anchors.len()] += 1;
            }
            let even = 16_000 / plane.modes();
            assert!(counts.iter().all(|count| (even * 4 / 5..even * 5 / 4).contains(count)), "{plane:?}: {counts:?}");
        }
    }

    #[test]
    fn a_mode_that_is_left_out_and_points_between_are_told() {
        let seven: Vec<f32> = Plane::Ring.anchors()[..7].iter().flatten().map(|&v| v as f32).collect();
        let found = Plane::Ring.find(&[&seven[..], &[0.0, 0.0]].concat());
        assert_eq!(found, Found { modes: 7, of: 8, good: 7.0 / 8.0 });
        assert_eq!(Plane::Grid.find(&[1.0; 10]), Found { modes: 0, of: 25, good: 0.0 });
        assert_eq!(Plane::Spiral.find(&[]).modes, 0);
    }

    #[test]
    fn a_batch_depends_on_seed_and_step_alone_and_none_comes_again() {
        let batches = PlaneBatches::new(Plane::Grid, 30, 7);
        let all: Vec<Vec<f32>> = (0..20).map(|step| batches.batch(step)).collect();
        assert_eq!(batches.batch(11), all[11]);
        assert_ne!(PlaneBatches::new(Plane::Grid, 30, 8).batch(11), all[11]);
        let mut firsts: Vec<u32> = all.iter().map(|batch| batch[0].to_bits()).collect();
        firsts.sort_unstable();
        firsts.dedup();
        assert_eq!(firsts.len(), all.len());
        assert_eq!(batches.steps_per_epoch(), 426);
    }
}
