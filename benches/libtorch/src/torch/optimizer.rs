//! What changes weights after a step: the fused Adam, and the moving average of the generator's.

use super::network::Network;
use super::shim::{AdamSettings, fused_adam, lerp};
use minimax::recipe::{AverageSpec, OptimizerSpec};
use tch::Tensor;

/// The fused Adam with its state.
pub struct Adam {
    settings: AdamSettings,
    steps: u64,
    moments: [Vec<Tensor>; 2],
}

impl Adam {
    /// Fresh state for the parameters of `network`.
    ///
    /// # Errors
    /// Where `spec` is not Adam without weight decay.
    pub fn new(spec: &OptimizerSpec, network: &Network) -> Result<Adam, String> {
        let &OptimizerSpec::Adam { learning_rate, betas, epsilon, weight_decay: 0.0, .. } = spec else {
            return Err("the yardstick's optimiser is Adam without weight decay".into());
        };
        let zeros = || network.parameters.iter().map(Tensor::zeros_like).collect();
        Ok(Adam { settings: AdamSettings { learning_rate, betas, epsilon }, steps: 0, moments: [zeros(), zeros()] })
    }

    /// Changes `parameters` by their gradients.
    pub fn step(&mut self, parameters: &[Tensor], grads: &[Tensor]) {
        self.steps += 1;
        let [first, second] = &self.moments;
        fused_adam(&self.settings, self.steps, parameters, grads, [first, second]);
    }

    /// Steps done.
    pub fn steps(&self) -> u64 {
        self.steps
    }
}

/// A moving average of a network's parameters and of what its batch norms keep, by `torch._foreach_lerp_`.
pub struct Average {
    averages: Vec<Tensor>,
    share: f64,
}

impl Average {
    /// That of `network` as it is now, which is trained on batches of `batch_size`.
    #[expect(
        clippy::disallowed_methods,
        reason = "the system's exp does: nothing here is to have the same bits everywhere"
    )]
    pub fn new(network: &Network, spec: AverageSpec, batch_size: usize) -> Average {
        let averages = averaged(network).iter().map(Tensor::copy).collect();
        Average { averages, share: -f64::exp_m1(-std::f64::consts::LN_2 / spec.updates(batch_size)) }
    }

    /// Moves it towards `network`.
    pub fn update(&self, network: &Network) {
        lerp(&self.averages, &averaged(network), self.share);
    }
}

/// What is averaged of `network`.
fn averaged(network: &Network) -> Vec<Tensor> {
    network.parameters.iter().chain(&network.statistics).map(Tensor::detach).collect()
}
