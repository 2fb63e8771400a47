//! Builds a network with parameters from a recipe's list of layers.

use super::layer::OfAll;
use super::{AverageSpec, LayerRow, LayerSpec, NetworkSpec, OptimizerSpec, Recipe};
use crate::nn::{
    Activation, Attention, AveragePool2d, BatchNorm, BilinearDownSampling2d, BilinearUpSampling2d,
    ConditionalBatchNorm, Conv2d, ConvTranspose2d, Convolution, Dense, Dropout, Flatten, GaussianNoise,
    GlobalAveragePool2d, GroupNorm, Initializer, JoinLabel, Layer, MaxPool2d, MinibatchStddev, PixelShuffle,
    Projection, Resampling, Reshape, Residual, Sequential, UpSampling2d,
};
use crate::optim::{Adam, MovingAverage, Optimizer, RmsProp, Sgd, UpdateRule, WeightDecay};
use crate::random::Random;
use crate::storage::Device;

/// The role of a network in the game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// From latents to images.
    Generator,
    /// From images to one number, and to logits of the classes if it predicts them.
    Discriminator,
    /// From images to logits of the classes, in a game of three.
    Classifier,
}

impl Role {
    /// `generator`, `discriminator` or `classifier`, as recipes and checkpoints have it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Generator => "generator",
            Role::Discriminator => "discriminator",
            Role::Classifier => "classifier",
        }
    }

    /// The part of `recipe` that describes it.
    ///
    /// # Panics
    /// If it is the classifier, and the game has only two players.
    pub fn spec(self, recipe: &Recipe) -> &NetworkSpec {
        match self {
            Role::Generator => &recipe.generator,
            Role::Discriminator => &recipe.discriminator,
            Role::Classifier => recipe.classifier.as_ref().expect("a game of three has a classifier"),
        }
    }
}

/// The network of `spec`, with weights drawn from `random` layer by layer.
///
/// # Panics
/// If the shapes don't fit; those of a recipe that was loaded do.
pub fn network(spec: &NetworkSpec, random: &mut Random, device: Device) -> Sequential {
    let table = spec.table().expect("a loaded recipe's shapes fit");
    let (of_all, initializer) = (spec.of_all(), spec.initializer);
    Sequential::new(Builder { of_all, initializer, random, device }.layers(&spec.layers, &table.rows))
}

/// What the layers of a network are built from.
struct Builder<'a> {
    of_all: OfAll,
    initializer: Initializer,
    random: &'a mut Random,
    device: Device,
}

