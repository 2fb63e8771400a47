//! Finds everything that is wrong with a recipe, as far as it can be known before the recipe runs.

use super::network::NetworkSpec;
use super::sizes::{MAX_VALUES, check_size, values};
use super::table::{LayerTable, all_layers};
use super::{JudgingSpec, Recipe};
use crate::data::LastBatch;
use crate::data::plane::Plane;
use crate::terminal::excerpt;

/// The largest batch.
pub const MAX_BATCH_SIZE: usize = 1 << 16;

/// The most epochs, so that their number and that of the steps stay exact everywhere.
pub const MAX_EPOCHS: usize = 1_000_000;

/// The longest name: it becomes the name of a folder.
const MAX_NAME: usize = 100;

/// The largest number, either way, that black or white may be scaled to.
const MAX_PIXEL: f64 = 1e6;

/// The most images on a sample grid, the most epochs in a montage, and the last step that can be the first with a grid.
const MAX_GRID: usize = 1024;
const MAX_MONTAGE: usize = 64;
/// The fewest samples that are judged, and the most.
const JUDGED: [usize; 2] = [100, 100_000];
const MAX_FIRST_STEP: usize = 1_000_000;

impl Recipe {
    /// Checks names, numbers, the shapes through both networks, that the networks fit each other and the loss,
    /// and that training them takes no more than [`MAX_TRAINING_BYTES`](super::MAX_TRAINING_BYTES).
    ///
    /// # Errors
    /// One line on the first thing that is wrong. It names the key, or the network and the layer, counted from 1, and
    /// says what to do.
    pub fn check(&self) -> Result<(), String> {
        self.check_networks()?;
        self.check_output()?;
        self.check_statistics()
    }

    /// As [`Recipe::check`], without what only training needs: a network that was trained in a way that is refused
    /// today can still be used.
    pub(super) fn check_networks(&self) -> Result<(), String> {
        check_name(&self.name)?;
        if self.description.chars().any(char::is_control) {
            return Err("description holds control characters; write it in one plain line".into());
        }
        if self.data.name.is_empty() || self.data.name.chars().any(char::is_control) {
            let name = excerpt(&self.data.name);
            return Err(format!("data.name = {name:?}; give a data set's name, a folder or a file"));
        }
        let [low, high] = self.data.range;
        // Two different numbers may be equal in f32, in which the device computes.
        if !(low.abs() <= MAX_PIXEL && high.abs() <= MAX_PIXEL && (low as f32) < high as f32) {
            return Err(format!(
                "data.range = [{low:?}, {high:?}]; give two numbers from -{MAX_PIXEL} to {MAX_PIXEL}, \
                 the lower first"
            ));
        }
        self.training.check()?;
        self.check_samples()?;
        self.check_judging()?;
        self.check_schedules()?;
        let generator = self.check_network("generator", &self.generator)?;
        let discriminator = self.check_network("discriminator", &self.discriminator)?;
        self.check_ends(&generator, &discriminator)?;
        if let Some(classifier) = &self.classifier {
            self.check_network("classifier", classifier)?;
        }
        self.check_triple()?;
        self.check_memory()
    }

    fn check_samples(&self) -> Result<(), String> {
        let samples = &self.samples;
        check_size("samples.count", samples.count, MAX_GRID)?;
        if samples.epochs.len() > MAX_MONTAGE {
            let found = samples.epochs.len();
            return Err(format!("samples.epochs has {found} entries; name at most {MAX_MONTAGE}"));
        }
        for &epoch in &samples.epochs {
            check_size("samples.epochs", epoch, MAX_EPOCHS)?;
        }
        if samples.first_step > MAX_FIRST_STEP {
            let found = samples.first_step;
            return Err(format!(
                "samples.first_step = {found}; give a step up to {MAX_FIRST_STEP}, or 0 for no grid before the first \
                 epoch's end"
            ));
        }
        Ok(())
    }

