//! Adam, and AdamW.

use super::weight_decay::plus;
use super::{EpsilonPlacement, Part, UpdateRule, WeightDecay};
use crate::cpu::simd::widest;
use crate::cuda::Buffer;
use crate::cuda::tensors::Tensors;

/// Adam (Kingma and Ba, 2015):
///
/// ```text
/// m ← β₁ m + (1 - β₁) g      v ← β₂ v + (1 - β₂) g²
/// paper:  p ← p - α · m̂ / (√v̂ + ε)     m̂ = m / (1 - β₁ᵗ), v̂ = v / (1 - β₂ᵗ)
/// Keras:  p ← p - α_t · m / (√v + ε)    α_t = α √(1 - β₂ᵗ) / (1 - β₁ᵗ)
/// ```
///
/// Both are p ← p - a · m / (c √v + ε), with a = α / (1 - β₁ᵗ) and c = 1 / √(1 - β₂ᵗ), or a = α_t
/// and c = 1. With a decoupled [`WeightDecay`] it is AdamW (Loshchilov and Hutter, 2019):
/// p ← p - (a · m / (c √v + ε) + α λ p).
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
    /// How weights decay.
    pub weight_decay: WeightDecay,
}

/// The numbers of one update.
#[derive(Clone, Copy)]
struct Step {
    a: f64,
    c: f64,
    /// α λ of a decoupled decay.
    shrink: f64,
}

impl Adam {
    // ANCHOR: at
    fn at(&self, t: u64) -> Step {
        let [correction1, correction2] = self.betas.map(|beta| 1.0 - libm::pow(beta, t as f64));
        let (a, c) = match self.epsilon_placement {
            EpsilonPlacement::Paper => (self.learning_rate / correction1, 1.0 / correction2.sqrt()),
            EpsilonPlacement::Keras => (self.learning_rate * correction2.sqrt() / correction1, 1.0),
        };
        Step { a, c, shrink: self.weight_decay.of_step(self.learning_rate) }
    }
    // ANCHOR_END: at
}

impl UpdateRule for Adam {
    fn slots(&self) -> &'static [&'static str] {
        &["m", "v"]
    }

    // ANCHOR: reference
    fn reference(&self, t: u64, part: Part<f64>) {
        let Part { p, g, slots: [m, v] } = part;
        let [b1, b2] = self.betas;
        let Step { a, c, shrink } = self.at(t);
        for i in 0..p.len() {
            let g = plus(g[i], self.weight_decay.of_gradient(), p[i]);
            m[i] = b1 * m[i] + (1.0 - b1) * g;
            v[i] = b2 * v[i] + (1.0 - b2) * g * g;
            p[i] -= plus(a * m[i] / (c * v[i].sqrt() + self.epsilon), shrink, p[i]);
        }
    }
    // ANCHOR_END: reference

    fn cpu(&self, t: u64, part: Part<f32>) {
        let Part { p, g, slots: [m, v] } = part;
        let [b1, b2] = self.betas.map(|beta| beta as f32);
        let [r1, r2] = self.betas.map(|beta| (1.0 - beta) as f32);
        let Step { a, c, shrink } = self.at(t);
        let (a, c, epsilon) = (a as f32, c as f32, self.epsilon as f32);
        let (l2, shrink) = (self.weight_decay.of_gradient() as f32, shrink as f32);
        widest(
            #[inline(always)]
            move || {
                for (((p, &g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
                    let g = plus(g, l2, *p);
                    *m = b1 * *m + r1 * g;
                    *v = b2 * *v + r2 * g * g;
                    *p -= plus(a * *m / (c * v.sqrt() + epsilon), shrink, *p);
                }
            },
        );
    }

    fn scalars(&self, t: u64) -> Option<[f32; 3]> {
        let Step { a, c, shrink } = self.at(t);
        Some([a, c, shrink].map(|scalar| scalar as f32))
    }

    fn cuda(&self, t: u64, scalars: Option<&Buffer>, tensors: &Tensors) {
        let [b1, b2] = self.betas.map(|beta| beta as f32);
        let [r1, r2] = self.betas.map(|beta| (1.0 - beta) as f32);
        let Step { a, c, shrink } = self.at(t);
        tensors.launch(["optimizer", "optimizer_adam"], 2, |call, _| {
            call.value(b1)
                .value(r1)
                .value(b2)
                .value(r2)
                .value(a as f32)
                .value(c as f32)
                .value(self.epsilon as f32)
                .value(self.weight_decay.of_gradient() as f32)
                .value(shrink as f32)
                .read_if(scalars)
        });
    }
}

impl Adam {
    /// Adam as its paper and PyTorch have it: β₁ = 0.9, β₂ = 0.999, ε = 10⁻⁸, no decay of weights.
    ///
    /// ```
    /// use minimax::optim::{Adam, WeightDecay};
    ///
    /// let adam_w = Adam::new(1e-3).weight_decay(WeightDecay::Decoupled(0.01));
    /// let of_a_gan = Adam::new(2e-4).betas([0.5, 0.999]);
    /// ```
    pub fn new(learning_rate: f64) -> Adam {
        Adam {
            learning_rate,
            betas: [0.9, 0.999],
            epsilon: 1e-8,
            epsilon_placement: EpsilonPlacement::Paper,
            weight_decay: WeightDecay::L2(0.0),
        }
    }

    /// The rule with these β₁ and β₂.
    pub fn betas(self, betas: [f64; 2]) -> Adam {
        Adam { betas, ..self }
    }

    /// The rule with this ε, and where it stands.
    pub fn epsilon(self, epsilon: f64, epsilon_placement: EpsilonPlacement) -> Adam {
        Adam { epsilon, epsilon_placement, ..self }
    }

    /// The rule with weights that decay.
    pub fn weight_decay(self, weight_decay: WeightDecay) -> Adam {
        Adam { weight_decay, ..self }
    }
}
