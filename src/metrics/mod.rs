//! Measures of how good samples are, computed from the samples or from features of them. docs/metrics.md says what each
//! of them shows and what it hides.
//!
//! The results depend on the input alone: they have the same bits for any number of threads and with every instruction
//! set.

mod bootstrap;
mod classes;
mod eigen;
mod frechet;
mod kernel;
mod manifold;
mod nearest;
mod pairs;
mod points;
mod product;
mod score;
mod shadows;
mod sieve;
mod sliced_wasserstein;

pub use bootstrap::{Figure, Interval};
pub use classes::{ClassShares, Modes, nearest_classes};
pub use eigen::square_root;
pub use frechet::{FrechetDistance, Moments, frechet_distance, frechet_of_samples};
pub use kernel::{KernelSet, kernel_distance};
pub use manifold::{COVERAGE_NEIGHBOURS, Manifold, Overlap, PRECISION_NEIGHBOURS};
pub use nearest::{Nearest, closest, nearest};
pub use points::Points;
pub use score::{classifier_score, confidence, largest};
pub use sliced_wasserstein::sliced_wasserstein;

use crate::random::Purpose;

/// The random numbers that choose the images with which samples are compared, and the directions of the comparison.
pub const COMPARISON: Purpose = Purpose::new(10);

/// The random numbers of the resamples for figures' intervals.
pub const RESAMPLING: Purpose = Purpose::new(11);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::isa::{self, InstructionSet};
    use crate::random::Random;
    use rayon::ThreadPoolBuilder;

    /// Every figure's bits, of sets that are larger than what is worked on at a time.
    fn bits() -> Vec<u64> {
        let (d, classes) = (8, 4);
        let mut random = Random::new(1, Purpose::CHECK);
        let mut draw = |n: usize| -> Vec<f32> { random.normal(n * d).iter().map(|&v| v as f32).collect() };
        let (real, samples) = (draw(2500), draw(1100));
        let probabilities: Vec<f32> = samples
            .chunks(d)
            .flat_map(|row| {
                let sum: f32 = row[..classes].iter().map(|v| v.abs()).sum();
                row[..classes].iter().map(move |v| v.abs() / sum)
            })
            .collect();
        let (real, samples) = (Points::of(&real, d), Points::of(&samples, d));
        let mut random = Random::new(2, RESAMPLING);
        let distance = frechet_of_samples(&Moments::of(&real), &samples, &mut random);
        let [a, b] = [&real, &samples].map(|points| KernelSet::of(points, &mut random));
        let overlap = Overlap::of((&real, &Manifold::of(&real)), (&samples, &Manifold::of(&samples)));
        let figures = [
            distance.distance,
            kernel_distance(&a, &b, &mut random),
            overlap.precision(&mut random),
            overlap.recall(&mut random),
            overlap.density(&mut random),
            overlap.coverage(&mut random),
            classifier_score(&probabilities, classes, &mut random),
            confidence(&probabilities, classes, &mut random),
        ];
        let figures = figures.iter().flat_map(|f| [f.value, f.interval.low, f.interval.high]);
        let nearest = nearest(&samples, &real).into_iter().map(|nearest| nearest.distance);
        figures.chain([distance.extrapolated]).chain(nearest).map(f64::to_bits).collect()
    }

    #[test]
    fn figures_are_the_same_for_any_number_of_threads_and_with_every_instruction_set() {
        let with = |threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(bits);
        let one = with(1);
        assert!(one == with(2) && one == with(7));
        // That it changes under other tests must not tell in them, either.
        for set in InstructionSet::available() {
            isa::choose(set);
            assert!(one == bits(), "{set}");
        }
        InstructionSet::available().next().into_iter().for_each(isa::choose);
    }
}
