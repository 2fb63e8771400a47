//! What is trained: the recipes of the step rows, with batches of random images.

use minimax::recipe::{CriticLoop, LayerSpec, OptimizerSpec, Recipe, UpdateSpec};
use minimax::optim::EpsilonPlacement;
use minimax::random::{Purpose, Random};
use minimax::{Device, Tensor};

/// The recipes whose steps and layers are measured.
pub const RECIPES: [&str; 6] =
    ["vanilla-mnist", "mlp-mnist", "dcgan-compact-mnist", "dcgan-mnist", "dcgan-svhn", "wgan-gp-mnist"];

/// Built-in recipe `name` as both sides can train it: Adam's epsilon where the paper and libtorch have it,
/// and of a critic loop the critic's step alone.
///
/// # Panics
/// If there is no such recipe.
pub fn recipe(name: &str) -> Recipe {
    let mut recipe = Recipe::load(name, &[]).expect("a built-in recipe");
    for network in [&mut recipe.generator, &mut recipe.discriminator] {
        if let OptimizerSpec::Adam { epsilon_placement, .. } = &mut network.optimizer {
            *epsilon_placement = EpsilonPlacement::Paper;
        }
    }
    if let UpdateSpec::CriticLoop(CriticLoop { steps, .. }) = &mut recipe.training.update {
        *steps = usize::MAX;
    }
    recipe
}

/// The same recipe as its losses are compared: every dropout rate 0, and a twentieth of the learning rate.
///
/// Two sides that round differently put one pre-activation in some millions on different sides of leaky
/// ReLU's kink, which changes a gradient by 1e-4 or more of its length; and Adam's first steps make as much of
/// small gradients as of large ones. At the recipes' own rates losses drift apart by 1e-3 in five steps from
/// nothing else, at a twentieth by 1e-5, while they still fall by several percent.
pub fn to_compare(mut recipe: Recipe) -> Recipe {
    for network in [&mut recipe.generator, &mut recipe.discriminator] {
        for layer in &mut network.layers {
            if let LayerSpec::Dropout { rate } = layer {
                *rate = 0.0;
            }
        }
        if let OptimizerSpec::Adam { learning_rate, .. } = &mut network.optimizer {
            *learning_rate /= 20.0;
        }
    }
    recipe
}

/// `count` images of the recipe's size, uniform on [-1, 1).
pub fn images(recipe: &Recipe, count: usize, random: &mut Random) -> Tensor {
    let shape = [&[count], &recipe.discriminator.input[..]].concat();
    let uniform = random.uniform(shape.iter().product());
    let values: Vec<f64> = uniform.into_iter().map(|u| 2.0 * u - 1.0).collect();
    Tensor::new(&values, &shape[..], Device::Cpu)
}

/// The stream that inputs are drawn from.
pub fn random() -> Random {
    Random::new(1, Purpose::CHECK)
}
