//! One network of a recipe: its input, its layers, their initial weights, and the optimiser.

use serde::{Deserialize, Serialize};

use super::layer::{LayerSpec, OfAll};
use super::sizes::{check_number, check_positive, check_shape};
use super::table::{LayerRow, all_layers};
use crate::nn::Initializer;
use crate::optim::EpsilonPlacement;
use crate::unsaid::{is_false, is_zero};

/// The most layers that one network may have, including those inside of residuals.
pub const MAX_LAYERS: usize = 1024;

/// The smallest and the largest number of classes; labels are copied to a device as bytes.
pub(super) const CLASSES: [usize; 2] = [2, 256];

/// The generator or the discriminator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub struct NetworkSpec {
    /// The shape of the input, without the batch: `[width]` of the latent, or `[h, w, c]` of an image.
    pub input: Vec<usize>,
    /// The number of classes, if some of the layers take labels; default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<usize>,
    /// Whether every dense layer, convolution, attention and projection has spectral normalisation: see
    /// [`spectral_norm`](crate::nn::spectral_norm). Default: only those that ask for it themselves.
    #[serde(default, skip_serializing_if = "is_false")]
    pub spectral_norm: bool,
    /// The initial weights of every layer; biases start at 0, gains of batch norm at 1.
    #[serde(default)]
    pub initializer: Initializer,
    /// How the parameters are changed.
    pub optimizer: OptimizerSpec,
    /// From input to output.
    pub layers: Vec<LayerSpec>,
}

/// How a network's parameters are changed; g is the gradient, t counts steps from 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields, expecting = "a table with the key `kind`")]
pub enum OptimizerSpec {
    /// Adam (Kingma and Ba 2015).
    Adam {
        /// α.
        learning_rate: f64,
        /// Decay of the two moments, each in [0, 1); default: 0.9 and 0.999.
        #[serde(default = "adam_betas", deserialize_with = "super::two")]
        betas: [f64; 2],
        /// ε; default: 1e-7.
        #[serde(default = "epsilon")]
        epsilon: f64,
        /// Default: `keras`.
        #[serde(default)]
        epsilon_placement: EpsilonPlacement,
        /// λ of [`WeightDecay::L2`](crate::optim::WeightDecay::L2); default: 0, for none.
        #[serde(default, skip_serializing_if = "is_zero")]
        weight_decay: f64,
    },
    /// AdamW (Loshchilov and Hutter 2019): Adam beside a decoupled weight decay.
    #[serde(rename = "adamw")]
    AdamW {
        /// α.
        learning_rate: f64,
        /// As Adam's.
        #[serde(default = "adam_betas", deserialize_with = "super::two")]
        betas: [f64; 2],
        /// As Adam's.
        #[serde(default = "epsilon")]
        epsilon: f64,
        /// Default: `keras`.
        #[serde(default)]
        epsilon_placement: EpsilonPlacement,
        /// λ of [`WeightDecay::Decoupled`](crate::optim::WeightDecay::Decoupled), which a step multiplies by α;
        /// default: 0.01, as in PyTorch.
        #[serde(default = "decoupled_decay")]
        weight_decay: f64,
    },
    /// RMSprop (Tieleman and Hinton 2012).
    #[serde(rename = "rmsprop")]
    RmsProp {
        /// Step size.
        learning_rate: f64,
        /// ρ, in [0, 1); default: 0.9.
        #[serde(default = "rho")]
        rho: f64,
        /// Default: 1e-7.
        #[serde(default = "epsilon")]
        epsilon: f64,
        /// Default: `keras`.
        #[serde(default)]
        epsilon_placement: EpsilonPlacement,
        /// λ of [`WeightDecay::L2`](crate::optim::WeightDecay::L2); default: 0, for none.
        #[serde(default, skip_serializing_if = "is_zero")]
        weight_decay: f64,
    },
    /// Stochastic gradient descent.
    Sgd {
        /// Step size.
        learning_rate: f64,
        /// In [0, 1); default: 0.
        #[serde(default)]
        momentum: f64,
        /// λ of [`WeightDecay::L2`](crate::optim::WeightDecay::L2); default: 0, for none.
        #[serde(default, skip_serializing_if = "is_zero")]
        weight_decay: f64,
    },
}

impl OptimizerSpec {
    /// The step size.
    pub fn learning_rate(&self) -> f64 {
        let mut copy = *self;
        *copy.learning_rate_mut()
    }

