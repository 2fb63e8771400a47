//! From a recipe's list of layers to a network with parameters.

use super::{AverageSpec, LayerRow, LayerSpec, NetworkSpec, OptimizerSpec, Recipe};
use crate::nn::{
    Activation, Attention, AveragePool2d, BatchNorm, BilinearDownSampling2d, BilinearUpSampling2d, Conv2d,
    ConvTranspose2d, Dense, Dropout, Flatten, GlobalAveragePool2d, GroupNorm, Initializer, Layer, MaxPool2d,
    MinibatchStddev, PixelShuffle, Resampling, Reshape, Residual, Sequential, UpSampling2d,
};
use crate::optim::{Adam, MovingAverage, Optimizer, RmsProp, Sgd, UpdateRule};
use crate::random::Random;
use crate::storage::Device;

/// Which of the two networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// From latents to images.
    Generator,
    /// From images to one number.
    Discriminator,
}

impl Role {
    /// `generator` or `discriminator`, as recipes and checkpoints have it.
    pub fn name(self) -> &'static str {
        match self {
            Role::Generator => "generator",
            Role::Discriminator => "discriminator",
        }
    }

    /// What `recipe` says of it.
    pub fn spec(self, recipe: &Recipe) -> &NetworkSpec {
        match self {
            Role::Generator => &recipe.generator,
            Role::Discriminator => &recipe.discriminator,
        }
    }
}

/// The network of `spec`, its weights drawn from `random` layer by layer.
///
/// # Panics
/// If the shapes don't fit; those of a recipe that was loaded do.
pub fn network(spec: &NetworkSpec, random: &mut Random, device: Device) -> Sequential {
    let table = spec.table().expect("a loaded recipe's shapes fit");
    Sequential::new(build_layers(&spec.layers, &table.rows, spec.initializer, random, device))
}

/// `layers` for the shapes of their `rows`.
fn build_layers(
    layers: &[LayerSpec],
    rows: &[LayerRow],
    initializer: Initializer,
    random: &mut Random,
    device: Device,
) -> Vec<Box<dyn Layer>> {
    layers.iter().zip(rows).map(|(layer, row)| build_layer(layer, row, initializer, random, device)).collect()
}

fn build_layer(
    layer: &LayerSpec,
    row: &LayerRow,
    initializer: Initializer,
    random: &mut Random,
    device: Device,
) -> Box<dyn Layer> {
    let channels = row.input[row.input.len() - 1];
    match layer {
        &LayerSpec::Dense { units, bias } => Box::new(Dense::new(channels, units, bias, initializer, random, device)),
        LayerSpec::Conv2d(conv) => Box::new(Conv2d::new(channels, conv, initializer, random, device)),
        LayerSpec::ConvTranspose2d(conv) => Box::new(ConvTranspose2d::new(channels, conv, initializer, random, device)),
        &LayerSpec::BatchNorm { momentum, epsilon } => Box::new(BatchNorm::new(channels, momentum, epsilon, device)),
        LayerSpec::GroupNorm { .. } | LayerSpec::LayerNorm { .. } | LayerSpec::InstanceNorm { .. } => {
            let (groups, epsilon) = layer.group_norm(channels).expect("it is one");
            Box::new(GroupNorm::new(channels, groups, epsilon, device))
        }
        &LayerSpec::Dropout { rate } => Box::new(Dropout { rate }),
        &LayerSpec::LeakyRelu { slope } => Box::new(Activation::LeakyRelu { slope }),
        LayerSpec::Relu {} => Box::new(Activation::Relu),
        LayerSpec::Tanh {} => Box::new(Activation::Tanh),
        LayerSpec::Sigmoid {} => Box::new(Activation::Sigmoid),
        LayerSpec::Gelu {} => Box::new(Activation::Gelu),
        LayerSpec::Silu {} => Box::new(Activation::Silu),
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
        LayerSpec::Attention {} => Box::new(Attention::new(channels, initializer, random, device)),
        LayerSpec::Residual { layers, shortcut } => {
            let mut build = |layers, rows| build_layers(layers, rows, initializer, random, device);
            let layers = build(layers, &row.layers);
            Box::new(Residual::new(layers, build(shortcut, &row.shortcut)))
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
        OptimizerSpec::Adam { learning_rate, betas, epsilon, epsilon_placement } => {
            Box::new(Adam { learning_rate, betas, epsilon, epsilon_placement })
        }
        OptimizerSpec::RmsProp { learning_rate, rho, epsilon, epsilon_placement } => {
            Box::new(RmsProp { learning_rate, rho, epsilon, epsilon_placement })
        }
        OptimizerSpec::Sgd { learning_rate, momentum } => Box::new(Sgd { learning_rate, momentum }),
    }
}
