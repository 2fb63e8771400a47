//! What a run takes of a machine's memory, estimated from the recipe alone: what no machine could hold is refused
//! before anything is allocated. A run is in one of four phases at a time, and the largest counts. For the device
//! `cpu`, in bytes, with P parameters in all:
//!
//! ```text
//! training     4 · 4 · P                value, gradient and two slots of the optimiser for every parameter
//!            + 4 · 2 · batch · (G + 2D) every layer's output and gradient, D's for real and for fake images
//!            + 4 · (columns + 8 · W)    patches and partial weight gradients of the largest convolution
//!
//! sampling     4 · 3 · P + samples      no gradients; the images made so far are bytes
//!            + 4 · 2 · batch · layer    what goes into a layer of G and what comes out, at most 64 images
//!            + 4 · columns
//!
//! scoring      4 · 3 · P + samples      and what is compared at a time, as numbers
//!
//! drawing      4 · 3 · P + samples + 10 · grid    the grid of the samples, beside the real ones, in motion
//!
//! saving       4 · 7 · P                the checkpoint is made in memory and written whole
//! ```
//!
//! The first weights may take more than all of that while they are drawn. Device `reference` takes about twice
//! as much. Measured peaks lie between half of the estimate and all of it. In floating point, which no
//! absurd size overflows.

use super::network::LayerRow;
use super::sizes::values;
use super::{LayerSpec, Recipe};
use crate::Error;
use crate::data::Images;
use crate::gan::{model, scores};
use crate::limits::memory_limit;
use crate::metrics::Points;
use crate::report::{columns_for, grid_bytes};
use std::path::Path;

/// The most that a recipe may take to train, in bytes: 64 GiB.
pub const MAX_TRAINING_BYTES: u64 = 64 << 30;

/// Bytes of a value.
const VALUE: f64 = 4.0;
/// Bytes of a weight while it is drawn: random words, f64 before rounding, f32.
const DRAWN: f64 = 20.0;
/// Tasks that hold a part of the column matrix at one time: the threads of a large desktop.
const TASKS: f64 = 16.0;
/// Output pixels in such a part, where an image has fewer.
const TILE: f64 = 256.0;
/// Batches through D that a gradient penalty is as much as: one more, and its recorded gradient.
const PENALTY: f64 = 2.0;
/// Parts of a weight gradient that are summed apart.
const PARTS: f64 = 8.0;
/// Copies of what is compared at a time: as it is read, as a tensor, packed for a product.
const COMPARED: f64 = 3.0;
/// Grids that are held while a run is drawn: real and generated ones, on one sheet, and files of them.
const GRIDS: f64 = 10.0;

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Training,
    Sampling,
    Scoring,
    Drawing,
    Saving,
}

/// What a phase takes, by what the bytes are for.
struct Memory {
    phase: Phase,
    parameters: f64,
    activations: f64,
    workspace: f64,
    /// Samples and pictures.
    images: f64,
}

/// What the networks of a recipe are made of, in values.
struct Sizes {
    parameters: f64,
    /// Of the layer that has the most.
    largest: f64,
    /// All outputs that a step holds, for each image.
    activations: f64,
    /// The most that goes into one of the generator's layers and comes out, for each image.
    layer: f64,
    /// Besides that, in a step on a batch, and in sampling.
    training_workspace: f64,
    sampling_workspace: f64,
}

impl Sizes {
    fn of(recipe: &Recipe) -> Sizes {
        let batch = recipe.training.batch_size as f64;
        let at_a_time = f64::min(batch, model::MOST_AT_A_TIME as f64);
        let mut sizes = Sizes {
            parameters: 0.0,
            largest: 0.0,
            activations: 0.0,
            layer: 0.0,
            training_workspace: 0.0,
            sampling_workspace: 0.0,
        };
        let judged = match recipe.training.gradient_penalty {
            Some(_) => 2.0 + PENALTY,
            None => 2.0,
        };
        for (network, batches) in [(&recipe.generator, 1.0), (&recipe.discriminator, judged)] {
            let table = network.table().expect("a checked recipe's shapes fit");
            sizes.activations += batches * values(&network.input) as f64;
            for (layer, row) in network.layers.iter().zip(&table.rows) {
                let weights = row.parameters.total() as f64;
                sizes.parameters += weights;
                sizes.largest = f64::max(sizes.largest, weights);
                sizes.activations += batches * values(&row.output) as f64;
                let workspace = convolving(layer, row, batch) + PARTS * weights_of_convolution(layer, row);
                sizes.training_workspace = f64::max(sizes.training_workspace, workspace);
                if batches == 1.0 {
                    let ends = (values(&row.input) + values(&row.output)) as f64;
                    sizes.layer = f64::max(sizes.layer, ends);
                    let workspace = convolving(layer, row, at_a_time);
                    sizes.sampling_workspace = f64::max(sizes.sampling_workspace, workspace);
                }
            }
        }
        sizes
    }
}

