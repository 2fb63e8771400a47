//! An estimate of a run's memory. A run is in one of five phases at a time, and the largest counts. For a generator and
//! a discriminator with P parameters, on the device `cpu`, in bytes:
//!
//! ```text
//! training     see recipe/memory.rs
//!
//! sampling     4 · 3 · P + samples      no gradients; the images made so far are bytes
//!            + 4 · 2 · batch · layer    the input and the output of a layer of G, at most 64 images
//!            + 4 · columns
//!
//! scoring      4 · 3 · P + samples      and the images that are compared at a time, as numbers
//!
//! grids        4 · 3 · P + samples + 10 · grid    the grid of the samples, beside real ones, as an animation
//!
//! saving       4 · 7 · P                the checkpoint is made in memory and written whole
//! ```

use super::scores;
use crate::data::Images;
use crate::gan::model::MOST_AT_A_TIME;
use crate::limits::memory_limit;
use crate::metrics::Points;
use crate::recipe::memory::{Memory, VALUE, convolving};
use crate::recipe::{MAX_TRAINING_BYTES, Recipe};
use crate::recipe::{all_layers, values};
use crate::report::map::map_bytes;
use crate::report::{columns_for, grid_bytes};
use crate::{Error, Result};
use std::path::Path;

/// The number of copies of the images that are compared at a time: as they are read, as a tensor, and packed for a
/// product.
const COMPARED: f64 = 3.0;
/// The number of grids in memory while the pictures of a run are made: real and generated ones, on one sheet, and their
/// files.
const GRIDS: f64 = 10.0;

/// About how many bytes of memory a run of `recipe` takes on the device `cpu`, in the phase that takes the most; the
/// data set comes on top.
///
/// # Panics
/// If the shapes of a network don't fit; those of a recipe that was loaded do.
pub fn bytes(recipe: &Recipe) -> u64 {
    largest(recipe, scores::LABELLED).total() as u64
}

/// Checks that no phase of a run of `recipe` takes more than [`MAX_TRAINING_BYTES`], whatever the machine.
///
/// # Errors
/// [`Error::Text`] with the estimate and the keys to lower.
///
/// # Panics
/// As [`bytes`].
pub fn check_recipe(recipe: &Recipe) -> Result<()> {
    let checked = largest(recipe, 1).check(0, MAX_TRAINING_BYTES, "a recipe's");
    checked.map_err(|what| Error::text("recipe", &recipe.name, what))
}

/// As [`check_recipe`]; it also checks that this machine, the container of this process and the process's own limits
/// leave enough memory to train, as far as the system tells, with the `data` once that is read. A recipe that doesn't
/// fit one machine is still valid, so this is checked when a run starts, not when a recipe is loaded.
///
/// # Errors
/// [`Error::Text`] with the estimate, the limit and the keys to lower.
///
/// # Panics
/// As [`bytes`].
pub fn check(recipe: &Recipe, data: Option<&Images>) -> Result<()> {
    check_recipe(recipe)?;
    let Some(limit) = memory_limit(Path::new("/")) else {
        return Ok(());
    };
    let (count, bytes) = data.map_or((1, 0), |images| (images.len(), images.pixels.len() as u64));
    let checked = largest(recipe, count).check(bytes, limit.bytes, limit.whose);
    checked.map_err(|what| Error::text("recipe", &recipe.name, what))
}

/// The phase of a run of `recipe` that takes the most.
fn largest(recipe: &Recipe, real: usize) -> Memory {
    let phases = phases(recipe, real).into_iter();
    phases.max_by(|a, b| a.total().total_cmp(&b.total())).expect("there are phases")
}

