//! The exponential moving average of weights, as an update rule: what it is given for a gradient are the weights.

use super::{Part, UpdateRule};
use crate::cpu::simd::widest;
use crate::cuda::Buffer;
use crate::cuda::tensors::Tensors;
use std::f64::consts::LN_2;

/// p ← p + (1 - β_t) (w - p), with β_t = 2^(-1 / h_t) and a half-life h_t of at most a share of the updates done
/// (Karras et al. 2020, "Training generative adversarial networks with limited data", whose code ramps it up so):
///
/// ```text
/// h_t = min(h, share · t)
/// ```
///
/// ```
/// use minimax::optim::{MovingAverage, Optimizer};
/// use minimax::{Device, Tensor};
///
/// let (mut average, weights) = (Tensor::zeros([1], Device::Cpu), Tensor::ones([1], Device::Cpu));
/// let mut rule = Optimizer::new(MovingAverage::new(2.0), &[&average]);
/// rule.step(vec![&mut average], &[weights.clone()]);
/// rule.step(vec![&mut average], &[weights]);
/// assert!((average.item() - 0.5).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MovingAverage {
    /// h: the updates after which weights count half as much.
    pub half_life: f64,
    /// The share; 0 for h from the start.
    pub warm_up: f64,
}

impl MovingAverage {
    /// An average with this half-life, in updates, from the start.
    pub fn new(half_life: f64) -> MovingAverage {
        MovingAverage { half_life, warm_up: 0.0 }
    }

    /// The rule with a half-life of at most `share` times the number of updates done.
    pub fn warm_up(self, share: f64) -> MovingAverage {
        MovingAverage { warm_up: share, ..self }
    }

    /// 1 - β_t.
    fn rest(&self, t: u64) -> f64 {
        let half_life = match self.warm_up {
            0.0 => self.half_life,
            share => self.half_life.min(share * t as f64),
        };
        -libm::expm1(-LN_2 / half_life)
    }
}

impl UpdateRule for MovingAverage {
    fn slots(&self) -> &'static [&'static str] {
        &[]
    }

    fn reference(&self, t: u64, part: Part<f64>) {
        let rest = self.rest(t);
        for (p, w) in part.p.iter_mut().zip(part.g) {
            *p += rest * (w - *p);
        }
    }

    fn cpu(&self, t: u64, part: Part<f32>) {
        let rest = self.rest(t) as f32;
        widest(
            #[inline(always)]
            move || {
                for (p, &w) in part.p.iter_mut().zip(part.g) {
                    *p += rest * (w - *p);
                }
            },
        );
    }

    fn scalars(&self, t: u64) -> Option<[f32; 3]> {
        Some([self.rest(t) as f32, 0.0, 0.0])
    }

    fn cuda(&self, t: u64, scalars: Option<&Buffer>, tensors: &Tensors) {
        tensors.launch(["optimizer", "optimizer_moving_average"], 0, |call, _| {
            call.value(self.rest(t) as f32).read_if(scalars)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_count_half_after_a_half_life_and_the_first_ones_soon_not_at_all() {
        let average = |warm_up: f64, updates: u64, of: fn(u64) -> f64| {
            let rule = MovingAverage { half_life: 8.0, warm_up };
            let mut p = [1.0];
            for t in 1..=updates {
                rule.reference(t, Part { p: &mut p, g: &[of(t)], slots: [&mut [], &mut []] });
            }
            p[0]
        };
        assert!((average(0.0, 8, |_| 0.0) - 0.5).abs() < 1e-12);
        assert!((average(0.0, 24, |_| 0.0) - 0.125).abs() < 1e-12);
        // With a share of a twentieth, of what there was before the first update 2^-20 is left.
        assert!((average(0.05, 1, |_| 0.0) - libm::exp2(-20.0)).abs() < 1e-12);
        // Of weights that grow by 1 an update the average is about h / ln 2 behind, once it has warmed up.
        let behind = 1000.0 - average(0.05, 1000, |t| t as f64);
        assert!((behind - (8.0 / LN_2 - 0.5)).abs() < 0.1, "{behind}");
    }
}
