//! Adam (Kingma and Ba, 2015):
//!
//! ```text
//! m ← β₁ m + (1 - β₁) g      v ← β₂ v + (1 - β₂) g²
//! paper:  p ← p - α · m̂ / (√v̂ + ε)     m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ)
//! Keras:  p ← p - α_t · m / (√v + ε)    α_t = α √(1 - β₂ᵗ) / (1 - β₁ᵗ)
//! ```
//!
//! Both are p ← p - a · m / (c √v + ε), with a = α / (1 - β₁ᵗ) and c = 1 / √(1 - β₂ᵗ), or a = α_t
//! and c = 1.

use super::{EpsilonPlacement, UpdateRule};
use crate::cpu::TASK_LENGTH;
use crate::storage::Storage;
use crate::tensor::Tensor;
use rayon::prelude::*;

/// Adam with its hyperparameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// α.
    pub learning_rate: f64,
    /// β₁ and β₂.
    pub betas: [f64; 2],
    /// ε.
    pub epsilon: f64,
    /// Where ε stands.
    pub epsilon_placement: EpsilonPlacement,
}

/// The numbers of one update.
#[derive(Clone, Copy)]
struct Step {
    a: f64,
    c: f64,
}

impl Adam {
    fn at(&self, t: u64) -> Step {
        let [correction1, correction2] = self.betas.map(|beta| 1.0 - beta.powf(t as f64));
        match self.epsilon_placement {
            EpsilonPlacement::Paper => Step {
                a: self.learning_rate / correction1,
                c: 1.0 / correction2.sqrt(),
            },
            EpsilonPlacement::Keras => Step {
                a: self.learning_rate * correction2.sqrt() / correction1,
                c: 1.0,
            },
        }
    }

    fn reference(&self, step: Step, p: &mut [f64], g: &[f64], m: &mut [f64], v: &mut [f64]) {
        let [b1, b2] = self.betas;
        for i in 0..p.len() {
            m[i] = b1 * m[i] + (1.0 - b1) * g[i];
            v[i] = b2 * v[i] + (1.0 - b2) * g[i] * g[i];
            p[i] -= step.a * m[i] / (step.c * v[i].sqrt() + self.epsilon);
        }
    }

    fn cpu(&self, step: Step, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
        let [b1, b2] = self.betas.map(|beta| beta as f32);
        let [r1, r2] = self.betas.map(|beta| (1.0 - beta) as f32);
        let (a, c, epsilon) = (step.a as f32, step.c as f32, self.epsilon as f32);
        let moments = m
            .par_chunks_mut(TASK_LENGTH)
            .zip(v.par_chunks_mut(TASK_LENGTH));
        let values = p.par_chunks_mut(TASK_LENGTH).zip(g.par_chunks(TASK_LENGTH));
        values.zip(moments).for_each(|((p, g), (m, v))| {
            for (((p, &g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
                *m = b1 * *m + r1 * g;
                *v = b2 * *v + r2 * g * g;
                *p -= a * *m / (c * v.sqrt() + epsilon);
            }
        });
    }
}

impl UpdateRule for Adam {
    fn slots(&self) -> &'static [&'static str] {
        &["m", "v"]
    }

    fn update(&self, t: u64, parameter: &mut Tensor, grad: &Tensor, slots: &mut [Tensor]) {
        let [m, v] = slots else {
            panic!("adam: two slots, not {}", slots.len());
        };
        let step = self.at(t);
        match (
            parameter.storage_mut(),
            grad.storage(),
            m.storage_mut(),
            v.storage_mut(),
        ) {
            (
                Storage::Reference(p),
                Storage::Reference(g),
                Storage::Reference(m),
                Storage::Reference(v),
            ) => self.reference(step, p, g, m, v),
            (Storage::Cpu(p), Storage::Cpu(g), Storage::Cpu(m), Storage::Cpu(v)) => {
                self.cpu(step, p, g, m, v);
            }
            _ => panic!("adam: parameter, gradient and slots must be on one device"),
        }
    }
}