impl Memory {
    /// What each phase of a run of `recipe` takes that has `real` images to be compared with.
    fn phases(recipe: &Recipe, real: usize) -> [Memory; 5] {
        let sizes = Sizes::of(recipe);
        let batch = recipe.training.batch_size as f64;
        let at_a_time = f64::min(batch, model::MOST_AT_A_TIME as f64);
        let [height, width] = [recipe.discriminator.input[0], recipe.discriminator.input[1]];
        let image = values(&recipe.discriminator.input) as f64;
        let on_grid = recipe.samples.count;
        let samples = image * real.min(scores::SAMPLES).max(on_grid) as f64;
        let compared = [scores::SAMPLES, scores::LABELLED]
            .map(|most| Points::most_at_a_time(real.min(most), image as usize) as f64);
        let grid = grid_bytes(on_grid, [height, width], columns_for(on_grid)) as f64;
        let nothing = Memory {
            phase: Phase::Training,
            parameters: 3.0 * VALUE * sizes.parameters,
            activations: 0.0,
            workspace: 0.0,
            images: 0.0,
        };
        let drawing_weights = VALUE * sizes.parameters + DRAWN * sizes.largest;
        [
            Memory {
                parameters: f64::max(4.0 * VALUE * sizes.parameters, drawing_weights),
                activations: 2.0 * VALUE * batch * sizes.activations,
                workspace: VALUE * sizes.training_workspace,
                ..nothing
            },
            Memory {
                phase: Phase::Sampling,
                activations: 2.0 * VALUE * at_a_time * sizes.layer,
                workspace: VALUE * sizes.sampling_workspace,
                images: samples,
                ..nothing
            },
            Memory {
                phase: Phase::Scoring,
                images: samples + COMPARED * VALUE * (compared[0] + compared[1]),
                ..nothing
            },
            Memory { phase: Phase::Drawing, images: samples + GRIDS * grid, ..nothing },
            Memory { phase: Phase::Saving, parameters: 7.0 * VALUE * sizes.parameters, ..nothing },
        ]
    }

    /// The phase of a run of `recipe` that takes the most.
    fn of(recipe: &Recipe, real: usize) -> Memory {
        let phases = Memory::phases(recipe, real).into_iter();
        let largest = phases.max_by(|a, b| a.total().total_cmp(&b.total()));
        largest.expect("there are phases")
    }

    fn total(&self) -> f64 {
        self.parameters + self.activations + self.workspace + self.images
    }

    /// An error unless it is, with `data` bytes of images, at most `most` bytes, which is `whose`.
    fn check(&self, data: u64, most: u64, whose: &str) -> Result<(), String> {
        let total = self.total() + data as f64;
        if total <= most as f64 {
            return Ok(());
        }
        let doing = match self.phase {
            Phase::Training => "training takes",
            Phase::Sampling => "making samples takes",
            Phase::Scoring => "scoring samples takes",
            Phase::Drawing => "drawing sample grids takes",
            Phase::Saving => "saving a checkpoint takes",
        };
        let parts = [
            (data as f64, "the number of images in the data"),
            (self.images, "samples.count, or the size of the images"),
            (self.workspace, "kernel or filters of the largest convolution"),
            (self.parameters, "input, units, filters or kernel where the most parameters are"),
            (self.activations, "training.batch_size, or the sizes that the layers give"),
        ];
        let (_, keys) = parts.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).expect("there are parts");
        let gib = |bytes: f64| bytes / f64::from(1 << 30);
        Err(format!(
            "{doing} about {:.1} GiB of memory, more than {whose} {:.1} GiB; lower {keys}",
            gib(total),
            gib(most as f64)
        ))
    }
}

/// The values that a convolution holds besides what goes in and comes out, parts of the column matrix; 0 for other
/// layers.
fn convolving(layer: &LayerSpec, row: &LayerRow, batch: f64) -> f64 {
    // A row of it for each position of the kernel, over the larger of the two images.
    let (positions, channels, conv) = match layer {
        LayerSpec::Conv2d(conv) => (&row.output, row.input[2], conv),
        LayerSpec::ConvTranspose2d(conv) => (&row.input, row.output[2], conv),
        _ => return 0.0,
    };
    let positions = values(&positions[..2]) as f64;
    let patch = values(&conv.kernel) as f64 * channels as f64;
    patch * f64::min(TASKS * positions.max(TILE), batch * positions)
}

/// The weights of a convolution, whose gradient is summed in parts; 0 for other layers.
fn weights_of_convolution(layer: &LayerSpec, row: &LayerRow) -> f64 {
    match layer {
        LayerSpec::Conv2d(_) | LayerSpec::ConvTranspose2d(_) => row.parameters.total() as f64,
        _ => 0.0,
    }
}

impl Recipe {
    /// About how many bytes of memory a run takes on the device `cpu`, in the phase that takes the most; the data set
    /// comes on top.
    ///
    /// # Panics
    /// If the shapes of a network don't fit; those of a recipe that was loaded do.
    pub fn training_bytes(&self) -> u64 {
        Memory::of(self, scores::LABELLED).total() as u64
    }

