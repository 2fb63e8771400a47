//! `minimax judge` for a run on points of the plane, whose distribution is known, so that no classifier is needed.

use super::samples::{COUNT, SamplesArgs};
use super::subject::Subject;
use super::table::{counted, figure, number};
use crate::cli::print;
use crate::cli::table::{Align, align, thousands};
use crate::data::place::name_of;
use crate::data::plane::Plane;
use crate::gan::latents::Latents;
use crate::gan::model;
use crate::metrics::{COMPARISON, Figure, Points, RESAMPLING, sliced_wasserstein};
use crate::random::Random;
use crate::run::checkpoint::Trained;
use crate::storage::Device;
use crate::{Error, Result};
use serde_json::{Value, json};

/// Judges the run of `subject` if it makes points, and prints the findings; returns the subject if it doesn't.
///
/// # Errors
/// [`Error::Usage`] if a flag is given that is for images.
pub(super) fn run(args: &SamplesArgs, subject: Subject, device: Device) -> Result<Option<Subject>> {
    let Subject::Generator(file, trained) = subject else {
        return Ok(Some(subject));
    };
    let Some(plane) = Plane::named(&trained.recipe.data.name) else {
        return Ok(Some(Subject::Generator(file, trained)));
    };
    let name = plane.name();
    let other_data = args.data.as_deref().is_some_and(|data| name_of(data) != name);
    let flags = [("--data", other_data), ("--judge", args.judge.is_some()), ("--pairs", args.pairs.is_some())];
    if let Some((flag, _)) = flags.into_iter().find(|(_, given)| *given) {
        return Err(Error::Usage(format!("{flag}: the run makes points of {name}, not images; leave the flag out")));
    }
    let Trained { recipe, mut network, step, .. } = *trained;
    let (count, width) = (args.count.unwrap_or(COUNT), recipe.generator.input[0]);
    let seed = args.seed.unwrap_or(recipe.training.seed);
    let latents = Latents::fixed(seed, count, width);
    let samples = model::sample(&mut network, &latents, model::MOST_AT_A_TIME, device).to_f32();
    if samples.iter().any(|v| !v.is_finite()) {
        return Err(Error::data(file, "makes points that are not finite", "judge an earlier state"));
    }
    let what = format!("samples of {} after {step} steps (seed {seed})", recipe.name);
    let found = Findings::of(plane, &samples);
    print(&match args.json {
        true => format!("{}\n", found.to_json(&what, name, count)),
        false => found.to_table(&what, name, count),
    })?;
    Ok(None)
}

/// The findings on samples, and on as many real points.
struct Findings {
    /// The number of modes found, out of [`Findings::of_modes`].
    modes: [Figure; 2],
    of_modes: usize,
    /// The share of good points.
    good: [Figure; 2],
    /// The distance from other real points, in units of the plane.
    sliced_wasserstein: [f64; 2],
}

impl Findings {
    /// The findings on `samples` `[n, 2]`.
    fn of(plane: Plane, samples: &[f32]) -> Findings {
        let count = samples.len() / 2;
        let mut random = Random::new(0, COMPARISON);
        let [real, others] = [count; 2].map(|count| plane.sample(count, &mut random));
        let both = [samples, &others];
        let mut resampling = Random::new(0, RESAMPLING);
        let modes_of = both.map(|points| plane.modes_of(points));
        let mut of_resampled = |figure: fn(Resample) -> f64| {
            [0, 1].map(|i| {
                let modes = &modes_of[i];
                let figure = |times: &[u32]| figure(Resample { modes, times, of: plane.modes() });
                Figure::new(count, figure, &mut resampling)
            })
        };
        Findings {
            modes: of_resampled(|resample| resample.modes()),
            of_modes: plane.modes(),
            good: of_resampled(|resample| resample.good()),
            sliced_wasserstein: both
                .map(|points| sliced_wasserstein(&Points::of(points, 2), &Points::of(&real, 2), &mut random.clone())),
        }
    }

    fn to_table(&self, what: &str, name: &str, count: usize) -> String {
        let mut rows = vec![["figure", "samples [95%]", "real points [95%]", "better"].map(String::from)];
        let mut row = |name: &str, [samples, real]: [String; 2], better: &str| {
            rows.push([name.into(), samples, real, better.into()]);
        };
        row(&format!("modes found, of {}", self.of_modes), self.modes.map(counted), "higher");
        row("good samples, a share", self.good.map(figure), "higher");
        row("sliced Wasserstein", self.sliced_wasserstein.map(number), "lower");
        let count = thousands(count as u64);
        format!("{count} {what}\nbeside as many real points of {name}\n\n{}\n", align(&rows, [Align::Left; 4]))
    }

    fn to_json(&self, what: &str, name: &str, count: usize) -> Value {
        let figure =
            |Figure { value, interval }: Figure| json!({ "value": value, "low": interval.low, "high": interval.high });
        let both = |[samples, real]: [Figure; 2]| json!({ "samples": figure(samples), "real": figure(real) });
        let [samples, real] = self.sliced_wasserstein;
        json!({
            "what": what,
            "samples": count,
            "data": name,
            "figures": {
                "modes_found": both(self.modes),
                "good_share": both(self.good),
                "sliced_wasserstein": { "samples": { "value": samples }, "real": { "value": real } },
            },
            "modes": self.of_modes,
        })
    }
}

/// Points of a resample: the mode of each that is good, and how many times the resample has it.
struct Resample<'a> {
    modes: &'a [Option<usize>],
    times: &'a [u32],
    /// The number of modes of the set.
    of: usize,
}

impl Resample<'_> {
    fn good(self) -> f64 {
        let times = self.modes.iter().zip(self.times).filter(|(mode, _)| mode.is_some()).map(|(_, &times)| times);
        f64::from(times.sum::<u32>()) / self.modes.len() as f64
    }

    fn modes(self) -> f64 {
        let mut found = vec![false; self.of];
        let resampled = self.modes.iter().zip(self.times).filter(|(_, times)| **times > 0);
        resampled.filter_map(|(mode, _)| *mode).for_each(|mode| found[mode] = true);
        found.into_iter().filter(|&found| found).count() as f64
    }
}