/// The memory of each phase of a run of `recipe` whose samples are compared with `real` images.
fn phases(recipe: &Recipe, real: usize) -> [Memory; 5] {
    let at_a_time = recipe.training.batch_size.min(MOST_AT_A_TIME) as f64;
    let image = &recipe.discriminator.input;
    let (pixels, on_grid) = (values(image), recipe.samples.count);
    let judged = if recipe.judge.every > 0 { recipe.judge.samples } else { 0 };
    let samples = pixels as f64 * real.min(scores::SAMPLES).max(on_grid).max(judged) as f64;
    let compared =
        [scores::SAMPLES, scores::LABELLED].map(|most| Points::most_at_a_time(real.min(most), pixels as usize));
    let grid = match image[..] {
        [height, width, _] => grid_bytes(on_grid, [height, width], columns_for(on_grid, recipe.classes())),
        _ => map_bytes(),
    } as f64;

    let [mut layer, mut workspace] = [0.0; 2];
    let [generator, discriminator] = [&recipe.generator, &recipe.discriminator]
        .map(|network| network.table().expect("a checked recipe's shapes fit"));
    // A weight that is averaged exists twice, in a checkpoint as one of four.
    let averages = if recipe.training.average.is_some() { generator.parameters.total() as f64 / 3.0 } else { 0.0 };
    let mut parameters = (generator.parameters.total() + discriminator.parameters.total()) as f64 + averages;
    let mut used = vec![(&recipe.generator, generator)];
    if let Some(classifier) = &recipe.classifier {
        let table = classifier.table().expect("a checked recipe's shapes fit");
        parameters += table.parameters.total() as f64 * 4.0 / 3.0;
        used.push((classifier, table));
    }
    let layers = used.iter().flat_map(|(network, table)| all_layers(&network.layers, &table.rows));
    for (spec, row) in layers {
        // The shortcut of a residual waits while its layers run.
        let waits = row.depth() as u64 * values(&row.input);
        layer = f64::max(layer, (values(&row.input) + values(&row.output) + waits) as f64);
        workspace = f64::max(workspace, convolving(spec, row, at_a_time));
    }
    let idle = |doing| Memory {
        doing,
        parameters: 3.0 * VALUE * parameters,
        activations: 0.0,
        workspace: 0.0,
        images: samples,
    };
    [
        Memory::of_training(recipe),
        Memory { activations: 2.0 * VALUE * at_a_time * layer, workspace: VALUE * workspace, ..idle("making samples") },
        Memory {
            images: samples + COMPARED * VALUE * compared.iter().sum::<usize>() as f64,
            ..idle("scoring samples")
        },
        Memory { images: samples + GRIDS * grid, ..idle("making sample grids") },
        Memory { parameters: 7.0 * VALUE * parameters, images: 0.0, ..idle("saving a checkpoint") },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::built_in_names;

    fn with(overrides: &[&str]) -> Recipe {
        let overrides: Vec<String> = overrides.iter().map(|entry| entry.to_string()).collect();
        Recipe::load("dcgan-compact-mnist", &overrides).unwrap()
    }

    #[test]
    fn the_built_in_recipes_train_on_a_laptop() {
        for name in built_in_names() {
            let bytes = bytes(&Recipe::load(name, &[]).unwrap());
            // Its classifier's own loss is of 600 house numbers, through nine layers of 128 maps of their size.
            let most = if name == "triple-gan-svhn" { 12 } else { 4 };
            assert!((4 << 20..most << 30).contains(&bytes), "{name}: {bytes}");
        }
    }

    #[test]
    fn a_machine_that_is_too_small_is_named() {
        let memory = largest(&with(&["training.batch_size=2048"]), 1);
        assert!(memory.check(0, 64 << 30, "a recipe's").is_ok());
        let what = memory.check(0, 1 << 30, "this machine's").unwrap_err();
        assert!(what.contains("more than this machine's 1.0 GiB; lower training.batch_size"), "{what}");
        let what = memory.check(1 << 40, 64 << 30, "this machine's").unwrap_err();
        assert!(what.ends_with("lower the number of images in the data"), "{what}");
        let memory = largest(&with(&["generator.input=[100000]"]), 1);
        let what = memory.check(0, 8 << 30, "this machine's").unwrap_err();
        assert!(what.ends_with("; lower input, units, filters or kernel where the most parameters are"), "{what}");
    }

    #[test]
    fn grids_that_take_too_much_are_refused_with_the_key_to_lower() {
        let large = include_str!("../../tests/common/large.toml");
        let large = Recipe::parse("large", large, &["samples.count=1024".into()]).unwrap();
        let what = largest(&large, 1).check(0, 1 << 30, "a recipe's").unwrap_err();
        assert!(what.starts_with("making sample grids takes") && what.contains("lower samples.count"), "{what}");
    }

    /// What a batch of one takes in training is little; what the grids take does not depend on the batch.
    #[test]
    fn the_phase_that_takes_the_most_counts() {
        let large = Recipe::parse("large", include_str!("../../tests/common/large.toml"), &[]).unwrap();
        let memory = largest(&large, 1);
        assert_eq!(memory.doing, "making sample grids");
        let what = memory.check(0, 1 << 28, "this machine's").unwrap_err();
        assert!(
            what.starts_with("making sample grids takes") && what.ends_with("samples.count, or the size of the images"),
            "{what}"
        );
        let memory = largest(&with(&["generator.input=[100000]"]), 1);
        assert_eq!(memory.doing, "saving a checkpoint");
    }
}
