//! An estimate of the memory for training, from the recipe alone, so that a recipe too large for any machine is refused
//! before anything is allocated. For P parameters in all, on the device `cpu`, in bytes:
//!
//! ```text
//! training     4 · 4 · P                value, gradient and two slots of the optimiser for every parameter
//!            + 4 · 2 · batch · (G + 2D) every layer's output and gradient, D's for real and for fake images, and what
//!                                       attention makes on the way
//!            + 4 · (columns + 8 · W)    patches and partial weight gradients of the largest convolution
//! ```
//!
//! Drawing the initial weights may take more than all of that. The device `reference` takes about twice as much.
//! Measured peaks are between half of the estimate and all of it. The estimate is computed in floating point, so that
//! absurd sizes don't overflow. The other phases of a run are estimated in [`crate::run::memory`].

use super::sizes::values;
use super::table::{LayerRow, all_layers};
use super::{LayerSpec, Recipe};

/// The largest memory for training that a recipe may need, in bytes: 64 GiB.
pub const MAX_TRAINING_BYTES: u64 = 64 << 30;

/// Bytes of a value.
pub(crate) const VALUE: f64 = 4.0;
/// Bytes of a weight while it is drawn: random words, f64 before rounding, f32.
const DRAWN: f64 = 20.0;
/// The number of tasks that have a part of the column matrix at one time: the threads of a large desktop.
const TASKS: f64 = 16.0;
/// The number of output pixels in such a part, if an image has fewer.
const TILE: f64 = 256.0;
/// A gradient penalty takes as much as this many batches through D: one more batch, and its recorded gradient.
const PENALTY: f64 = 2.0;
/// The number of parts of a weight gradient that are summed separately.
const PARTS: f64 = 8.0;

/// The memory of a phase of a run in bytes, by its purpose.
pub(crate) struct Memory {
    /// The phase, in words that go before "takes": "training".
    pub(crate) doing: &'static str,
    pub(crate) parameters: f64,
    pub(crate) activations: f64,
    pub(crate) workspace: f64,
    /// Samples and pictures.
    pub(crate) images: f64,
}

impl Memory {
    /// The memory of a step of `recipe`.
    pub(crate) fn of_training(recipe: &Recipe) -> Memory {
        let batch = recipe.training.batch_size as f64;
        let training = &recipe.training;
        // R1 and R2 record the passes through D that are made anyway.
        let penalties = [(training.gradient_penalty, PENALTY), (training.r1, 1.0), (training.r2, 1.0)];
        let judged = 2.0 + penalties.iter().filter_map(|(asked, batches)| asked.map(|_| batches)).sum::<f64>();
        let [mut parameters, mut largest, mut activations, mut workspace] = [0.0; 4];
        let averaged = recipe
            .training
            .average
            .map_or(0, |_| recipe.generator.table().expect("a checked recipe's shapes fit").parameters.total());
        let mut networks = vec![(&recipe.generator, 1.0), (&recipe.discriminator, judged)];
        if let Some((classifier, triple)) = recipe.triple() {
            // The most memory at one time, as the three losses are computed one after the other.
            let [discriminator, own] = triple.shown(training.batch_size).map(|images| images as f64 / batch);
            networks = vec![
                (&recipe.generator, triple.generated as f64 / batch),
                (&recipe.discriminator, discriminator),
                (classifier, own),
            ];
        }
        for (network, batches) in networks {
            activations += batches * values(&network.input) as f64;
            let table = network.table().expect("a checked recipe's shapes fit");
            for (layer, row) in all_layers(&network.layers, &table.rows) {
                let weights = row.parameters.total() as f64;
                parameters += weights;
                largest = f64::max(largest, weights);
                let between = layer.between(&row.input)[1];
                activations += batches * (values(&row.output) as f64 + between as f64);
                let convolving = convolving(layer, row, batch) + PARTS * weights_of_convolution(layer, row);
                workspace = f64::max(workspace, convolving);
            }
        }
        Memory {
            doing: "training",
            parameters: VALUE * averaged as f64
                + f64::max(4.0 * VALUE * parameters, VALUE * parameters + DRAWN * largest),
            activations: 2.0 * VALUE * batch * activations,
            workspace: VALUE * workspace,
            images: 0.0,
        }
    }