    /// Checks [`MAX_TRAINING_BYTES`].
    pub(super) fn check_memory(&self) -> Result<(), String> {
        Memory::of(self, 1).check(0, MAX_TRAINING_BYTES, "a recipe's")
    }

    /// Checks that this machine, the container that this process is in and its own limits leave the memory to train,
    /// as far as the system says how much that is; once it is read, with the `data`. A recipe is no less valid for not
    /// fitting one machine, so this is asked where a run starts, not where a recipe is loaded.
    ///
    /// # Errors
    /// [`Error::Recipe`] with the estimate, the limit and the keys to lower.
    ///
    /// # Panics
    /// As [`Recipe::training_bytes`].
    pub fn check_machine(&self, data: Option<&Images>) -> crate::Result<()> {
        let Some(limit) = memory_limit(Path::new("/")) else {
            return Ok(());
        };
        let (count, bytes) = data.map_or((1, 0), |images| (images.len(), images.pixels.len() as u64));
        let memory = Memory::of(self, count);
        let checked = memory.check(bytes, limit.bytes, limit.whose);
        checked.map_err(|what| Error::recipe(&self.name, what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gan::recipe::built_in_names;

    fn with(overrides: &[&str]) -> crate::Result<Recipe> {
        let overrides: Vec<String> = overrides.iter().map(|entry| entry.to_string()).collect();
        Recipe::load("dcgan-compact-mnist", &overrides)
    }

    #[test]
    fn a_dense_network_counted_by_hand() {
        let set = [
            "training.batch_size=10",
            "generator.layers=[{ layer = 'dense', units = 784 }, \
             { layer = 'reshape', shape = [28, 28, 1] }]",
            "discriminator.layers=[{ layer = 'flatten' }, { layer = 'dense', units = 1 }]",
        ];
        let [generator, discriminator] = [101 * 784, 785];
        let activations = 10 * (100 + 2 * 784 + 2 * (784 + 784 + 1));
        // Drawing the generator's weights takes more than all gradients and slots do later.
        let bytes = 4 * (generator + discriminator) + 20 * generator + 4 * 2 * activations;
        let [training, ..] = Memory::phases(&with(&set).unwrap(), 1);
        assert_eq!(training.total() as u64, bytes);
    }

    #[test]
    fn the_built_in_recipes_train_on_a_laptop() {
        for name in built_in_names() {
            let bytes = Recipe::load(name, &[]).unwrap().training_bytes();
            assert!((10 << 20..1 << 30).contains(&bytes), "{name}: {bytes}");
        }
    }

    #[test]
    fn what_takes_too_much_is_refused_with_the_keys_to_lower() {
        let cases: [(&[&str], &str); 3] = [
            (&["training.batch_size=60000"], "lower training.batch_size, or the sizes that the layers give"),
            (
                &["discriminator.layers.5.kernel=120", "discriminator.layers.5.filters=2000"],
                "lower kernel or filters of the largest convolution",
            ),
            (
                &["generator.layers.8.kernel=120", "generator.layers.8.filters=1000"],
                "lower kernel or filters of the largest convolution",
            ),
        ];
        for (set, keys) in cases {
            let error = with(set).unwrap_err().to_string();
            assert!(
                error.contains("training takes about ")
                    && error.contains("more than a recipe's 64.0 GiB")
                    && error.ends_with(keys),
                "{set:?}: {error}"
            );
        }
    }

    #[test]
    fn a_machine_that_is_too_small_is_named() {
        let memory = Memory::of(&with(&["training.batch_size=2048"]).unwrap(), 1);
        assert!(memory.check(0, 64 << 30, "a recipe's").is_ok());
        let what = memory.check(0, 1 << 30, "this machine's").unwrap_err();
        assert!(what.contains("more than this machine's 1.0 GiB; lower training.batch_size"), "{what}");
        let what = memory.check(1 << 40, 64 << 30, "this machine's").unwrap_err();
        assert!(what.ends_with("lower the number of images in the data"), "{what}");
        let memory = Memory::of(&with(&["generator.input=[100000]"]).unwrap(), 1);
        let what = memory.check(0, 8 << 30, "this machine's").unwrap_err();
        assert!(what.ends_with("; lower input, units, filters or kernel where the most parameters are"), "{what}");
    }

    /// What a batch of one takes in training is little; what the grids take does not depend on the batch.
    #[test]
    fn the_phase_that_takes_the_most_counts() {
        let large = Recipe::parse("large", include_str!("../../../tests/common/large.toml"), &[]).unwrap();
        let memory = Memory::of(&large, 1);
        assert_eq!(memory.phase, Phase::Drawing);
        let what = memory.check(0, 1 << 28, "this machine's").unwrap_err();
        assert!(
            what.starts_with("drawing sample grids takes")
                && what.ends_with("samples.count, or the size of the images"),
            "{what}"
        );
        let memory = Memory::of(&with(&["generator.input=[100000]"]).unwrap(), 1);
        assert_eq!(memory.phase, Phase::Saving);
    }
}
