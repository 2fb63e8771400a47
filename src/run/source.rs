//! The training data of a run: batches of images, or of points of the plane.

use super::checkpoint::DataIdentity;
use crate::data::plane::{self, Plane, PlaneBatches};
use crate::data::{self, Batch, Batches, Images, Opened, Parts, SemiSupervised, Split, Wanted};
use crate::recipe::{Recipe, TripleSpec};
use crate::terminal::excerpt;
use crate::{Error, Result};
use std::sync::Arc;
use std::time::Duration;

/// A batch of either kind.
pub(super) enum Taken<'a> {
    Images(Batch<'a>),
    /// `[n, 2]`.
    Points(Vec<f32>),
}

/// Batches, each a pure function of (seed, step).
pub(super) enum Source {
    Images(Batches),
    /// Images of which few have labels, and test images with labels.
    SemiSupervised(Box<SemiSupervised>, Images),
    Plane(PlaneBatches),
}

impl Source {
    /// The recipe's data in batches, its identity, and notes about it.
    ///
    /// # Errors
    /// If it can't be read or doesn't fit the recipe.
    pub fn open(recipe: &Recipe) -> Result<(Source, DataIdentity, Vec<String>)> {
        let training = &recipe.training;
        let taken = training.real_images();
        if let Some(plane) = Plane::named(&recipe.data.name) {
            recipe.check_labels(&[]).map_err(|what| Error::text("recipe", &recipe.name, what))?;
            check_batch(recipe, plane::EPOCH)?;
            let identity = DataIdentity { count: plane::EPOCH, hash: fnv1a(plane.name().as_bytes()) };
            return Ok((Source::Plane(PlaneBatches::new(plane, taken, training.seed)), identity, Vec::new()));
        }
        let wanted = Wanted {
            seed: training.seed,
            size: <[usize; 3]>::try_from(&recipe.discriminator.input[..]).ok(),
            background: recipe.data.background,
            extra: recipe.data.extra,
        };
        let (images, test, notes) = match recipe.training.triple {
            None => {
                let Opened { images, notes } = data::open(&recipe.data.name, &wanted)?;
                (Arc::new(images), None, notes)
            }
            Some(_) => {
                let Split { training, test, notes, .. } = data::open_split(&recipe.data.name, &wanted)?;
                (training, Some(test), notes)
            }
        };
        let found = [images.height, images.width, images.channels];
        if found[..] != recipe.discriminator.input[..] {
            let (name, takes) = (excerpt(&recipe.data.name), &recipe.discriminator.input);
            let what = format!("data {name} has images of {found:?}, discriminator.input is {takes:?}");
            return Err(Error::text("recipe", &recipe.name, format!("{what}; make them equal")));
        }
        recipe.check_labels(&images.labels).map_err(|what| {
            Error::text("recipe", &recipe.name, format!("{what} (data {})", excerpt(&recipe.data.name)))
        })?;
        check_batch(recipe, images.len())?;
        recipe.check_last_batch(images.len())?;
        let identity = DataIdentity { count: images.len(), hash: fnv1a(&images.pixels) };
        let mut notes = notes;
        let source = match (training.triple, test) {
            (Some(triple), Some(test)) => {
                notes.push(format!("{} of its {} images keep their label", triple.labelled, images.len()));
                let batches = semi_supervised(recipe, triple, images)?;
                Source::SemiSupervised(Box::new(batches), test)
            }
            _ => {
                let batches = Batches::new(images, taken, training.seed, recipe.data.last_batch);
                Source::Images(batches.balanced(recipe.data.balanced).flipped(recipe.data.flip))
            }
        };
        Ok((source, identity, notes))
    }

    /// The test images of a game of three.
    pub fn test(&self) -> Option<&Images> {
        match self {
            Source::SemiSupervised(_, test) => Some(test),
            _ => None,
        }
    }

    /// Batch `step`, counted from 0.
    ///
    /// # Errors
    /// As [`Batches::batch`].
    pub fn batch(&mut self, step: u64) -> Result<Taken<'_>> {
        Ok(match self {
            Source::Images(batches) => Taken::Images(batches.batch(step)?),
            Source::SemiSupervised(batches, _) => Taken::Images(batches.batch(step)?),
            Source::Plane(batches) => Taken::Points(batches.batch(step)),
        })
    }

    /// Its images, unless it has points.
    pub fn images(&self) -> Option<&Images> {
        match self {
            Source::Images(batches) => Some(batches.images()),
            Source::SemiSupervised(batches, _) => Some(batches.images()),
            Source::Plane(_) => None,
        }
    }

    /// The set of its points, unless it has images.
    pub fn plane(&self) -> Option<Plane> {
        match self {
            Source::Images(_) | Source::SemiSupervised(..) => None,
            Source::Plane(batches) => Some(batches.plane()),
        }
    }

    /// The number of steps of an epoch, at least 1.
    pub fn steps_per_epoch(&self) -> u64 {
        match self {
            Source::Images(batches) => batches.steps_per_epoch(),
            Source::SemiSupervised(batches, _) => batches.steps_per_epoch(),
            Source::Plane(batches) => batches.steps_per_epoch(),
        }
    }

    /// As [`Batches::waited`]; points are sampled within the step.
    pub fn waited(&self) -> Duration {
        match self {
            Source::Images(batches) => batches.waited(),
            Source::SemiSupervised(batches, _) => batches.waited(),
            Source::Plane(_) => Duration::ZERO,
        }
    }
}

/// The batches of a game of three on `images`.
fn semi_supervised(recipe: &Recipe, triple: TripleSpec, images: Arc<Images>) -> Result<SemiSupervised> {
    let TripleSpec { labelled, supervised, pairs, .. } = triple;
    let refuse = |what: String| Error::text("recipe", &recipe.name, what);
    let (name, count) = (excerpt(&recipe.data.name), images.len());
    if pairs[1] > count {
        let told = pairs[1];
        return Err(refuse(format!("training.triple.pairs.2 = {told}, but data {name} has {count} images; lower it")));
    }
    let classes = recipe.classes().expect("a game of three has classes");
    let parts = Parts {
        unlabelled: recipe.training.batch_size,
        more_unlabelled: pairs[1],
        labelled: supervised,
        more_labelled: pairs[0],
    };
    let (seed, last) = (recipe.training.seed, recipe.data.last_batch);
    SemiSupervised::new(images, labelled, classes, parts, seed, last).map_err(|(class, found)| {
        let of_each = labelled / classes;
        refuse(format!(
            "training.triple.labelled = {labelled} takes {of_each} images of each class, but data {name} has {found} of class \
             {class}; choose at most {}",
            found * classes
        ))
    })
}

/// Checks that `count` images or points are enough for a batch of the recipe.
fn check_batch(recipe: &Recipe, count: usize) -> Result<()> {
    let (size, taken) = (recipe.training.batch_size, recipe.training.real_images());
    if taken <= count {
        return Ok(());
    }
    let (name, most) = (excerpt(&recipe.data.name), size / taken * count);
    let what = format!(
        "training.batch_size = {size} takes {taken} images of data {name}, which has {count}; choose at most {most}"
    );
    Err(Error::text("recipe", &recipe.name, what))
}

/// FNV-1a with 64 bits: it distinguishes data sets, unless somebody has made two with the same hash on purpose.
fn fnv1a(bytes: &[u8]) -> u64 {
    let mix = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, mix)
}