    pub(crate) fn total(&self) -> f64 {
        self.parameters + self.activations + self.workspace + self.images
    }

    /// Checks that it is, with `data` bytes of images, at most `most` bytes, which `whose` describes.
    pub(crate) fn check(&self, data: u64, most: u64, whose: &str) -> Result<(), String> {
        let total = self.total() + data as f64;
        if total <= most as f64 {
            return Ok(());
        }
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
            "{} takes about {:.1} GiB of memory, more than {whose} {:.1} GiB; lower {keys}",
            self.doing,
            gib(total),
            gib(most as f64)
        ))
    }
}

/// The number of values that a convolution needs besides its input and output, for parts of the column matrix; 0 for
/// other layers.
pub(crate) fn convolving(layer: &LayerSpec, row: &LayerRow, batch: f64) -> f64 {
    // The matrix has a row for each position of the kernel on the larger of the two images.
    let (positions, channels, conv) = match layer {
        LayerSpec::Conv2d(conv) => (&row.output, row.input[2], conv),
        LayerSpec::ConvTranspose2d(conv) => (&row.input, row.output[2], conv),
        _ => return 0.0,
    };
    let positions = values(&positions[..2]) as f64;
    let patch = values(&conv.kernel) as f64 * channels as f64 / conv.groups as f64;
    // With groups, both sides are copied group by group.
    let copies = if conv.groups > 1 { batch * (values(&row.input) + values(&row.output)) as f64 } else { 0.0 };
    patch * f64::min(TASKS * positions.max(TILE), batch * positions) + copies
}

/// The weights of a convolution, whose gradient is summed in parts; 0 for other layers.
fn weights_of_convolution(layer: &LayerSpec, row: &LayerRow) -> f64 {
    match layer {
        LayerSpec::Conv2d(_) | LayerSpec::ConvTranspose2d(_) => row.parameters.total() as f64,
        _ => 0.0,
    }
}

impl Recipe {
    /// Checks [`MAX_TRAINING_BYTES`].
    pub(super) fn check_memory(&self) -> Result<(), String> {
        Memory::of_training(self).check(0, MAX_TRAINING_BYTES, "a recipe's")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(Memory::of_training(&with(&set).unwrap()).total() as u64, bytes);
    }

    /// What is inside of a residual counts as outside of one, and the sum of its branches with it.
    #[test]
    fn a_residual_adds_its_sum() {
        let dense = "{ layer = 'dense', units = 784 }";
        let bytes = |middle: &str| {
            let layers =
                format!("discriminator.layers=[{{ layer = 'flatten' }}, {middle}, {{ layer = 'dense', units = 1 }}]");
            Memory::of_training(&with(&["training.batch_size=10", &layers]).unwrap()).total() as u64
        };
        let residual = format!("{{ layer = 'residual', layers = [{dense}], shortcut = [{dense}] }}");
        assert_eq!(bytes(&residual), bytes(&format!("{dense}, {dense}")) + 4 * 2 * 10 * 2 * 784);
    }

    /// Attention over 28 x 28 places of 8 channels: the weights before and after softmax, queries, keys and values as
    /// they are and pooled, means, and what is added to x.
    #[test]
    fn attention_adds_what_it_makes_on_the_way() {
        let bytes = |middle: &str| {
            let layers = format!(
                "discriminator.layers=[{{ layer = 'conv2d', filters = 8, kernel = 1 }}, {middle} {{ layer = 'flatten' }}, \
                 {{ layer = 'dense', units = 1 }}]"
            );
            Memory::of_training(&with(&["training.batch_size=10", &layers]).unwrap())
        };
        let [with, without] = ["{ layer = 'attention' },", ""].map(bytes);
        let (places, pooled) = (28 * 28, 14 * 14);
        let between = 2 * places * pooled + places * (1 + 1 + 4 + 4 + 8) + pooled * (1 + 4);
        assert_eq!((with.activations - without.activations) as usize, 4 * 2 * 10 * 2 * (between + places * 8));
        assert_eq!((with.parameters - without.parameters) as usize, 4 * 4 * (8 + 8 + 32 + 32 + 1));
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
}
