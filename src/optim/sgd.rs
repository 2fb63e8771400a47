//! Stochastic gradient descent with momentum (Polyak, 1964): u ← μ u + g, p ← p - α u.

use super::weight_decay::plus;
use super::{Part, UpdateRule};
use crate::cpu::simd::widest;
use crate::cuda::Buffer;
use crate::cuda::tensors::Tensors;

/// SGD with its hyperparameters.
///
/// ```
/// use minimax::optim::Sgd;
///
/// let rule = Sgd::new(0.1).momentum(0.9).l2(5e-4);
/// assert_eq!(rule.learning_rate, 0.1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// α.
    pub learning_rate: f64,
    /// μ; 0 for plain gradient descent.
    pub momentum: f64,
    /// λ of [`WeightDecay::L2`](super::WeightDecay::L2).
    pub l2: f64,
}

impl Sgd {
    /// Plain gradient descent.
    pub fn new(learning_rate: f64) -> Sgd {
        Sgd { learning_rate, momentum: 0.0, l2: 0.0 }
    }

    /// The rule with this μ.
    pub fn momentum(self, momentum: f64) -> Sgd {
        Sgd { momentum, ..self }
    }

    /// The rule with this λ of [`WeightDecay::L2`](super::WeightDecay::L2).
    pub fn l2(self, l2: f64) -> Sgd {
        Sgd { l2, ..self }
    }
}

impl UpdateRule for Sgd {
    fn slots(&self) -> &'static [&'static str] {
        &["u"]
    }

    fn reference(&self, _: u64, part: Part<f64>) {
        let Part { p, g, slots: [u, _] } = part;
        for i in 0..p.len() {
            u[i] = self.momentum * u[i] + plus(g[i], self.l2, p[i]);
            p[i] -= self.learning_rate * u[i];
        }
    }

    fn cpu(&self, _: u64, part: Part<f32>) {
        let Part { p, g, slots: [u, _] } = part;
        let (rate, momentum, l2) = (self.learning_rate as f32, self.momentum as f32, self.l2 as f32);
        widest(
            #[inline(always)]
            move || {
                for ((p, &g), u) in p.iter_mut().zip(g).zip(u) {
                    *u = momentum * *u + plus(g, l2, *p);
                    *p -= rate * *u;
                }
            },
        );
    }

    fn cuda(&self, _: u64, _: Option<&Buffer>, tensors: &Tensors) {
        tensors.launch(["optimizer", "optimizer_sgd"], 1, |call, _| {
            call.value(self.learning_rate as f32).value(self.momentum as f32).value(self.l2 as f32)
        });
    }
}
