//! RMSprop (Tieleman and Hinton, 2012):
//!
//! ```text
//! v ← ρ v + (1 - ρ) g²
//! Keras:  p ← p - α g / √(v + ε)          paper (and PyTorch):  p ← p - α g / (√v + ε)
//! ```

use super::{EpsilonPlacement, UpdateRule};
use crate::cpu::TASK_LENGTH;
use crate::storage::Storage;
use crate::tensor::Tensor;
use rayon::prelude::*;

/// RMSprop with its hyperparameters.
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
}

impl RmsProp {
    /// ε inside and outside the root.
    fn epsilons(&self) -> (f64, f64) {
        match self.epsilon_placement {
            EpsilonPlacement::Keras => (self.epsilon, 0.0),
            EpsilonPlacement::Paper => (0.0, self.epsilon),
        }
    }

    fn reference(&self, p: &mut [f64], g: &[f64], v: &mut [f64]) {
        let (inside, outside) = self.epsilons();
        for i in 0..p.len() {
            v[i] = self.rho * v[i] + (1.0 - self.rho) * g[i] * g[i];
            p[i] -= self.learning_rate * g[i] / ((v[i] + inside).sqrt() + outside);
        }
    }

    fn cpu(&self, p: &mut [f32], g: &[f32], v: &mut [f32]) {
        let (inside, outside) = self.epsilons();
        let (inside, outside) = (inside as f32, outside as f32);
        let (rate, rho, rest) = (
            self.learning_rate as f32,
            self.rho as f32,
            (1.0 - self.rho) as f32,
        );
        let values = p.par_chunks_mut(TASK_LENGTH).zip(g.par_chunks(TASK_LENGTH));
        values
            .zip(v.par_chunks_mut(TASK_LENGTH))
            .for_each(|((p, g), v)| {
                for ((p, &g), v) in p.iter_mut().zip(g).zip(v) {
                    *v = rho * *v + rest * g * g;
                    *p -= rate * g / ((*v + inside).sqrt() + outside);
                }
            });
    }
}

impl UpdateRule for RmsProp {
    fn slots(&self) -> &'static [&'static str] {
        &["v"]
    }

    fn update(&self, _: u64, parameter: &mut Tensor, grad: &Tensor, slots: &mut [Tensor]) {
        let [v] = slots else {
            panic!("rmsprop: one slot, not {}", slots.len());
        };
        match (parameter.storage_mut(), grad.storage(), v.storage_mut()) {
            (Storage::Reference(p), Storage::Reference(g), Storage::Reference(v)) => {
                self.reference(p, g, v);
            }
            (Storage::Cpu(p), Storage::Cpu(g), Storage::Cpu(v)) => self.cpu(p, g, v),
            _ => panic!("rmsprop: parameter, gradient and slot must be on one device"),
        }
    }
}
