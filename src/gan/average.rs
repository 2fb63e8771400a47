//! The moving average of a generator's weights and running statistics: its samples are better and steadier than those
//! of any one step's weights (Yazıcı et al. 2019, "The unusual effectiveness of averaging in GAN training").

use super::model::Gan;
use crate::nn::{Initializer, Sequential};
use crate::optim::{MovingAverage, Optimizer};
use crate::random::{Purpose, Random};
use crate::recipe::build::{self, moving_average};
use crate::recipe::{NetworkSpec, Recipe};
use crate::storage::Device;
use crate::tensor::Tensor;

/// A network whose tensors are moving averages of another's.
pub struct Average {
    /// The network that has the averages.
    pub network: Sequential,
    pub(super) optimizer: Optimizer,
}

impl Average {
    /// The average of `own`, a network of `spec`, by `rule`. It starts as a copy of it.
    pub(super) fn new(spec: &NetworkSpec, rule: MovingAverage, own: &Sequential, device: Device) -> Average {
        // Every weight is about to be overwritten.
        let network = NetworkSpec { initializer: Initializer::Zeros, ..spec.clone() };
        let network = build::network(&network, &mut Random::new(0, Purpose::INITIAL), device);
        let tensors: Vec<&Tensor> = network.named().into_iter().map(|(_, tensor)| tensor).collect();
        let optimizer = Optimizer::new(rule, &tensors);
        let mut average = Average { network, optimizer };
        average.restart(own);
        average
    }

    /// Makes it a copy of `own` as it is now.
    pub(crate) fn restart(&mut self, own: &Sequential) {
        for ((_, average), (_, weights)) in self.network.named_mut().into_iter().zip(own.named()) {
            average.assign(weights.detach());
        }
        self.optimizer.set_steps(0);
    }

    /// Moves it towards `own`, which has just been updated.
    pub(super) fn update(&mut self, own: &Sequential) {
        let weights: Vec<Tensor> = own.named().into_iter().map(|(_, weights)| weights.detach()).collect();
        let averages = self.network.named_mut().into_iter().map(|(_, average)| average);
        self.optimizer.step(averages.collect(), &weights);
        // A spectral norm keeps directions, whose mean would be too short. Those of the current weights are taken
        // instead, as the average is near them.
        let kept = |name: &str| matches!(name.rsplit('.').next(), Some("u" | "v"));
        for ((name, average), weights) in self.network.named_mut().into_iter().zip(&weights) {
            if kept(&name) {
                average.assign(weights * 1.0);
            }
        }
    }

    /// The number of updates done.
    pub fn updates(&self) -> u64 {
        self.optimizer.steps()
    }

    /// Sets the number of updates done, from a checkpoint.
    pub fn set_updates(&mut self, updates: u64) {
        self.optimizer.set_steps(updates);
    }
}

impl Gan {
    /// The network that makes samples: the average of the generator's weights if the recipe asks for one, else the
    /// generator.
    pub fn sampled(&self) -> &Sequential {
        self.average.as_ref().map_or(&self.generator, |average| &average.network)
    }

    /// As [`Gan::sampled`], mutable.
    pub fn sampled_mut(&mut self) -> &mut Sequential {
        self.average.as_mut().map_or(&mut self.generator, |average| &mut average.network)
    }

    /// Averages as `recipe` asks from now on: with its numbers, from a new start, or not at all.
    pub(super) fn set_average(&mut self, recipe: &Recipe) {
        match (recipe.training.average, &mut self.average) {
            (Some(_), Some(_)) => self.tune_average(),
            (Some(spec), none) => {
                let rule = moving_average(spec, recipe.training.batch_size);
                *none = Some(Average::new(&recipe.generator, rule, &self.generator, self.device));
            }
            (None, some) => *some = None,
        }
    }

    /// Averages by the current numbers.
    pub(super) fn tune_average(&mut self) {
        if let (Some(spec), Some(average)) = (self.training.average, &mut self.average) {
            average.optimizer.set_rule(moving_average(spec, self.training.batch_size));
        }
    }
}
