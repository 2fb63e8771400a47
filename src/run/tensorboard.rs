//! What a run writes for TensorBoard: points of its curves, a grid of samples at the end of each epoch and within the
//! first, and the recipe.
//!
//! Each of the first 100 steps has a point, then every second step up to 200, every fourth up to 400, and so on, but at
//! least three steps in an epoch. So a curve has a hundred points or more as soon as there are as many steps, however
//! long the run will be. Which steps have a point doesn't change when a run is stopped and resumed.
//!
//! | tag | what |
//! |---|---|
//! | `loss/discriminator`, `loss/generator` | what each minimises; see [`crate::gan::loss`] |
//! | `loss/wasserstein_estimate` | with the Wasserstein loss: minus the critic's loss, without its penalty |
//! | `loss/classifier` | in a game of three; see [`crate::gan::triple`] |
//! | `output/real`, `output/fake` | mean D(x) and D(G(z)) |
//! | `gradient_norm/...`, `learning_rate/...` | those of the `discriminator` and the `generator` |
//! | `throughput/images_per_second` | real images, of one step |
//! | `epoch/seconds`, `epoch/data_wait_seconds` | how long an epoch took, and how long of that it waited for data |
//! | `epoch/augment_chance` | the probability of augmentation, if it is adaptive |
//! | `score/sliced_wasserstein`, `score/sliced_floor`, `score/classes_present` | see [`super::scores`] |
//! | `score/frechet_distance`, `score/frechet_floor`, `score/confidence` | what the judge says, if there is one |
//! | `score/asked_class`, `score/asked_floor` | of conditional games: samples, and test images, of the class that was asked for |
//! | `score/modes_found`, `score/modes_floor` | of stacked sets, and of points of the plane |
//! | `score/modes_divergence`, `score/divergence_floor` | of stacked sets |
//! | `score/classifier_error` | in a game of three: the share of test images that it classifies wrongly |
//! | `score/good_share` | of points of the plane |
//! | `samples`, `recipe` | the grid, the TOML text |

use super::log::EpochTime;
use super::scores::Scores;
use crate::Result;
use crate::gan::report::StepReport;
use crate::recipe::Recipe;
use crate::report::{EventFile, Picture};
use std::path::Path;

/// The number of first steps that each have a point, and half of the smallest number of points that a curve has later.
const FIRST: u64 = 100;

/// The smallest number of points that a curve gets in an epoch.
const EPOCH_POINTS: u64 = 3;

/// The event file of a run.
pub struct TensorBoard {
    file: EventFile,
    /// The largest number of steps between two points, a power of two.
    most: u64,
    /// Whether the generator's point is still to come, as with a critic loop it doesn't move in every step.
    generator_due: bool,
}

impl TensorBoard {
    /// The event file in `folder`, without what was written after step `last`; `moved` is the last
    /// step up to there in which the generator moved.
    ///
    /// # Errors
    /// If it can't be read or written.
    pub fn open(folder: &Path, recipe: &Recipe, steps_per_epoch: u64, last: u64, moved: u64) -> Result<TensorBoard> {
        let mut file = EventFile::open(folder, last)?;
        if last == 0 {
            let toml = format!("```toml\n{}```\n", recipe.to_toml());
            file.text(0, "recipe", &toml)?;
        }
        let most = most_between(steps_per_epoch);
        Ok(TensorBoard { file, most, generator_due: moved < last_point(last, most) })
    }

    /// Whether `step`, counted from 1, is to report the norms of its gradients.
    pub fn measures(&self, step: u64) -> bool {
        self.generator_due || self.is_point(step)
    }

    fn is_point(&self, step: u64) -> bool {
        last_point(step, self.most) == step
    }

