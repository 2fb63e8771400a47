//! What is trained: the recipes of the step rows, with batches of random images.

#[path = "../../common/mod.rs"]
pub mod common;

pub use common::{random, recipe};

use common::RECIPES;
use minimax::gan::real::Real;
use minimax::nn::Sequential;
use minimax::random::Random;
use minimax::recipe::{LayerSpec, OptimizerSpec, Recipe};
use minimax::{Device, Tensor};

/// Recipes whose steps are timed here alone, and whose layers aren't timed by themselves.
const STEPS_ALONE: [&str; 4] = ["sngan-cifar10", "sagan-cifar10", "r3gan-mnist", "r3gan-stacked-mnist"];

/// The recipes whose steps are timed.
pub fn stepped() -> Vec<&'static str> {
    RECIPES.into_iter().chain(STEPS_ALONE).collect()
}

/// [`recipe`] as its losses are compared: every dropout rate 0, and a twentieth of the learning rate, or where there are R1
/// and R2 a hundredth.
///
/// Two sides that round differently put one pre-activation in some millions on different sides of leaky
/// ReLU's kink, which changes a gradient by 1e-4 or more of its length; and Adam's first steps make as much of
/// small gradients as of large ones. At the recipes' own rates losses drift apart by 1e-3 in five steps from
/// nothing else, at a twentieth by 1e-5, while they still fall by several percent. R1 and R2 have D's slope in them, which
/// jumps at a kink: with them they drift by 4e-4 at a twentieth, by 2e-6 at a hundredth.
pub fn to_compare(mut recipe: Recipe) -> Recipe {
    let share = if recipe.training.r1.or(recipe.training.r2).is_some() { 100.0 } else { 20.0 };
    for network in [&mut recipe.generator, &mut recipe.discriminator] {
        for layer in &mut network.layers {
            if let LayerSpec::Dropout { rate } = layer {
                *rate = 0.0;
            }
        }
        if let OptimizerSpec::Adam { learning_rate, .. } = &mut network.optimizer {
            *learning_rate /= share;
        }
    }
    recipe
}

/// Adds noise to every parameter whose values are all alike, so that losses which are compared depend on it: what
/// attention adds is nothing while its gain is 0, nor what an R3GAN's residual block adds while its last kernel is zeros,
/// and gains and biases that are the same for each class don't show whose is taken.
pub fn stir(network: &mut Sequential, random: &mut Random) {
    for parameter in network.parameters_mut() {
        let values = parameter.to_f64();
        if values.iter().all(|value| *value == values[0]) {
            let noise = random.normal(values.len());
            let stirred: Vec<f64> = values.iter().zip(noise).map(|(value, noise)| value + 0.03 * noise).collect();
            parameter.assign(Tensor::new(&stirred, parameter.shape(), Device::Cpu));
        }
    }
}

/// A batch of random images, and of random classes where the recipe is conditional.
pub struct Batch {
    /// `[n, h, w, c]`, uniform on [-1, 1).
    pub images: Tensor,
    /// The class of each, and how many there are.
    pub labels: Option<(Vec<u16>, usize)>,
}

impl Batch {
    /// `count` images of the recipe's size.
    pub fn new(recipe: &Recipe, count: usize, random: &mut Random) -> Batch {
        let shape = [&[count], &recipe.discriminator.input[..]].concat();
        let uniform = random.uniform(shape.iter().product());
        let values: Vec<f64> = uniform.into_iter().map(|u| 2.0 * u - 1.0).collect();
        let labels = recipe.classes().map(|classes| {
            let drawn = random.uniform(count).into_iter().map(|u| (u * classes as f64) as u16);
            (drawn.collect(), classes)
        });
        Batch { images: Tensor::new(&values, &shape[..], Device::Cpu), labels }
    }

    /// As our step takes it.
    pub fn ours(&self) -> Real {
        match &self.labels {
            Some((labels, classes)) => Real::labelled(self.images.clone(), labels, *classes),
            None => (&self.images).into(),
        }
    }
}
