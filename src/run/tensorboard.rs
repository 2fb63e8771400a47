//! What a run tells TensorBoard: about three points an epoch, a grid of samples at the end of each,
//! and the recipe.
//!
//! | tag | what |
//! |---|---|
//! | `loss/discriminator`, `loss/generator` | what each minimises; see [`crate::gan::loss`] |
//! | `loss/wasserstein_estimate` | with the Wasserstein loss: minus the critic's loss, without its penalty |
//! | `output/real`, `output/fake` | mean D(x) and D(G(z)) |
//! | `gradient_norm/...`, `learning_rate/...` | of the `discriminator` and the `generator` |
//! | `throughput/images_per_second` | real images, of one step |
//! | `epoch/seconds`, `epoch/data_wait_seconds` | how long an epoch took, and how long of that it waited for data |
//! | `score/sliced_wasserstein`, `score/classes_present` | see [`super::scores`] |
//! | `samples`, `recipe` | the grid, the TOML text |

use super::log::EpochTime;
use super::scores::Scores;
use crate::Result;
use crate::gan::report::StepReport;
use crate::recipe::Recipe;
use crate::report::{EventFile, Picture};
use std::path::Path;

/// Points that a curve gets in an epoch.
const POINTS: u64 = 3;

/// The event file of a run.
pub struct TensorBoard {
    file: EventFile,
    /// Steps from point to point.
    every: u64,
    /// Whether the generator's point is still to come: with a critic loop it does not move in every
    /// step.
    generator_due: bool,
    /// The discriminator's and the generator's.
    learning_rates: [f64; 2],
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
        let every = steps_per_epoch.div_ceil(POINTS);
        Ok(TensorBoard {
            file,
            every,
            generator_due: moved < last_point(last, every),
            learning_rates: [&recipe.discriminator, &recipe.generator].map(|network| network.optimizer.learning_rate()),
        })
    }

    /// Whether `step`, counted from 1, is to report the norms of its gradients.
    pub fn measures(&self, step: u64) -> bool {
        self.generator_due || self.is_point(step)
    }

    fn is_point(&self, step: u64) -> bool {
        last_point(step, self.every) == step
    }

    /// Writes the points of `step`, if it has any.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn step(&mut self, step: u64, report: &StepReport, images_per_second: f64) -> Result<()> {
        let [discriminator_rate, generator_rate] = self.learning_rates;
        if self.is_point(step) {
            self.generator_due = true;
            self.scalars(
                step,
                &[
                    ("loss/discriminator", Some(report.d_loss)),
                    ("loss/wasserstein_estimate", report.wasserstein),
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
        self.scalars(
            step,
            &[
                ("epoch/seconds", time.map(|time| time.whole.as_secs_f64())),
                ("epoch/data_wait_seconds", time.map(|time| time.waited.as_secs_f64())),
                ("score/sliced_wasserstein", Some(scores.sliced_wasserstein)),
                ("score/classes_present", present),
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

/// The last step up to `step` that has a point: the first, and every `every`th.
fn last_point(step: u64, every: u64) -> u64 {
    (step / every * every).max(step.min(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_two_or_three_points_an_epoch_and_one_of_the_first_step() {
        for (steps, points) in [(1, 1), (3, 3), (5, 3), (156, 4), (937, 3)] {
            let every = u64::div_ceil(steps, POINTS);
            let is_point = |&step: &u64| last_point(step, every) == step;
            assert_eq!((1..=steps).filter(is_point).count(), points, "{steps}");
        }
        assert_eq!(last_point(0, 5), 0);
    }

    /// A critic loop that was stopped between its point and the generator's step still owes that one.
    #[test]
    fn the_generators_point_is_not_lost_by_a_stop() {
        let folder = tempfile::tempdir().unwrap();
        let recipe = Recipe::load("wgan-gp-mnist", &[]).unwrap();
        let open = |last, moved| TensorBoard::open(folder.path(), &recipe, 30, last, moved).unwrap();
        assert!(open(12, 8).measures(13));
        assert!(!open(12, 11).measures(13));
        assert!(open(2, 0).measures(3));
        assert!(!open(0, 0).measures(2));
    }
}
