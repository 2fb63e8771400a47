//! Weight decay.

use std::ops::{Add, Mul};

/// How parameters p are drawn towards 0, besides what their gradients g do to them; α is the learning rate, and with λ = 0
/// there is no decay.
///
/// ```
/// use minimax::optim::{Adam, WeightDecay};
///
/// let adam_w = Adam::new(1e-3).weight_decay(WeightDecay::Decoupled(0.01));
/// assert_ne!(adam_w, Adam::new(1e-3));
/// ```
///
/// ```text
/// L2:         g ← g + λ p        before all else: what λ/2 ‖p‖² beside the loss adds to its gradient
/// decoupled:  p ← p - α λ p      besides the rule's own step (Loshchilov and Hutter, 2019)
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WeightDecay {
    /// Through the gradient, with this λ.
    L2(f64),
    /// Apart from the gradient, with this λ: AdamW's.
    Decoupled(f64),
}

impl WeightDecay {
    /// What the gradient gets of p.
    pub(super) fn of_gradient(self) -> f64 {
        match self {
            WeightDecay::L2(lambda) => lambda,
            WeightDecay::Decoupled(_) => 0.0,
        }
    }

    /// What the step gets of p.
    pub(super) fn of_step(self, learning_rate: f64) -> f64 {
        match self {
            WeightDecay::L2(_) => 0.0,
            WeightDecay::Decoupled(lambda) => learning_rate * lambda,
        }
    }
}

/// x + share · p; where the share is 0 that is x to the bit, which x + 0 · p isn't for every p and x.
#[inline(always)]
pub(super) fn plus<T>(x: T, share: T, p: T) -> T
where
    T: Copy + Default + PartialEq + Add<Output = T> + Mul<Output = T>,
{
    if share == T::default() { x } else { x + share * p }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::{Adam, EpsilonPlacement, Optimizer, Part, RmsProp, Sgd, UpdateRule};
    use crate::storage::Device;
    use crate::tensor::Tensor;

    #[test]
    fn no_decay_leaves_every_bit() {
        for (x, p) in [(-0.0_f32, 1.0), (1.0, f32::INFINITY), (0.5, f32::NAN)] {
            assert_eq!(plus(x, 0.0, p).to_bits(), x.to_bits());
        }
    }

    fn adam(weight_decay: WeightDecay) -> Box<dyn UpdateRule> {
        let epsilon_placement = EpsilonPlacement::Paper;
        Box::new(Adam { learning_rate: 0.1, betas: [0.5, 0.9], epsilon: 1e-8, epsilon_placement, weight_decay })
    }

    /// Without a gradient a decoupled decay shrinks by 1 - α λ a step, whatever the size; by the gradient Adam makes steps of
    /// about α.
    #[test]
    fn decoupled_decay_is_in_proportion() {
        for device in [Device::Reference, Device::Cpu] {
            let shrunk = |rule| {
                let mut p = Tensor::new(&[4.0, -1e-3], [2], device);
                let mut optimizer = Optimizer::new(rule, &[&p]);
                for _ in 0..2 {
                    optimizer.step(vec![&mut p], &[Tensor::zeros([2], device)]);
                }
                p.to_f64()
            };
            let near = |p: f64, expected: f64| assert!((p / expected - 1.0).abs() < 1e-6, "{p} {expected}");
            let p = shrunk(adam(WeightDecay::Decoupled(0.5)));
            near(p[0], 4.0 * 0.95 * 0.95);
            near(p[1], -1e-3 * 0.95 * 0.95);
            // The first step is α to the last bits, ε aside.
            let mut p = [4.0];
            adam(WeightDecay::L2(0.5)).reference(1, Part { p: &mut p, g: &[0.0], slots: [&mut [0.0], &mut [0.0]] });
            near(p[0], 3.9);
        }
    }

    /// What L2 adds is the gradient of λ/2 ‖p‖².
    #[test]
    fn l2_is_a_gradient() {
        let lambda = 0.25;
        let rules = |l2: f64| -> [Box<dyn UpdateRule>; 3] {
            let epsilon_placement = EpsilonPlacement::Keras;
            [
                adam(WeightDecay::L2(l2)),
                Box::new(RmsProp { learning_rate: 0.1, rho: 0.9, epsilon: 1e-7, epsilon_placement, l2 }),
                Box::new(Sgd { learning_rate: 0.1, momentum: 0.9, l2 }),
            ]
        };
        for (with, without) in rules(lambda).into_iter().zip(rules(0.0)) {
            let mut p = [[1.5, -0.75, 3.0]; 2];
            let mut slots = [[[0.0; 3]; 2]; 2];
            for t in 1..=3 {
                let g = [0.5, -1.0, t as f64];
                let added: Vec<f64> = g.iter().zip(&p[1]).map(|(g, p)| g + lambda * p).collect();
                let [a, b] = &mut slots;
                let update = |rule: &dyn UpdateRule, p: &mut [f64], g: &[f64], [m, v]: &mut [[f64; 3]; 2]| {
                    rule.reference(t, Part { p, g, slots: [m, v] });
                };
                update(&*with, &mut p[0], &g, a);
                update(&*without, &mut p[1], &added, b);
            }
            assert_eq!(p[0], p[1]);
            assert_ne!(p[0], [1.5, -0.75, 3.0]);
        }
    }
}