    fn check_judging(&self) -> Result<(), String> {
        let JudgingSpec { every, every_steps, samples } = self.judge;
        if every > MAX_EPOCHS {
            return Err(format!("judge.every = {every}; give a number of epochs up to {MAX_EPOCHS}, or 0 for never"));
        }
        if every == 0 && every_steps > 0 {
            return Err(format!(
                "judge.every_steps = {every_steps}, but with judge.every = 0 nothing is judged; leave one out"
            ));
        }
        if every_steps > MAX_FIRST_STEP {
            let ends = "or 0 for the ends of epochs only";
            return Err(format!(
                "judge.every_steps = {every_steps}; give a number of steps up to {MAX_FIRST_STEP}, {ends}"
            ));
        }
        if self.classes().is_some() && self.samples.count > samples {
            let count = self.samples.count;
            return Err(format!(
                "samples.count = {count}, but judge.samples = {samples}: of a grid of so many only the first classes would be \
                 judged; make samples.count at most {samples}"
            ));
        }
        match (JUDGED[0]..=JUDGED[1]).contains(&samples) {
            true => Ok(()),
            false => Err(format!("judge.samples = {samples}; choose from {} to {}", JUDGED[0], JUDGED[1])),
        }
    }

    /// The most images that go through a network at one time.
    fn largest_batch(&self) -> usize {
        let batch = self.training.batch_size;
        self.training.triple.map_or(batch, |triple| {
            let [labelled, told] = triple.pairs;
            batch.max(triple.supervised).max(triple.generated).max(labelled.saturating_add(told))
        })
    }

    /// Checks one network by itself.
    fn check_network(&self, name: &str, network: &NetworkSpec) -> Result<LayerTable, String> {
        network.check_keys().map_err(|why| format!("{name}.{why}"))?;
        let table = network.table().map_err(|why| format!("{name} {why}"))?;
        network.check_singular_values(&table.rows).map_err(|why| format!("{name} {why}"))?;
        let batch = self.largest_batch();
        for (layer, row) in all_layers(&network.layers, &table.rows) {
            let of_a_batch = |values: u64| values.saturating_mul(batch as u64);
            let between = of_a_batch(layer.between(&row.input)[0]);
            if between > MAX_VALUES {
                return Err(format!(
                    "{name} {}: a batch of {batch} makes the weights of every place of {:?} for every other hold {between} \
                     values, more than {MAX_VALUES}; put it where the image is smaller, or lower training.batch_size",
                    row.name(),
                    row.input
                ));
            }
            let held = of_a_batch(values(&row.output));
            if held > MAX_VALUES {
                return Err(format!(
                    "{name} {}: a batch of {batch} makes its output {:?} hold {held} \
                     values, more than {MAX_VALUES}; lower training.batch_size",
                    row.name(),
                    row.output
                ));
            }
        }
        Ok(table)
    }

    /// Checks the inputs and outputs of the networks, and that the generator's output fits the discriminator's input.
    fn check_ends(&self, generator: &LayerTable, discriminator: &LayerTable) -> Result<(), String> {
        let (latent, image) = (&self.generator.input, &self.discriminator.input);
        if latent.len() != 1 {
            return Err(format!("generator.input = {latent:?}; give the latent's width, such as [100]"));
        }
        match (Plane::named(&self.data.name), &image[..]) {
            (Some(plane), [2]) if self.data.last_batch == LastBatch::Keep => {
                let name = plane.name();
                return Err(format!(
                    "data.last_batch = \"keep\": {name} is sampled anew and has no last batch; remove it"
                ));
            }
            (Some(plane), [2]) if self.data.balanced => {
                let name = plane.name();
                return Err(format!("data.balanced = true: the points of {name} have no classes; remove it"));
            }
            (Some(plane), [2]) if self.data.flip => {
                let name = plane.name();
                return Err(format!("data.flip = true: {name} has points, no images to mirror; remove it"));
            }
            (Some(plane), [2]) if self.classes().is_some() => {
                let name = plane.name();
                return Err(format!("generator.classes: the points of {name} have no classes; remove the key"));
            }
            (Some(_), [2]) | (None, [_, _, 1 | 3]) => {}
            (Some(plane), _) => {
                let name = plane.name();
                return Err(format!(
                    "discriminator.input = {image:?}, but data {name} has points of the plane, [2]; choose a recipe for points, \
                     such as ring-2d"
                ));
            }
            (None, [2]) => {
                let [ring, grid, spiral] = Plane::ALL.map(Plane::name);
                return Err(format!(
                    "discriminator.input = [2] is for points of the plane; choose data {ring}, {grid} or {spiral}, or another \
                     recipe"
                ));
            }
            (None, _) => {
                return Err(format!(
                    "discriminator.input = {image:?}; give [height, width, channels] with 1 or 3 channels"
                ));
            }
        }
        if generator.output() != image {
            return Err(format!(
                "the generator's output {:?} is not the discriminator's input {image:?}; \
                 make them equal",
                generator.output()
            ));
        }
        self.check_classes([generator, discriminator])?;
        let outputs = self.outputs();
        if discriminator.output() != [outputs] {
            let output = discriminator.output();
            let fix = match output {
                [1, 1, last] if *last == outputs => "end it with a flatten".into(),
                _ => {
                    let units = if outputs == 1 { "unit" } else { "units" };
                    format!(
                        "end it with a flatten and a dense layer of {outputs} {units}, or with a convolution to \
                         [1, 1, {outputs}] and a flatten"
                    )
                }
            };
            return Err(format!("the discriminator's output is {output:?} where it must be [{outputs}]; {fix}"));
        }
        let mixes = discriminator.all().into_iter().find(|row| row.mixes_examples());
        if let (Some(row), Some(_)) = (mixes, self.training.gradient_penalty) {
            return Err(format!(
                "discriminator {}: training.gradient_penalty is on the slope at \
                 single images, which this layer mixes; remove it",
                row.name()
            ));
        }
        Ok(())
    }
}