    /// Writes the points of `step`, if it has any; `rates` are the learning rates of the discriminator and the
    /// generator.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn step(&mut self, step: u64, report: &StepReport, rates: [f64; 2], images_per_second: f64) -> Result<()> {
        let [discriminator_rate, generator_rate] = rates;
        if self.is_point(step) {
            self.generator_due = true;
            self.scalars(
                step,
                &[
                    ("loss/discriminator", Some(report.d_loss)),
                    ("loss/wasserstein_estimate", report.wasserstein),
                    ("loss/classifier", report.c_loss),
                    ("output/real", Some(report.d_real)),
                    ("output/fake", Some(report.d_fake)),
                    ("gradient_norm/discriminator", report.d_gradient_norm),
                    ("learning_rate/discriminator", Some(discriminator_rate)),
                    ("throughput/images_per_second", Some(images_per_second)),
                ],
            )?;
        }
        if self.generator_due && report.g_loss.is_some() {
            self.generator_due = false;
            self.scalars(
                step,
                &[
                    ("loss/generator", report.g_loss),
                    ("gradient_norm/generator", report.g_gradient_norm),
                    ("learning_rate/generator", Some(generator_rate)),
                ],
            )?;
        }
        Ok(())
    }

    /// Writes what is known after the last step of an epoch.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn epoch(&mut self, step: u64, time: Option<EpochTime>, scores: &Scores) -> Result<()> {
        let present = scores.classes.as_ref().map(|shares| shares.present() as f64);
        let modes = scores.judged.and_then(|judged| judged.modes);
        let modes_floor = scores.judged.and_then(|judged| judged.modes_floor);
        self.scalars(
            step,
            &[
                ("epoch/seconds", time.map(|time| time.whole.as_secs_f64())),
                ("epoch/data_wait_seconds", time.map(|time| time.waited.as_secs_f64())),
                ("score/sliced_wasserstein", Some(scores.sliced_wasserstein)),
                ("score/sliced_floor", scores.sliced_floor),
                ("score/classes_present", present),
                ("score/frechet_distance", scores.judged.map(|judged| judged.frechet_distance)),
                ("score/frechet_floor", scores.judged.and_then(|judged| judged.frechet_floor)),
                ("score/confidence", scores.judged.map(|judged| judged.confidence)),
                ("score/asked_class", scores.judged.and_then(|judged| judged.asked_class)),
                ("score/asked_floor", scores.judged.and_then(|judged| judged.asked_floor)),
                ("score/modes_found", scores.modes_found().map(|modes| modes as f64)),
                ("score/modes_floor", scores.modes_floor().map(|modes| modes as f64)),
                ("score/modes_divergence", modes.map(|modes| modes.divergence)),
                ("score/divergence_floor", modes_floor.map(|modes| modes.divergence)),
                ("score/classifier_error", scores.classifier_error),
                ("epoch/augment_chance", scores.augment_chance),
                ("score/good_share", scores.found.map(|found| found.good)),
            ],
        )
    }

    /// Writes a grid of samples.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn grid(&mut self, step: u64, picture: &Picture) -> Result<()> {
        self.file.image(step, "samples", picture)
    }

    /// Puts everything on the disk.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn sync(&mut self) -> Result<()> {
        self.file.sync()
    }

    fn scalars(&mut self, step: u64, values: &[(&str, Option<f64>)]) -> Result<()> {
        for &(tag, value) in values {
            if let Some(value) = value {
                self.file.scalar(step, tag, value)?;
            }
        }
        Ok(())
    }
}

/// The largest power of two of steps from point to point that gives an epoch its points; 1 for the shortest.
fn most_between(steps_per_epoch: u64) -> u64 {
    let most = (steps_per_epoch / EPOCH_POINTS).max(1);
    1 << most.ilog2()
}

/// The last step up to `step` that has a point, with at most `most` steps from point to point; 0 if there is none.
fn last_point(step: u64, most: u64) -> u64 {
    // Where the distance doubles, at 100, 200, 400, ..., the step is a multiple of the distances before and after.
    let every = step.div_ceil(FIRST).max(1).next_power_of_two().min(most);
    step / every * every
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_has_a_hundred_points_or_more_and_an_epoch_three() {
        for (per_epoch, epochs) in [(1, 400), (4, 100), (156, 2), (156, 18), (937, 1), (937, 100), (8000, 5)] {
            let most = most_between(per_epoch);
            let total = per_epoch * epochs;
            let points: Vec<u64> = (1..=total).filter(|&step| last_point(step, most) == step).collect();
            let case = format!("{epochs} epochs of {per_epoch}");
            assert_eq!(points[0], 1, "{case}");
            assert!(points.len() as u64 >= total.min(100), "{case}: {}", points.len());
            // As few as that: the logarithm's share, and up to six an epoch.
            let bound = 100 + 50 * u64::from((total / 100).max(1).ilog2() + 1) + 6 * epochs;
            assert!(points.len() as u64 <= bound, "{case}: {}", points.len());
            for epoch in 0..epochs {
                let within = |step: &&u64| (epoch * per_epoch + 1..=(epoch + 1) * per_epoch).contains(*step);
                assert!(points.iter().filter(within).count() as u64 >= per_epoch.min(3), "{case}: epoch {epoch}");
            }
            // What is asked of a step in between is the point before it.
            for step in 1..=total.min(5000) {
                let before = points.iter().rev().find(|&&point| point <= step);
                assert_eq!(Some(&last_point(step, most)), before, "{case}: step {step}");
            }
        }
        assert_eq!(last_point(0, 5), 0);
    }

    /// A critic loop that was stopped between its point and the generator's step still owes that one.
    #[test]
    fn the_generators_point_is_not_lost_by_a_stop() {
        let folder = tempfile::tempdir().unwrap();
        let recipe = Recipe::load("wgan-gp-mnist", &[]).unwrap();
        let open = |last, moved| TensorBoard::open(folder.path(), &recipe, 60, last, moved).unwrap();
        // Between 400 and 800 every eighth step has a point.
        assert!(open(482, 478).measures(483));
        assert!(!open(482, 481).measures(483) && open(482, 481).measures(488));
        assert!(!open(0, 0).generator_due && open(2, 0).generator_due && !open(2, 2).generator_due);
    }
}
