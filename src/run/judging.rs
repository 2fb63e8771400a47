//! The judge of a run. It is chosen when the run begins and kept in its folder, so that all its figures come from one
//! judge.

use super::folder;
use crate::data::sum::Sum;
use crate::data::{Images, Wanted, stacked, test_images};
use crate::files::{self, is_file};
use crate::judge::{self, About, Judge, Score};
use crate::recipe::Recipe;
use crate::storage::Device;
use crate::{Error, Result};
use std::path::Path;

/// What to do about a run's judge that is gone or damaged.
pub(super) const FIX: &str = "put it back, or begin a new run with --init";

/// A run's judge.
pub struct Judging {
    judge: Judge,
    /// The SHA-256 sum of its file.
    identity: String,
    /// Whether it is shown the planes of stacked images.
    is_stacked: bool,
    /// The score of as many test images as samples, or of all if there are fewer, and their number; `None` if there are
    /// too few images to hold any out.
    floor: Option<(Score, usize)>,
}

impl Judging {
    /// The judge in the folder of a run of `recipe` on `images`, if there are images and a judge.
    ///
    /// # Errors
    /// If it can't be read or belongs to other images, or if the test images can't be read.
    pub(super) fn open(
        folder: &Path,
        recipe: &Recipe,
        images: Option<&Images>,
        device: Device,
    ) -> Result<Option<Judging>> {
        let path = folder.join(folder::JUDGE);
        let Some(images) = images else {
            return Ok(None);
        };
        if !is_file(&path)? {
            return Ok(None);
        }
        let bytes = files::read(&path)?;
        let mut judge = judge::parse_or(&path, &bytes, device, FIX)?;
        check(&path, &judge, &recipe.data.name, images)?;
        let is_stacked = stacked::planes_of(&recipe.data.name).is_some();
        let seed = judge.classifier.spec().training.seed;
        let data = &recipe.data;
        // The planes of stacked images may come from pictures.
        let size = is_stacked.then_some([images.height, images.width, images.channels]);
        let wanted = Wanted { seed, size, background: data.background, extra: data.extra };
        let floor = match images.len() < judge::FEWEST {
            true => None,
            false => {
                let test = test_images(&data.name, &wanted, images)?;
                let count = test.len().min(recipe.judge.samples);
                (count >= judge::FEWEST).then(|| match is_stacked {
                    true => (judge.floor_stacked(&test, count, images), count),
                    false => (judge.floor(&test, count, images), count),
                })
            }
        };
        let (sum, _) = Sum::of(&bytes[..]).expect("memory is read without errors");
        Ok(Some(Judging { judge, identity: sum.to_string(), is_stacked, floor }))
    }

    /// The identity of the judge, by which it differs from any other.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The score of samples `[n, h, w, c]` of a run on the `training` images. `asked` has the class that each was to be
    /// of, or is empty.
    pub(super) fn score(&mut self, samples: &[u8], asked: &[u16], training: &Images) -> Score {
        match self.is_stacked {
            true => self.judge.score_stacked(samples, training),
            false => self.judge.score(samples, asked, training),
        }
    }

    /// The score of as many test images as samples, or of all if there are fewer; `None` if there are none.
    pub fn floor(&self) -> Option<&Score> {
        self.floor.as_ref().map(|(score, _)| score)
    }

    /// The number of those test images.
    pub fn floor_images(&self) -> usize {
        self.floor.as_ref().map_or(0, |&(_, count)| count)
    }

    /// The judge's name.
    pub fn name(&self) -> &str {
        &self.judge.classifier.spec().name
    }

    /// What it was trained on, and how well it does.
    pub fn about(&self) -> &About {
        &self.judge.about
    }
}

/// Checks that `judge`, in the file `path`, can judge `images` of the set `data`.
///
/// # Errors
/// [`Error::Place`] if it doesn't.
pub fn check(path: &Path, judge: &Judge, data: &str, images: &Images) -> Result<()> {
    let checked = match stacked::planes_of(data) {
        Some(_) => judge.check_stacked(images),
        None => judge.check(images),
    };
    checked.map_err(|what| Error::place(path, format!("{what}; give the data set's own")))
}