/// Whether `name` can be the name of a folder on any system, and can't be a path.
fn check_name(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let starts = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if starts && name.len() <= MAX_NAME && name.chars().all(plain) {
        return Ok(());
    }
    Err(format!(
        "name = {:?}; use at most {MAX_NAME} letters, digits, '-', '_' and '.', \
         a letter or digit first",
        excerpt(name)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{LayerSpec, built_in_names};

    /// What is wrong with a built-in recipe after `change`.
    fn complaint(change: impl FnOnce(&mut Recipe)) -> String {
        let mut recipe = Recipe::load("dcgan-compact-mnist", &[]).unwrap();
        change(&mut recipe);
        recipe.check().unwrap_err()
    }

    #[test]
    fn parameters_of_the_built_in_recipes() {
        // The total and the number that is not trainable, for the generator first.
        let counts = |name: &str| {
            let recipe = Recipe::load(name, &[]).unwrap();
            [recipe.generator, recipe.discriminator].map(|network| {
                let sum = network.table().unwrap().parameters;
                (sum.total(), sum.not_trainable)
            })
        };
        let a = [(2_330_944, 25_472), (1_030_145, 0)];
        let a_in_colour = [(2_733_504, 33_152), (1_033_345, 0)];
        let c = |generator: u64| [(generator, 0), (21_953, 0)];
        for (name, expected) in [
            ("dcgan-mnist", a),
            ("dcgan-ema-mnist", a),
            ("dcgan-svhn", a_in_colour),
            ("wgan-mnist", a),
            ("wgan-svhn", a_in_colour),
            ("wgan-clip-mnist", a),
            ("wgan-gp-mnist", a),
            ("mlp-mnist", [(1_486_352, 0), (1_460_225, 0)]),
            ("fc-mnist", c(12_946_177)),
            ("transpose-mnist", c(1_164_289)),
            ("upsample-mnist", c(1_164_289)),
            ("upsample-fashion", c(1_164_289)),
            ("transpose-cifar10", [(1_012_483, 0), (95_297, 0)]),
            ("vanilla-mnist", [(579_728, 0), (566_273, 0)]),
            ("dcgan-compact-mnist", [(2_330_944, 25_472), (213_633, 384)]),
            ("ring-2d", [(18_946, 0), (17_025, 0)]),
            ("grid-2d", [(136_450, 0), (132_609, 0)]),
            ("spiral-2d", [(18_946, 0), (17_025, 0)]),
            ("stacked-dcgan", [(2_334_144, 25_472), (1_033_345, 0)]),
            ("cgan-mnist", [(581_008, 0), (571_393, 0)]),
            ("cdcgan-mnist", [(2_337_143, 25_472), (1_072_229, 0)]),
            ("acgan-mnist", [(2_456_384, 25_472), (1_071_115, 0)]),
            ("triple-gan-mnist", [(714_624, 2_000), (1_559_011, 0)]),
            ("triple-gan-svhn", [(5_137_777, 17_152), (327_467, 0)]),
            ("sngan-cifar10", [(3_806_659, 1_920), (2_956_701, 20_828)]),
            ("sngan-resnet-cifar10", [(4_279_555, 3_584), (1_063_456, 9_631)]),
            ("sagan-cifar10", [(1_252_647, 14_243), (788_299, 7_881)]),
            ("sagan-svhn", [(1_252_647, 14_243), (788_299, 7_881)]),
            ("r3gan-mnist", [(629_057, 0), (227_713, 0)]),
            ("r3gan-stacked-mnist", [(414_947, 0), (113_953, 0)]),
            ("r3gan-cifar10", [(814_531, 0), (617_985, 0)]),
            ("best-mnist", [(423_169, 288), (126_385, 0)]),
            ("stacked-wgan-gp", [(2_334_144, 25_472), (1_033_345, 0)]),
        ] {
            assert_eq!(counts(name), expected, "{name}");
        }
        assert!(built_in_names().all(|name| Recipe::load(name, &[]).unwrap().name == name));
    }

    #[test]
    fn a_misfit_is_named_with_both_shapes() {
        let without = |network: fn(&mut Recipe) -> &mut NetworkSpec, layer: usize| {
            complaint(|recipe| drop(network(recipe).layers.remove(layer - 1)))
        };
        let generator = |layer| without(|recipe| &mut recipe.generator, layer);
        let discriminator = |layer| without(|recipe| &mut recipe.discriminator, layer);
        assert_eq!(
            generator(4),
            "generator layer 4 (conv_transpose2d): needs an image [height, width, channels] but its \
             input is [12544]; put a reshape before it"
        );
        assert_eq!(
            generator(8),
            "the generator's output [14, 14, 1] is not the discriminator's input [28, 28, 1]; \
             make them equal"
        );
        assert_eq!(
            discriminator(9),
            "discriminator layer 9 (dense): needs a vector [n] but its input is [7, 7, 128]; put a \
             flatten before it"
        );
        assert!(discriminator(10).starts_with("the discriminator's output is [6272] where it must be [1]"));
        let what = complaint(|recipe| recipe.generator.input = vec![0]);
        assert_eq!(what, "generator.input = [0]: 0 is not a size from 1 to 1048576");
    }

    #[test]
    fn names_and_numbers_out_of_range() {
        for name in ["", "..", "a/b", "-x", "a b", &"x".repeat(101)] {
            let what = complaint(|recipe| recipe.name = name.into());
            assert!(what.starts_with("name = "), "{what}");
        }
        for range in [
            [1.0, -1.0],
            [0.0, 0.0],
            [f64::NAN, 1.0],
            [0.0, f64::INFINITY],
            [-1e308, 1e308],
            [0.0, 1e7],
            [1e6 - 1e-9, 1e6],
        ] {
            let what = complaint(|recipe| recipe.data.range = range);
            assert!(what.starts_with("data.range = "), "{what}");
        }
        assert!(complaint(|recipe| recipe.training.epochs = 0).starts_with("training.epochs = 0"));
        assert!(complaint(|recipe| recipe.description = "two\nlines".into()).starts_with("description"));
        assert!(complaint(|recipe| recipe.data.name.clear()).starts_with("data.name"));
        let what = complaint(|recipe| recipe.samples.first_step = 1_000_001);
        assert!(what.starts_with("samples.first_step = 1000001; give a step up to 1000000, or 0 for"), "{what}");
        assert!(complaint(|recipe| recipe.training.seed = 1 << 63).ends_with("9223372036854775807"));
    }

    /// What f32 would take for 0 or for infinity is not above 0.
    #[test]
    fn numbers_that_f32_cannot_hold() {
        for (key, value) in [
            ("generator.layers.2.epsilon", "1e-60"),
            ("generator.optimizer.epsilon", "1e-60"),
            ("discriminator.optimizer.epsilon", "1e60"),
            ("discriminator.optimizer.learning_rate", "1e39"),
            ("generator.optimizer", "{ kind = 'adamw', learning_rate = 0 }"),
            ("generator.initializer", "{ normal = { stddev = 0 } }"),
        ] {
            let error = Recipe::load("dcgan-compact-mnist", &[format!("{key}={value}")]);
            let error = error.unwrap_err().to_string();
            assert!(error.ends_with("; it must be above 0, from 1.2e-38 to 3.4e38"), "{error}");
        }
    }

    #[test]
    fn weight_decay_is_none_or_a_number_above_0() {
        let with = |optimizer: &str| Recipe::load("dcgan-compact-mnist", &[format!("generator.optimizer={optimizer}")]);
        for kind in ["adam", "adamw", "rmsprop", "sgd"] {
            let decay =
                |value: &str| with(&format!("{{ kind = '{kind}', learning_rate = 1e-3, weight_decay = {value} }}"));
            for value in ["-0.1", "nan", "inf", "1e-60", "1e39"] {
                let error = decay(value).unwrap_err().to_string();
                let said = error.contains("generator.optimizer.weight_decay = ");
                assert!(said && error.ends_with("; it must be 0, for none, or from 1.2e-38 to 3.4e38"), "{error}");
            }
            assert!(decay("0").is_ok());
            let saved = decay("0.5").unwrap().to_toml();
            assert!(saved.contains("weight_decay = 0.5"), "{saved}");
        }
        let unsaid = with("{ kind = 'adamw', learning_rate = 1e-3 }").unwrap().to_toml();
        assert!(unsaid.contains("weight_decay = 0.01"), "{unsaid}");
        assert!(!with("{ kind = 'adam', learning_rate = 1e-3 }").unwrap().to_toml().contains("weight_decay"));
    }

    #[test]
    fn what_mixes_examples_is_found_inside_of_a_residual() {
        for (kind, shortcut) in
            [("batch_norm", ""), ("minibatch_stddev", ", shortcut = [{ layer = 'minibatch_stddev' }]")]
        {
            let inside = format!(
                "discriminator.layers.3={{ layer = 'residual', layers = [{{ layer = 'relu' }}, {{ layer = '{kind}' }}]{shortcut} }}"
            );
            let said = Recipe::load("wgan-gp-mnist", &[inside]).unwrap_err().to_string();
            let start = format!("discriminator layer 3.layers.2 ({kind}): training.gradient_penalty");
            assert!(said.contains(&start), "{said}");
        }
    }

    #[test]
    fn attention_over_too_many_places_is_refused_at_any_depth() {
        let set = |factor: usize| {
            let layer = "{ layer = 'residual', layers = [{ layer = 'attention' }] }";
            let layers = format!(
                "discriminator.layers=[{{ layer = 'conv2d', filters = 8, kernel = 1 }}, {{ layer = 'upsample', factor = \
                 {factor} }}, {layer}, {{ layer = 'flatten' }}, {{ layer = 'dense', units = 1 }}]"
            );
            Recipe::load("dcgan-compact-mnist", &[layers])
        };
        assert!(set(1).is_ok());
        let said = set(10).unwrap_err().to_string();
        assert!(
            said.ends_with(
                "discriminator layer 3.layers.1 (attention): a batch of 64 makes the weights of every place of \
                 [280, 280, 8] for every other hold 98344960000 values, more than 2147483648; put it where the image is \
                 smaller, or lower training.batch_size"
            ),
            "{said}"
        );
    }

    #[test]
    fn networks_too_large_to_hold() {
        let what = complaint(|recipe| recipe.training.batch_size = MAX_BATCH_SIZE + 1);
        assert!(what.starts_with("training.batch_size = 65537"), "{what}");
        let set = |entry: &str| {
            let error = Recipe::load("dcgan-compact-mnist", &[entry.to_string()]).unwrap_err();
            error.to_string()
        };
        let what = set("discriminator.layers.1.filters=300000");
        assert!(what.contains("layer 1 (conv2d): a batch of 64 makes its output [14, 14, 300000]"), "{what}");
        let what = set("discriminator.layers.5={layer='conv2d', filters=30000, kernel=100}");
        assert!(what.contains("layer 5 (conv2d): from [14, 14, 64] to [14, 14, 30000] takes"), "{what}");
        let what = complaint(|recipe| {
            recipe.generator.layers.resize(2000, LayerSpec::Tanh {});
        });
        assert!(what.starts_with("generator.layers has 2000 entries"), "{what}");
    }
}
