//! What a run on points of the plane shows instead of grids, and the scores of its samples.

use super::Run;
use super::save::LookedAt;
use super::scores::{SAMPLES, Scores};
use crate::Result;
use crate::data::plane::Plane;
use crate::gan::latents::Latents;
use crate::gan::model::sample;
use crate::gan::report::not_finite;
use crate::metrics::{COMPARISON, Points, sliced_wasserstein};
use crate::random::Random;
use crate::recipe::LossSpec;
use crate::report::Picture;
use crate::report::map::{Map, field_places};
use crate::tensor::Tensor;

/// The number of values of D's output along each side of a map.
const FIELD: usize = 120;
/// The number of values that D computes at a time.
const AT_A_TIME: usize = 3600;
/// The number of samples that have an arrow; arrows for all would hide what is below.
const ARROWS: usize = 60;
/// Points that are this share of a sigma apart along each axis are the same.
const SAME: f64 = 0.05;

impl Run {
    /// `count` points from the run's fixed latents, `[count, 2]`; the first are the same for any count.
    ///
    /// # Errors
    /// If a coordinate is not finite.
    pub(super) fn sample_points(&mut self, count: usize) -> Result<Vec<f32>> {
        let width = self.recipe.generator.input[0];
        let latents = Latents::fixed(self.recipe.training.seed, count, width);
        let batch = self.recipe.training.batch_size;
        let points = sample(self.gan.sampled_mut(), &latents, batch, self.device).to_f32();
        match points.iter().all(|v| v.is_finite()) {
            true => Ok(points),
            false => Err(not_finite(self.gan.steps, "the generator's points are not finite")),
        }
    }

    /// D's output over the plane, with real points, `samples`, and the pull on these.
    pub(super) fn map(&mut self, plane: Plane, samples: &[f32]) -> Picture {
        let extent = plane.extent();
        let mut field = Vec::new();
        for places in field_places(extent, FIELD).chunks(2 * AT_A_TIME) {
            let places = Tensor::from_f32(places, [places.len() / 2, 2], self.device);
            field.extend(self.gan.outputs_at(&places));
        }
        if !matches!(self.recipe.training.loss, LossSpec::Bce | LossSpec::Minimax) {
            stretch(&mut field);
        }
        let arrows = ARROWS.min(samples.len() / 2);
        let first = Tensor::from_f32(&samples[..2 * arrows], [arrows, 2], self.device);
        let pulls = self.gan.pull_at(&first).to_f32();
        let real = real_points(plane, self.recipe.samples.count, self.recipe.training.seed);
        Map { extent, field: &field, real: &real, samples, pulls: &pulls }.render()
    }

    /// The points of the fixed latents, scored against as many real ones.
    pub(super) fn look_at_points(&mut self, plane: Plane) -> Result<LookedAt> {
        let on_map = self.recipe.samples.count;
        let samples = self.sample_points(SAMPLES.max(on_map))?;
        let picture = self.map(plane, &samples[..2 * on_map]);
        let some = &samples[..2 * SAMPLES];
        let mut random = Random::new(self.recipe.training.seed, COMPARISON);
        let real = plane.sample(SAMPLES, &mut random);
        let floor = || {
            let mut random = Random::new(self.recipe.training.seed, COMPARISON);
            let [real, others] = [SAMPLES; 2].map(|count| plane.sample(count, &mut random));
            Some(sliced_wasserstein(&Points::of(&others, 2), &Points::of(&real, 2), &mut random))
        };
        let scores = Scores {
            classifier_error: None,
            augment_chance: None,
            sliced_wasserstein: sliced_wasserstein(&Points::of(some, 2), &Points::of(&real, 2), &mut random),
            sliced_floor: *self.sliced_floor.get_or_insert_with(floor),
            classes: None,
            found: Some(plane.find(some)),
            judged: None,
        };
        let first = &some[..2];
        let near =
            |point: &[f32]| point.iter().zip(first).all(|(a, b)| f64::from((a - b).abs()) < SAME * plane.sigma());
        Ok(LookedAt { picture, scores, is_constant: some.chunks_exact(2).all(near), extremes: None })
    }
}

/// The real points of a map.
pub(super) fn real_points(plane: Plane, count: usize, seed: u64) -> Vec<f32> {
    plane.sample(count, &mut Random::new(seed, COMPARISON))
}

/// Real points alone.
pub(super) fn real_map(plane: Plane, count: usize, seed: u64) -> Picture {
    let real = real_points(plane, count, seed);
    Map { extent: plane.extent(), field: &[], real: &real, samples: &[], pulls: &[] }.render()
}

/// Maps values of any range to values from 0 to 1, evenly.
fn stretch(values: &mut [f64]) {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let range = (high - low).max(f64::MIN_POSITIVE);
    values.iter_mut().for_each(|value| *value = (*value - low) / range);
}
