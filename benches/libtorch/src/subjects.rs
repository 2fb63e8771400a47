//! What is trained: the recipes of the step rows, with batches of random images.

#[path = "../../common/mod.rs"]
pub mod common;

pub use common::{random, recipe};

use minimax::random::Random;
use minimax::recipe::{LayerSpec, OptimizerSpec, Recipe};
use minimax::{Device, Tensor};

/// [`recipe`] as its losses are compared: every dropout rate 0, and a twentieth of the learning rate.
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