impl Builder<'_> {
    /// `layers` for the shapes of their `rows`.
    fn layers(&mut self, layers: &[LayerSpec], rows: &[LayerRow]) -> Vec<Box<dyn Layer>> {
        layers.iter().zip(rows).map(|(layer, row)| self.layer(layer, row)).collect()
    }

    fn layer(&mut self, layer: &LayerSpec, row: &LayerRow) -> Box<dyn Layer> {
        let channels = row.input[row.input.len() - 1];
        let OfAll { classes, spectral_norm } = self.of_all;
        let classes = || classes.expect("a checked network knows its classes");
        let normalised = spectral_norm || layer.has_spectral_norm();
        let of = |conv: &Convolution| Convolution { spectral_norm: normalised, ..*conv };
        let &mut Builder { initializer, ref mut random, device, .. } = self;
        match layer {
            &LayerSpec::Dense { units, bias, unit_norm, .. } => {
                let dense = Dense::from_random(channels, units, bias, initializer, random, device);
                Box::new(match (unit_norm, normalised) {
                    (true, _) => dense.unit_normalised(),
                    (false, true) => dense.spectrally_normalised(random),
                    (false, false) => dense,
                })
            }
            LayerSpec::Conv2d(conv) => Box::new(Conv2d::from_random(channels, &of(conv), initializer, random, device)),
            LayerSpec::ConvTranspose2d(conv) => {
                Box::new(ConvTranspose2d::from_random(channels, &of(conv), initializer, random, device))
            }
            &LayerSpec::BatchNorm { momentum, epsilon } => {
                Box::new(BatchNorm::new(channels).momentum(momentum).epsilon(epsilon).to(device))
            }
            LayerSpec::GroupNorm { .. } | LayerSpec::LayerNorm { .. } | LayerSpec::InstanceNorm { .. } => {
                let (groups, epsilon) = layer.group_norm(channels).expect("it is one");
                Box::new(GroupNorm::new(channels, groups, epsilon, device))
            }
            &LayerSpec::Dropout { rate } => Box::new(Dropout { rate }),
            &LayerSpec::GaussianNoise { stddev } => Box::new(GaussianNoise { stddev }),
            &LayerSpec::LeakyRelu { slope } => Box::new(Activation::LeakyRelu { slope }),
            LayerSpec::Relu {} => Box::new(Activation::Relu),
            LayerSpec::Tanh {} => Box::new(Activation::Tanh),
            LayerSpec::Sigmoid {} => Box::new(Activation::Sigmoid),
            LayerSpec::Gelu {} => Box::new(Activation::Gelu),
            LayerSpec::Silu {} => Box::new(Activation::Silu),
            LayerSpec::Softplus {} => Box::new(Activation::Softplus),
            &LayerSpec::Elu { alpha } => Box::new(Activation::Elu { alpha }),
            LayerSpec::Flatten {} => Box::new(Flatten),
            LayerSpec::Reshape { shape } => Box::new(Reshape { shape: shape.clone() }),
            &LayerSpec::Upsample { factor, method } => match method {
                Resampling::Nearest => Box::new(UpSampling2d { factor }),
                Resampling::Bilinear => Box::new(BilinearUpSampling2d { factor }),
            },
            &LayerSpec::Downsample { factor } => Box::new(BilinearDownSampling2d { factor }),
            &LayerSpec::PixelShuffle { factor } => Box::new(PixelShuffle { factor }),
            &LayerSpec::MinibatchStddev { group } => Box::new(MinibatchStddev { group }),
            &LayerSpec::MaxPool(pooling) => Box::new(MaxPool2d(pooling)),
            &LayerSpec::AveragePool(pooling) => Box::new(AveragePool2d(pooling)),
            LayerSpec::GlobalAveragePool {} => Box::new(GlobalAveragePool2d),
            LayerSpec::Attention {} => {
                let attention = Attention::new(channels, initializer, random, device);
                Box::new(if normalised { attention.spectrally_normalised(random) } else { attention })
            }
            LayerSpec::JoinLabel { embedding: None } => Box::new(JoinLabel::one_hot()),
            &LayerSpec::JoinLabel { embedding: Some(width) } => {
                Box::new(JoinLabel::embedded(classes(), width, &row.input, initializer, random, device))
            }
            &LayerSpec::ConditionalBatchNorm { momentum, epsilon } => {
                Box::new(ConditionalBatchNorm::new(classes(), channels, momentum, epsilon, device))
            }
            LayerSpec::Projection {} => {
                let layer = Projection::new(classes(), channels, initializer, random, device);
                Box::new(if normalised { layer.spectrally_normalised(random) } else { layer })
            }
            LayerSpec::Residual { layers, shortcut } => {
                let layers = self.layers(layers, &row.layers);
                Box::new(Residual::new(layers, self.layers(shortcut, &row.shortcut)))
            }
        }
    }
}

/// The optimiser of `spec` for the parameters of `network`.
pub fn optimizer(spec: &OptimizerSpec, network: &Sequential) -> Optimizer {
    Optimizer::new(rule(spec), &network.parameters())
}

/// The moving average of `spec`, of a generator that is trained on batches of this size.
pub fn moving_average(spec: AverageSpec, batch_size: usize) -> MovingAverage {
    MovingAverage { half_life: spec.updates(batch_size), warm_up: spec.warm_up }
}

/// The update rule of `spec`.
pub fn rule(spec: &OptimizerSpec) -> Box<dyn UpdateRule> {
    match *spec {
        OptimizerSpec::Adam { learning_rate, betas, epsilon, epsilon_placement, weight_decay } => {
            let weight_decay = WeightDecay::L2(weight_decay);
            Box::new(Adam { learning_rate, betas, epsilon, epsilon_placement, weight_decay })
        }
        OptimizerSpec::AdamW { learning_rate, betas, epsilon, epsilon_placement, weight_decay } => {
            let weight_decay = WeightDecay::Decoupled(weight_decay);
            Box::new(Adam { learning_rate, betas, epsilon, epsilon_placement, weight_decay })
        }
        OptimizerSpec::RmsProp { learning_rate, rho, epsilon, epsilon_placement, weight_decay: l2 } => {
            Box::new(RmsProp { learning_rate, rho, epsilon, epsilon_placement, l2 })
        }
        OptimizerSpec::Sgd { learning_rate, momentum, weight_decay: l2 } => {
            Box::new(Sgd { learning_rate, momentum, l2 })
        }
    }
}
