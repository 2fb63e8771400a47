//! What the benches beside other frameworks time: one list, read by benches/cuda and by benches/libtorch. Each of the
//! two makes its own sides of a row.

pub mod layers;

use minimax::optim::EpsilonPlacement;
use minimax::random::{Purpose, Random};
use minimax::recipe::{CriticLoop, OptimizerSpec, Recipe, UpdateSpec};

/// The recipes whose steps and layers are timed.
pub const RECIPES: [&str; 6] =
    ["vanilla-mnist", "mlp-mnist", "dcgan-compact-mnist", "dcgan-mnist", "dcgan-svhn", "wgan-gp-mnist"];

/// The recipe whose generator is sampled from.
pub const SAMPLED: &str = "dcgan-compact-mnist";

/// The recipe over all of whose parameters Adam makes a step.
pub const UPDATED: &str = "dcgan-mnist";

/// Added to the variance by batch norm.
pub const EPSILON: f64 = 1e-3;
/// Leaky ReLU's slope below 0.
pub const SLOPE: f64 = 0.3;
/// The share that dropout drops.
pub const RATE: f64 = 0.3;

/// Built-in recipe `name` as both sides can train it: Adam's epsilon where the paper and PyTorch have it, and of a
/// critic loop the critic's step alone.
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
        // The largest that a recipe can say.
        *steps = usize::MAX >> 1;
    }
    recipe
}

/// The row of a training step of `recipe`, or where penalties are lazy of those from one with penalties to the next.
pub fn step_name(recipe: &Recipe) -> String {
    let what = match (recipe.training.update, recipe.training.penalty_every) {
        (UpdateSpec::CriticLoop(_), _) => "critic step".into(),
        (_, 1) => "step".into(),
        (_, steps) => format!("{steps} steps"),
    };
    format!("{what} {} {}", recipe.name, recipe.training.real_images())
}

/// The row of sampling `count` images of [`SAMPLED`].
pub fn sampling_name(count: usize) -> String {
    format!("sample {count} images of {SAMPLED}")
}

/// The row of Adam.
pub fn adam_name() -> String {
    format!("adam, all of {UPDATED}")
}

/// What is done to each value by itself or with its channel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elementwise {
    /// Batch norm, in training.
    BatchNorm,
    /// Leaky ReLU and dropout.
    LeakyDropout,
}

/// One of them, in one direction.
#[derive(Clone, Debug)]
pub struct Pass {
    pub what: Elementwise,
    /// Of its input.
    pub shape: Vec<usize>,
    /// Its gradient, not its value.
    pub backward: bool,
}

impl Pass {
    /// The row's name.
    pub fn name(&self) -> String {
        let what = match self.what {
            Elementwise::BatchNorm => "batch_norm",
            Elementwise::LeakyDropout => "leaky_relu and dropout",
        };
        let sizes: Vec<String> = self.shape.iter().map(ToString::to_string).collect();
        let direction = if self.backward { "backward" } else { "forward" };
        format!("{what} {}, {direction}", sizes.join("x"))
    }
}

/// Forward and backward of each, for a batch of `n`: on the largest maps of dcgan-mnist, which are in both of its
/// networks, and on what its generator's dense layer gives.
pub fn passes(n: usize) -> Vec<Pass> {
    let (maps, vectors) = (vec![n, 14, 14, 64], vec![n, 12_544]);
    let each =
        [(Elementwise::BatchNorm, &maps), (Elementwise::BatchNorm, &vectors), (Elementwise::LeakyDropout, &maps)];
    let both = |(what, shape): (Elementwise, &Vec<usize>)| {
        [false, true].map(|backward| Pass { what, shape: shape.clone(), backward })
    };
    each.into_iter().flat_map(both).collect()
}

/// The stream that inputs are drawn from.
pub fn random() -> Random {
    Random::new(1, Purpose::CHECK)
}
