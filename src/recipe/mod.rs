//! A recipe: a TOML file that describes everything about a GAN except its data. Networks, loss, schedule and optimisers
//! are plain data here, without tensors. [`Recipe::load`] reads a recipe and checks all of it, so that everything that
//! is built from a loaded recipe fits together.
//!
//! ```toml
//! name = "tiny"
//! description = "Two layers each"
//!
//! [data]
//! name = "mnist"
//!
//! [training]
//! epochs = 10
//! batch_size = 64
//! loss = "bce"
//! update = "simultaneous"
//!
//! [generator]
//! input = [100]
//! optimizer = { kind = "adam", learning_rate = 2e-4 }
//! layers = [
//!   { layer = "dense", units = 784 },
//!   { layer = "tanh" },
//!   { layer = "reshape", shape = [28, 28, 1] },
//! ]
//!
//! [discriminator]
//! input = [28, 28, 1]
//! optimizer = { kind = "adam", learning_rate = 2e-4 }
//! layers = [
//!   { layer = "flatten" },
//!   { layer = "dense", units = 1 },
//! ]
//! ```
//!
//! A layer may have layers inside of it: `{ layer = "residual", layers = [...], shortcut = [...] }` gives the sum of
//! both or, without a shortcut, of its layers and its input. `--set` and messages name such layers by numbers from 1:
//! `generator.layers.3.layers.1.filters`.

use crate::data::LastBatch;
use crate::terminal::excerpt;
use crate::unsaid::is_false;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use toml::Value;

mod augment;
mod average;
pub mod build;
mod check;
mod classes;
mod convolution;
mod layer;
mod layer_shape;
mod load;
pub(crate) mod memory;
mod network;
mod output;
mod schedule;
mod sizes;
mod statistics;
mod table;
mod training;
mod triple;
mod typed;

pub use augment::AugmentSpec;
pub use average::AverageSpec;
pub use check::{MAX_BATCH_SIZE, MAX_EPOCHS};
pub use layer::{LayerSpec, ParameterCount};
pub use load::{MAX_BYTES, built_in_names};
pub use memory::MAX_TRAINING_BYTES;
pub use network::{MAX_LAYERS, NetworkSpec, OptimizerSpec};
pub use schedule::{Numbers, ScheduleSpec, Shape};
pub(crate) use sizes::values;
pub use sizes::{MAX_SIZE, MAX_VALUES};
pub(crate) use table::all_layers;
pub use table::{LayerRow, LayerTable, MAX_DEPTH};
pub use training::{BatchSpec, CriticLoop, LabelSpec, LossSpec, TrainingSpec, UpdateSpec};
pub use triple::TripleSpec;
pub(crate) use typed::in_words;
#[cfg(feature = "app")]
pub(crate) use typed::line_at;

/// A GAN and how to train it.
///
/// ```
/// use minimax::recipe::Recipe;
///
/// let recipe = Recipe::load("quickstart", &[])?;
/// assert_eq!(recipe.generator.input, [100]);
/// assert_eq!(recipe.discriminator.input, [28, 28, 1]);
/// # Ok::<(), minimax::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct Recipe {
    /// The name of its runs: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// One line for a person.
    #[serde(default)]
    pub description: String,
    /// What the discriminator is shown as real.
    pub data: DataSpec,
    /// How both networks are trained.
    pub training: TrainingSpec,
    /// What the sample grids show.
    #[serde(default)]
    pub samples: SamplesSpec,
    /// How often the samples are judged, and how many of them.
    #[serde(default)]
    pub judge: JudgingSpec,
    /// How numbers of the above and of the optimisers change as training goes on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedule: Vec<ScheduleSpec>,
    /// From latents z ~ N(0, 1) to images.
    pub generator: NetworkSpec,
    /// From images to one number, and to logits of the classes if it predicts them. The number is a probability if the
    /// last layer that changes values is a sigmoid, else a logit or a score.
    pub discriminator: NetworkSpec,
    /// From images to logits of the classes, in a game of three; default: none, in a game of two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classifier: Option<NetworkSpec>,
}

/// What the discriminator is shown as real.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct DataSpec {
    /// A data set's name, a folder or a file.
    pub name: String,
    /// The values to which black and white are scaled, `[low, high]`; default: -1 and 1, the range of a tanh.
    #[serde(default = "range", deserialize_with = "two")]
    pub range: [f64; 2],
    /// What happens to the last images of an epoch if they are too few for a batch; default: they are dropped.
    #[serde(default)]
    pub last_batch: LastBatch,
    /// The colour behind transparent parts of your own pictures, `[red, green, blue]` from 0 to 255; default: black.
    #[serde(default, deserialize_with = "three")]
    pub background: [u8; 3],
    /// With SVHN's training set, the 531,131 images of `extra_32x32.mat` too; default: false.
    #[serde(default)]
    pub extra: bool,
    /// Whether each class is shown equally often, in epochs of the same length; default: false.
    #[serde(default, skip_serializing_if = "is_false")]
    pub balanced: bool,
    /// Whether images are mirrored left to right with a probability of one half; default: false.
    #[serde(default, skip_serializing_if = "is_false")]
    pub flip: bool,
}

