//! RMSprop (Tieleman and Hinton, 2012):
//!
//! ```text
//! v ← ρ v + (1 - ρ) g²
//! Keras:  p ← p - α g / √(v + ε)          paper (and PyTorch):  p ← p - α g / (√v + ε)
//! ```

use super::weight_decay::plus;
use super::{EpsilonPlacement, Part, UpdateRule};
use crate::cpu::simd::widest;
use crate::cuda::Buffer;
use crate::cuda::tensors::Tensors;

/// RMSprop with its hyperparameters.
///
/// ```
/// use minimax::optim::{EpsilonPlacement, RmsProp};
///
/// let as_in_keras = RmsProp::new(1e-3).rho(0.9).epsilon(1e-7, EpsilonPlacement::Keras);
/// assert_eq!((as_in_keras.rho, as_in_keras.l2), (0.9, 0.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsProp {
    /// α.
    pub learning_rate: f64,
    /// ρ, the share of the running square that a step keeps.
    pub rho: f64,
    /// ε.
    pub epsilon: f64,
    /// Where ε stands.
    pub epsilon_placement: EpsilonPlacement,
    /// λ of [`WeightDecay::L2`](super::WeightDecay::L2).
    pub l2: f64,
}

impl RmsProp {
    /// RMSprop as PyTorch has it: ρ = 0.99, ε = 10⁻⁸, no decay of weights.
    pub fn new(learning_rate: f64) -> RmsProp {
        RmsProp { learning_rate, rho: 0.99, epsilon: 1e-8, epsilon_placement: EpsilonPlacement::Paper, l2: 0.0 }
    }

    /// The rule with this ρ.
    pub fn rho(self, rho: f64) -> RmsProp {
        RmsProp { rho, ..self }
    }

    /// The rule with this ε, and where it stands.
    pub fn epsilon(self, epsilon: f64, epsilon_placement: EpsilonPlacement) -> RmsProp {
        RmsProp { epsilon, epsilon_placement, ..self }
    }

    /// The rule with this λ of [`WeightDecay::L2`](super::WeightDecay::L2).
    pub fn l2(self, l2: f64) -> RmsProp {
        RmsProp { l2, ..self }
    }

    /// ε inside and outside the root.
    fn epsilons(&self) -> (f64, f64) {
        match self.epsilon_placement {
            EpsilonPlacement::Keras => (self.epsilon, 0.0),
            EpsilonPlacement::Paper => (0.0, self.epsilon),
        }
    }
}

impl UpdateRule for RmsProp {
    fn slots(&self) -> &'static [&'static str] {
        &["v"]
    }

    fn reference(&self, _: u64, part: Part<f64>) {
        let Part { p, g, slots: [v, _] } = part;
        let (inside, outside) = self.epsilons();
        for i in 0..p.len() {
            let g = plus(g[i], self.l2, p[i]);
            v[i] = self.rho * v[i] + (1.0 - self.rho) * g * g;
            p[i] -= self.learning_rate * g / ((v[i] + inside).sqrt() + outside);
        }
    }

    fn cpu(&self, _: u64, part: Part<f32>) {
        let Part { p, g, slots: [v, _] } = part;
        let (inside, outside) = self.epsilons();
        let (inside, outside) = (inside as f32, outside as f32);
        let (rate, rho) = (self.learning_rate as f32, self.rho as f32);
        let (rest, l2) = ((1.0 - self.rho) as f32, self.l2 as f32);
        widest(
            #[inline(always)]
            move || {
                for ((p, &g), v) in p.iter_mut().zip(g).zip(v) {
                    let g = plus(g, l2, *p);
                    *v = rho * *v + rest * g * g;
                    *p -= rate * g / ((*v + inside).sqrt() + outside);
                }
            },
        );
    }

    fn cuda(&self, _: u64, _: Option<&Buffer>, tensors: &Tensors) {
        let (inside, outside) = self.epsilons();
        tensors.launch(["optimizer", "optimizer_rmsprop"], 1, |call, _| {
            call.value(self.learning_rate as f32)
                .value(self.rho as f32)
                .value((1.0 - self.rho) as f32)
                .value(inside as f32)
                .value(outside as f32)
                .value(self.l2 as f32)
        });
    }
}
