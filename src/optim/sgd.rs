//! Stochastic gradient descent with momentum (Polyak, 1964): u ← μ u + g, p ← p - α u.

use super::UpdateRule;
use crate::cpu::TASK_LENGTH;
use crate::storage::Storage;
use crate::tensor::Tensor;
use rayon::prelude::*;

/// SGD with its hyperparameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// α.
    pub learning_rate: f64,
    /// μ; 0 for plain gradient descent.
    pub momentum: f64,
}

impl Sgd {
    fn reference(&self, p: &mut [f64], g: &[f64], u: &mut [f64]) {
        for i in 0..p.len() {
            u[i] = self.momentum * u[i] + g[i];
            p[i] -= self.learning_rate * u[i];
        }
    }

    fn cpu(&self, p: &mut [f32], g: &[f32], u: &mut [f32]) {
        let (rate, momentum) = (self.learning_rate as f32, self.momentum as f32);
        let values = p.par_chunks_mut(TASK_LENGTH).zip(g.par_chunks(TASK_LENGTH));
        values
            .zip(u.par_chunks_mut(TASK_LENGTH))
            .for_each(|((p, g), u)| {
                for ((p, &g), u) in p.iter_mut().zip(g).zip(u) {
                    *u = momentum * *u + g;
                    *p -= rate * *u;
                }
            });
    }
}

impl UpdateRule for Sgd {
    fn slots(&self) -> &'static [&'static str] {
        &["u"]
    }

    fn update(&self, _: u64, parameter: &mut Tensor, grad: &Tensor, slots: &mut [Tensor]) {
        let [u] = slots else {
            panic!("sgd: one slot, not {}", slots.len());
        };
        match (parameter.storage_mut(), grad.storage(), u.storage_mut()) {
            (Storage::Reference(p), Storage::Reference(g), Storage::Reference(u)) => {
                self.reference(p, g, u);
            }
            (Storage::Cpu(p), Storage::Cpu(g), Storage::Cpu(u)) => self.cpu(p, g, u),
            _ => panic!("sgd: parameter, gradient and slot must be on one device"),
        }
    }
}