/// What the sample grids of a run show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct SamplesSpec {
    /// The number of images on a grid; default: 100, ten by ten.
    #[serde(default = "count")]
    pub count: usize,
    /// The epochs whose grids are shown side by side in `montage.png`; default: none.
    #[serde(default)]
    pub epochs: Vec<usize>,
    /// The first step that has a grid of its own. Within the first epoch more follow each time the number of steps has
    /// doubled. Default: 50, which gives grids of steps 50, 100, 200, 400, ...; 0 means none before the end of the
    /// epoch.
    #[serde(default = "first_step")]
    pub first_step: usize,
}

impl Default for SamplesSpec {
    fn default() -> SamplesSpec {
        SamplesSpec { count: count(), epochs: Vec::new(), first_step: first_step() }
    }
}

/// How the samples of a run are judged, if its data set has a judge (see [`crate::judge`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct JudgingSpec {
    /// Samples are judged after every n-th epoch, besides the last; default: after each. 0 means never.
    #[serde(default = "every")]
    pub every: usize,
    /// Samples are also judged after every n-th step within epochs; default: 0, only at the ends of epochs.
    #[serde(default)]
    pub every_steps: usize,
    /// How many samples; default: 1,000.
    #[serde(default = "judged")]
    pub samples: usize,
}

impl Default for JudgingSpec {
    fn default() -> JudgingSpec {
        JudgingSpec { every: every(), every_steps: 0, samples: judged() }
    }
}

fn every() -> usize {
    1
}
fn judged() -> usize {
    1000
}
fn range() -> [f64; 2] {
    [-1.0, 1.0]
}
fn count() -> usize {
    100
}
fn first_step() -> usize {
    50
}

/// Reads exactly two numbers. (Serde's arrays would silently drop a third.)
fn two<'de, D: Deserializer<'de>>(from: D) -> Result<[f64; 2], D::Error> {
    let numbers = Vec::<f64>::deserialize(from)?;
    let count = numbers.len();
    numbers.try_into().map_err(|_| D::Error::invalid_length(count, &"two numbers"))
}

/// As [`two`], for the three bytes of a colour.
fn three<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 3], D::Error> {
    let bytes = Vec::<u8>::deserialize(from)?;
    let count = bytes.len();
    bytes.try_into().map_err(|_| D::Error::invalid_length(count, &"red, green and blue"))
}

impl Recipe {
    /// The recipe as TOML with every default written out; [`Recipe::load`] reads it back to the same value.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a loaded recipe holds only what TOML can say")
    }

    /// A message with the first key in which `other` differs and both values; `None` if they are equal.
    pub fn difference(&self, other: &Recipe) -> Option<String> {
        self.differences(other).first().map(Difference::to_string)
    }

    /// The keys in which `other` differs.
    pub fn differences(&self, other: &Recipe) -> Vec<Difference> {
        let [own, other] = [self, other].map(|recipe| toml::Value::try_from(recipe).expect("as in to_toml"));
        let mut all = Vec::new();
        differences("", Some(&own), Some(&other), &mut all);
        all
    }
}

/// A key in which two recipes differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The key, as `--set` has it.
    pub key: String,
    /// Its value in the one recipe, if it is there.
    pub own: Option<Value>,
    /// Its value in the other.
    pub other: Option<Value>,
}

impl Difference {
    /// The change from the one recipe to the other, in words.
    pub fn change(&self) -> String {
        let value = |value: &Option<Value>| match value {
            Some(value) => excerpt(&value.to_string()).to_string(),
            None => "none".into(),
        };
        format!("{} from {} to {}", self.key, value(&self.own), value(&self.other))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.key;
        match (&self.own, &self.other) {
            (Some(Value::Array(own)), Some(Value::Array(other))) if own.len() != other.len() => {
                let (found, asked) = (own.len(), other.len());
                write!(f, "{key} has {found} entries where {asked} are asked for")
            }
            (Some(own), Some(other)) => {
                let [own, other] = [own, other].map(Value::to_string);
                let [own, other] = [excerpt(&own), excerpt(&other)];
                write!(f, "{key} is {own} where {other} is asked for")
            }
            (Some(_), None) => write!(f, "{key} is there where none is asked for"),
            (None, _) => write!(f, "{key} is not there where it is asked for"),
        }
    }
}

/// Adds the differences between the values at `path`.
fn differences(path: &str, own: Option<&Value>, other: Option<&Value>, all: &mut Vec<Difference>) {
    let join = |key: &str| match path {
        "" => key.to_string(),
        path => format!("{path}.{key}"),
    };
    match (own, other) {
        (own, other) if own == other => {}
        (Some(Value::Table(own)), Some(Value::Table(other))) => {
            let new = other.keys().filter(|key| !own.contains_key(*key));
            for key in own.keys().chain(new) {
                differences(&join(key), own.get(key), other.get(key), all);
            }
        }
        (Some(Value::Array(own)), Some(Value::Array(other))) if own.len() == other.len() => {
            // Counted from 1, as --set does.
            for (i, (a, b)) in own.iter().zip(other).enumerate() {
                differences(&join(&(i + 1).to_string()), Some(a), Some(b), all);
            }
        }
        (own, other) => all.push(Difference { key: path.into(), own: own.cloned(), other: other.cloned() }),
    }
}
