//! Stochastic gradient descent with momentum (Polyak, 1964): u ← μ u + g, p ← p - α u.

use super::{Part, UpdateRule};
use crate::cpu::simd::widest;
use crate::cuda::Buffer;
use crate::cuda::tensors::Tensors;

/// SGD with its hyperparameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// α.
    pub learning_rate: f64,
    /// μ; 0 for plain gradient descent.
    pub momentum: f64,
}

impl UpdateRule for Sgd {
    fn slots(&self) -> &'static [&'static str] {
        &["u"]
    }

    fn reference(&self, _: u64, part: Part<f64>) {
        let Part { p, g, slots: [u, _] } = part;
        for i in 0..p.len() {
            u[i] = self.momentum * u[i] + g[i];
            p[i] -= self.learning_rate * u[i];
        }
    }

    fn cpu(&self, _: u64, part: Part<f32>) {
        let Part { p, g, slots: [u, _] } = part;
        let (rate, momentum) = (self.learning_rate as f32, self.momentum as f32);
        widest(
            #[inline(always)]
            move || {
                for ((p, &g), u) in p.iter_mut().zip(g).zip(u) {
                    *u = momentum * *u + g;
                    *p -= rate * *u;
                }
            },
        );
    }

    fn cuda(&self, _: u64, _: Option<&Buffer>, tensors: &Tensors) {
        tensors.launch(["optimizer", "optimizer_sgd"], 1, |call, _| {
            call.value(self.learning_rate as f32).value(self.momentum as f32)
        });
    }
}
