//! What training takes of a machine's memory, estimated from the recipe alone: what no machine could
//! hold is refused before anything is allocated. For the device `cpu`, in bytes,
//!
//! ```text
//!   4 · 4 · P                value, gradient and two slots of the optimiser for every parameter
//! + 4 · 2 · batch · (G + 2D) every layer's output and gradient, D's for real and for fake images
//! + 4 · (columns + 8 · W)    patches and partial weight gradients of the largest convolution
//! ```
//!
//! or, where that is more, what drawing the first weights takes. Device `reference` takes about twice
//! as much. Measured peaks lie between half of the estimate and all of it. In floating point, which no
//! absurd size overflows.

use super::network::LayerRow;
use super::sizes::values;
use super::{LayerSpec, Recipe};
use crate::Error;

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

/// An estimate by what the bytes are for.
struct Memory {
    parameters: f64,
    activations: f64,
    workspace: f64,
}

impl Memory {
    fn of(recipe: &Recipe) -> Memory {
        let batch = recipe.training.batch_size as f64;
        let (mut parameters, mut largest, mut activations, mut workspace) = (0.0, 0.0, 0.0, 0.0);
        let judged = match recipe.training.gradient_penalty {
            Some(_) => 2.0 + PENALTY,
            None => 2.0,
        };
        for (network, batches) in [(&recipe.generator, 1.0), (&recipe.discriminator, judged)] {
            let table = network.table().expect("a checked recipe's shapes fit");
            activations += batches * values(&network.input) as f64;
            for (layer, row) in network.layers.iter().zip(&table.rows) {
                let weights = row.parameters.total() as f64;
                parameters += weights;
                largest = f64::max(largest, weights);
                activations += batches * values(&row.output) as f64;
                workspace = f64::max(workspace, convolving(layer, row, batch));
            }
        }
        let drawing = VALUE * parameters + DRAWN * largest;
        Memory {
            parameters: f64::max(4.0 * VALUE * parameters, drawing),
            activations: 2.0 * VALUE * batch * activations,
            workspace: VALUE * workspace,
        }
    }

    fn total(&self) -> f64 {
        self.parameters + self.activations + self.workspace
    }

    /// An error unless it is at most `most` bytes, which is `whose`.
    fn check(&self, most: u64, whose: &str) -> Result<(), String> {
        if self.total() <= most as f64 {
            return Ok(());
        }
        let keys = if self.activations >= self.parameters.max(self.workspace) {
            "training.batch_size, or the sizes that the layers give"
        } else if self.parameters >= self.workspace {
            "input, units, filters or kernel where the most parameters are"
        } else {
            "kernel or filters of the largest convolution"
        };
        let gib = |bytes: f64| bytes / f64::from(1 << 30);
        Err(format!(
            "training takes about {:.1} GiB of memory, more than {whose} {:.1} GiB; lower {keys}",
            gib(self.total()),
            gib(most as f64)
        ))
    }
}

/// The values that a convolution and its gradients hold besides what goes in and comes out: parts of
/// the column matrix, and of the weight gradient; 0 for other layers.
fn convolving(layer: &LayerSpec, row: &LayerRow, batch: f64) -> f64 {
    // A row of it for each position of the kernel, over the larger of the two images.
    let (positions, channels, conv) = match layer {
        LayerSpec::Conv2d(conv) => (&row.output, row.input[2], conv),
        LayerSpec::ConvTranspose2d(conv) => (&row.input, row.output[2], conv),
        _ => return 0.0,
    };
    let positions = values(&positions[..2]) as f64;
    let patch = values(&conv.kernel) as f64 * channels as f64;
    let columns = patch * f64::min(TASKS * positions.max(TILE), batch * positions);
    columns + PARTS * row.parameters.total() as f64
}

impl Recipe {
    /// About how many bytes of memory training takes on the device `cpu`; the data set comes on top.
    ///
    /// # Panics
    /// If the shapes of a network don't fit; those of a recipe that was loaded do.
    pub fn training_bytes(&self) -> u64 {
        Memory::of(self).total() as u64
    }

    /// Checks [`MAX_TRAINING_BYTES`].
    pub(super) fn check_memory(&self) -> Result<(), String> {
        Memory::of(self).check(MAX_TRAINING_BYTES, "a recipe's")
    }

    /// Checks that this machine has the memory to train, where it says how much it has
    /// (`/proc/meminfo`). A recipe is no less valid for not fitting one machine, so this is asked
    /// where a run starts, not where a recipe is loaded.
    ///
    /// # Errors
    /// [`Error::Recipe`] with the estimate, the machine's memory and the keys to lower.
    ///
    /// # Panics
    /// As [`Recipe::training_bytes`].
    pub fn check_machine(&self) -> crate::Result<()> {
        let Ok(text) = std::fs::read_to_string("/proc/meminfo") else {
            return Ok(());
        };
        let Some(most) = physical_bytes(&text) else {
            return Ok(());
        };
        let checked = Memory::of(self).check(most, "this machine's");
        checked.map_err(|what| Error::recipe(&self.name, what))
    }
}

/// The machine's memory in bytes by the text of `/proc/meminfo`.
fn physical_bytes(text: &str) -> Option<u64> {
    let kilobytes = text
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes = kilobytes.trim().strip_suffix("kB")?;
    kilobytes.trim().parse::<u64>().ok()?.checked_mul(1024)
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
        assert_eq!(with(&set).unwrap().training_bytes(), bytes);
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
            (
                &["training.batch_size=60000"],
                "lower training.batch_size, or the sizes that the layers give",
            ),
            (
                &[
                    "discriminator.layers.1.kernel=5000",
                    "discriminator.layers.1.filters=1",
                ],
                "lower kernel or filters of the largest convolution",
            ),
            (
                &[
                    "generator.layers.8.kernel=3000",
                    "generator.layers.8.filters=1",
                ],
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
        let memory = Memory::of(&with(&["training.batch_size=2048"]).unwrap());
        assert!(memory.check(64 << 30, "a recipe's").is_ok());
        let what = memory.check(1 << 30, "this machine's").unwrap_err();
        assert!(
            what.contains("more than this machine's 1.0 GiB; lower training.batch_size"),
            "{what}"
        );
        let memory = Memory::of(&with(&["generator.input=[100000]"]).unwrap());
        let what = memory.check(8 << 30, "this machine's").unwrap_err();
        assert!(
            what.ends_with("; lower input, units, filters or kernel where the most parameters are"),
            "{what}"
        );
        assert_eq!(
            physical_bytes("MemTotal:       2048 kB\nMemFree: 1 kB\n"),
            Some(2 << 20)
        );
        assert_eq!(physical_bytes("MemTotal: many\n"), None);
    }
}