    /// The step size, to be changed.
    pub fn learning_rate_mut(&mut self) -> &mut f64 {
        match self {
            OptimizerSpec::Adam { learning_rate, .. }
            | OptimizerSpec::AdamW { learning_rate, .. }
            | OptimizerSpec::RmsProp { learning_rate, .. }
            | OptimizerSpec::Sgd { learning_rate, .. } => learning_rate,
        }
    }
}
fn adam_betas() -> [f64; 2] {
    [0.9, 0.999]
}
fn epsilon() -> f64 {
    1e-7
}
fn rho() -> f64 {
    0.9
}
fn decoupled_decay() -> f64 {
    0.01
}

impl NetworkSpec {
    /// What it says about all of its layers.
    pub(super) fn of_all(&self) -> OfAll {
        OfAll { classes: self.classes, spectral_norm: self.spectral_norm }
    }

    /// Checks that no kernel with a spectral norm starts at zeros. `rows` are those of its layers.
    pub(super) fn check_singular_values(&self, rows: &[LayerRow]) -> Result<(), String> {
        for (layer, row) in all_layers(&self.layers, rows) {
            let initializer = match layer {
                LayerSpec::Conv2d(conv) | LayerSpec::ConvTranspose2d(conv) => {
                    conv.initializer.unwrap_or(self.initializer)
                }
                LayerSpec::Dense { .. } | LayerSpec::Projection {} | LayerSpec::Attention {} => self.initializer,
                _ => continue,
            };
            if initializer == Initializer::Zeros && (self.spectral_norm || layer.has_spectral_norm()) {
                return Err(format!(
                    "{}: its kernel starts at zeros, whose largest singular value is 0; choose another initializer, or take \
                     spectral_norm away",
                    row.name()
                ));
            }
        }
        Ok(())
    }

    /// Checks all but the layers themselves.
    pub(crate) fn check_keys(&self) -> Result<(), String> {
        check_shape(&self.input).map_err(|why| format!("input = {:?}: {why}", self.input))?;
        if !(1..=MAX_LAYERS).contains(&self.layers.len()) {
            return Err(format!("layers has {} entries; it must have 1 to {MAX_LAYERS}", self.layers.len()));
        }
        if let Some(classes) = self.classes
            && !(CLASSES[0]..=CLASSES[1]).contains(&classes)
        {
            return Err(format!("classes = {classes}; choose from {} to {}", CLASSES[0], CLASSES[1]));
        }
        check_initializer(self.initializer)?;
        self.optimizer.check().map_err(|why| format!("optimizer.{why}"))
    }
}

/// Checks the number of an initialiser that has one.
pub(super) fn check_initializer(initializer: Initializer) -> Result<(), String> {
    use Initializer::{GlorotNormal, GlorotUniform, HeNormal, HeUniform, Normal, TruncatedNormal, Zeros};
    match initializer {
        Normal { stddev } => check_positive("initializer.normal.stddev", stddev),
        TruncatedNormal { stddev } => check_positive("initializer.truncated_normal.stddev", stddev),
        GlorotUniform | GlorotNormal | HeUniform | HeNormal | Zeros => Ok(()),
    }
}

impl OptimizerSpec {
    /// Checks every number.
    pub(super) fn check(&self) -> Result<(), String> {
        let decay = |key: &str, value: f64| check_number(key, value, (0.0..1.0).contains(&value), "in [0, 1)");
        match *self {
            OptimizerSpec::Adam { learning_rate, betas, epsilon, weight_decay, .. }
            | OptimizerSpec::AdamW { learning_rate, betas, epsilon, weight_decay, .. } => {
                check_positive("learning_rate", learning_rate)?;
                decay("betas.1", betas[0])?;
                decay("betas.2", betas[1])?;
                check_positive("epsilon", epsilon)?;
                check_weight_decay(weight_decay)
            }
            OptimizerSpec::RmsProp { learning_rate, rho, epsilon, weight_decay, .. } => {
                check_positive("learning_rate", learning_rate)?;
                decay("rho", rho)?;
                check_positive("epsilon", epsilon)?;
                check_weight_decay(weight_decay)
            }
            OptimizerSpec::Sgd { learning_rate, momentum, weight_decay } => {
                check_positive("learning_rate", learning_rate)?;
                decay("momentum", momentum)?;
                check_weight_decay(weight_decay)
            }
        }
    }
}

/// Whether `value` is a strength of decay: 0, or above 0 in f32 too.
fn check_weight_decay(value: f64) -> Result<(), String> {
    let holds = value == 0.0 || value > 0.0 && (value as f32).is_normal();
    check_number("weight_decay", value, holds, "0, for none, or from 1.2e-38 to 3.4e38")
}
