//! Optimisers: how a gradient changes a parameter.
//!
//! ```
//! use minimax::nn::{Dense, Layer, Pass};
//! use minimax::optim::{Adam, Optimizer};
//! use minimax::random::{Purpose, Random};
//! use minimax::{Device, Tensor, ops};
//!
//! let mut random = Random::new(0, Purpose::DROPOUT);
//! let mut network = Dense::new(2, 1);
//! let mut optimizer = Optimizer::new(Adam::new(0.1), &network.parameters());
//! let x = Tensor::new(&[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], [4, 2], Device::Cpu);
//! let sums = Tensor::new(&[0.0, 1.0, 1.0, 2.0], [4, 1], Device::Cpu);
//! for _ in 0..200 {
//!     let y = network.forward(&x, &mut Pass::training(&mut random));
//!     optimizer.minimize(ops::mean_squared_error(&y, &sums), &mut network);
//! }
//! assert!(ops::mean_squared_error(&network.predict(&x), &sums).item() < 1e-4);
//! ```

mod adam;
mod gradient;
mod moving_average;
mod rmsprop;
pub mod schedule;
mod sgd;
mod weight_decay;

pub use adam::Adam;
pub use gradient::{all_finite, clip, norm};
pub use moving_average::MovingAverage;
pub use rmsprop::RmsProp;
pub use sgd::Sgd;
pub use weight_decay::WeightDecay;

use crate::autograd::grad_consuming;
use crate::cpu::TASK_LENGTH;
use crate::cuda::staging::Staged;
use crate::cuda::tensors::Tensors;
use crate::cuda::{Buffer, Context};
use crate::nn::Layer;
use crate::profile::{Cost, span};
use crate::storage::Storage;
use crate::tensor::Tensor;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Where ε stands in a denominator. The two ways differ where a gradient is tiny; the formulas are at [`Adam`] and [`RmsProp`].
///
/// ```
/// use minimax::optim::{Adam, EpsilonPlacement};
///
/// let as_in_keras = Adam::new(1e-3).epsilon(1e-7, EpsilonPlacement::Keras);
/// assert_eq!(Adam::new(1e-3).epsilon_placement, EpsilonPlacement::Paper);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EpsilonPlacement {
    /// As Keras does.
    #[default]
    Keras,
    /// As the paper's algorithm and PyTorch do.
    Paper,
}

/// An update rule: from values, their gradients and what the rule remembers of earlier ones (its
/// slots), each value by itself.
///
/// ```
/// use minimax::optim::{Part, UpdateRule};
///
/// /// p ← p - α sign g
/// struct SignDescent(f64);
///
/// impl UpdateRule for SignDescent {
///     fn slots(&self) -> &'static [&'static str] {
///         &[]
///     }
///     fn reference(&self, _: u64, part: Part<f64>) {
///         part.p.iter_mut().zip(part.g).for_each(|(p, g)| *p -= self.0 * g.signum());
///     }
///     fn cpu(&self, _: u64, part: Part<f32>) {
///         part.p.iter_mut().zip(part.g).for_each(|(p, g)| *p -= self.0 as f32 * g.signum());
///     }
/// }
/// ```
pub trait UpdateRule: Send + Sync {
    /// The names of the slots, two at most; each starts as zeros in the parameter's shape.
    fn slots(&self) -> &'static [&'static str];

    /// Update number `t`, counted from 1, in f64.
    fn reference(&self, t: u64, part: Part<f64>);

    /// Update number `t`, counted from 1, in f32.
    fn cpu(&self, t: u64, part: Part<f32>);

    /// The scalars of update `t`, if they differ from one update to the next.
    fn scalars(&self, _t: u64) -> Option<[f32; 3]> {
        None
    }

    /// Update number `t` of `tensors` on a CUDA device; by the [`UpdateRule::scalars`] in `scalars` if that is given,
    /// whatever update they are of. A rule that has no kernel of its own makes it on the CPU, for which all values are
    /// copied there and back.
    ///
    /// # Panics
    /// Without a kernel, in a captured step.
    fn cuda(&self, t: u64, scalars: Option<&Buffer>, tensors: &Tensors) {
        let _ = scalars;
        tensors.update_on_host(self.slots().len(), |p, g, slots| self.cpu(t, Part { p, g, slots }));
    }
}

impl<U: UpdateRule + ?Sized> UpdateRule for Box<U> {
    fn slots(&self) -> &'static [&'static str] {
        (**self).slots()
    }

    fn reference(&self, t: u64, part: Part<f64>) {
        (**self).reference(t, part);
    }

    fn cpu(&self, t: u64, part: Part<f32>) {
        (**self).cpu(t, part);
    }

    fn scalars(&self, t: u64) -> Option<[f32; 3]> {
        (**self).scalars(t)
    }

    fn cuda(&self, t: u64, scalars: Option<&Buffer>, tensors: &Tensors) {
        (**self).cuda(t, scalars, tensors);
    }
}

/// A stretch of a parameter with what belongs to it, as an [`UpdateRule`] is given it. All slices have one length.
///
/// ```
/// use minimax::optim::{Part, Sgd, UpdateRule};
///
/// let mut p = [1.0, 2.0];
/// let (mut u, g) = ([0.0; 2], [10.0, -10.0]);
/// Sgd::new(0.1).reference(1, Part { p: &mut p, g: &g, slots: [&mut u, &mut []] });
/// assert_eq!(p, [0.0, 3.0]);
/// ```
pub struct Part<'a, T> {
    /// Its values.
    pub p: &'a mut [T],
    /// Their gradients.
    pub g: &'a [T],
    /// The rule's slots for them; those that it doesn't have are empty.
    pub slots: [&'a mut [T]; 2],
}

impl<'a, T> Part<'a, T> {
    /// The first `len` values, or all if there are fewer, and the rest.
    fn split(self, len: usize) -> (Part<'a, T>, Part<'a, T>) {
        let len = len.min(self.p.len());
        let (p, p_rest) = self.p.split_at_mut(len);
        let (g, g_rest) = self.g.split_at(len);
        let [a, b] = self.slots.map(|slot| slot.split_at_mut(len.min(slot.len())));
        let (slots, slots_rest) = ([a.0, b.0], [a.1, b.1]);
        let rest = Part { p: p_rest, g: g_rest, slots: slots_rest };
        (Part { p, g, slots }, rest)
    }
}

/// An update rule with its state for a list of parameters.
///
/// ```
/// use minimax::optim::{Optimizer, Sgd};
/// use minimax::{Device, Tensor, grad};
///
/// let mut x = Tensor::new(&[4.0], [1], Device::Cpu).parameter();
/// let mut optimizer = Optimizer::new(Sgd::new(0.1), &[&x]);
/// for _ in 0..100 {
///     let grads = grad(&x.square().sum(..), &[&x], false);
///     optimizer.step(vec![&mut x], &grads);
/// }
/// assert!(x.item().abs() < 1e-6);
/// ```
pub struct Optimizer {
    rule: Box<dyn UpdateRule>,
    steps: u64,
    /// For each parameter, a tensor per slot.
    slots: Vec<Vec<Tensor>>,
    /// The CUDA device that the parameters are on.
    context: Option<&'static Context>,
    /// The rule's scalars there, once they have been uploaded.
    scalars: Option<Staged>,
}

impl Optimizer {
    /// `rule` with fresh state for `parameters`.
    pub fn new(rule: impl UpdateRule + 'static, parameters: &[&Tensor]) -> Optimizer {
        let zeros = |p: &&Tensor| {
            let slots = rule.slots().iter();
            slots.map(|_| Tensor::zeros(p.shape(), p.device())).collect()
        };
        let context = parameters.first().and_then(|parameter| match parameter.storage() {
            Storage::Cuda(buffer) => Some(buffer.context()),
            _ => None,
        });
        let slots = parameters.iter().map(zeros).collect();
        Optimizer { slots, rule: Box::new(rule), steps: 0, context, scalars: None }
    }

    /// Changes the parameters of `network`, which this optimiser was made for, by their gradients of `loss`.
    ///
    /// # Panics
    /// As [`grad`](crate::grad) and [`Optimizer::step`] do.
    #[track_caller]
    pub fn minimize(&mut self, loss: Tensor, network: &mut dyn Layer) {
        let grads = grad_consuming(loss, &network.parameters());
        self.step(network.parameters_mut(), &grads);
    }

    /// Changes each of `parameters`, given in the order of [`Optimizer::new`], by its gradient.
    ///
    /// In a captured step a CUDA device reads the scalars of an update where [`Optimizer::upload_scalars`] puts them: a
    /// replay makes the update that they are of.
    ///
    /// # Panics
    /// If there are more or fewer parameters or gradients than the optimiser was made for, if a gradient differs from its
    /// parameter in shape or device, or if a step is captured before its scalars have been uploaded.
    #[track_caller]
    pub fn step(&mut self, parameters: Vec<&mut Tensor>, grads: &[Tensor]) {
        assert!(
            parameters.len() == self.slots.len() && grads.len() == self.slots.len(),
            "optimizer: {} parameters and {} gradients, made for {}",
            parameters.len(),
            grads.len(),
            self.slots.len()
        );
        self.steps += 1;
        // Each pass reads the gradient, and reads and writes the parameter and its slots.
        let passes = 3 + 2 * self.slots.first().map_or(0, Vec::len);
        let _span = span("optimizer", || Cost::pass(passes * grads.iter().map(Tensor::numel).sum::<usize>()));
        // All parameters' parts are one job: most parameters are too small to share among threads.
        let mut parts = Vec::new();
        let mut on_device = Tensors::new();
        for ((parameter, grad), slots) in parameters.into_iter().zip(grads).zip(&mut self.slots) {
            assert!(
                parameter.shape() == grad.shape(),
                "optimizer: parameter {} and gradient {}",
                parameter.shape(),
                grad.shape()
            );
            match (parameter.storage_mut(), grad.storage()) {
                (Storage::Reference(p), Storage::Reference(g)) => {
                    let slots = values(slots, |storage| match storage {
                        Storage::Reference(values) => values,
                        _ => different_devices(),
                    });
                    self.rule.reference(self.steps, Part { p, g, slots });
                }
                (Storage::Cpu(p), Storage::Cpu(g)) => {
                    let slots = values(slots, |storage| match storage {
                        Storage::Cpu(values) => values,
                        _ => different_devices(),
                    });
                    let mut rest = Part { p, g, slots };
                    while !rest.p.is_empty() {
                        let (part, more) = rest.split(TASK_LENGTH);
                        parts.push(part);
                        rest = more;
                    }
                }
                (Storage::Cuda(p), Storage::Cuda(g)) => {
                    let mut slots = slots.iter_mut().map(|slot| match slot.storage_mut() {
                        Storage::Cuda(values) => values,
                        _ => different_devices(),
                    });
                    on_device.push(p, g, [(); 2].map(|()| slots.next()));
                }
                _ => different_devices(),
            }
        }
        let (rule, t) = (&self.rule, self.steps);
        parts.into_par_iter().for_each(|part| rule.cpu(t, part));
        if let Some(context) = on_device.context() {
            let differs = context.is_capturing() && rule.scalars(t).is_some();
            let uploaded = || self.scalars.as_ref().expect("optimizer: scalars are uploaded before a step is captured");
            rule.cuda(t, differs.then(|| uploaded().buffer()), &on_device);
        }
    }

    /// Puts the upload of the next update's scalars on the stream of a CUDA device: before a step is captured, and before
    /// each replay. Elsewhere, and for rules whose updates are all alike, it does nothing.
    pub fn upload_scalars(&mut self) {
        if let (Some(context), Some(scalars)) = (self.context, self.rule.scalars(self.steps + 1)) {
            let bytes = scalars.map(f32::to_le_bytes);
            let staged = self.scalars.get_or_insert_with(|| Staged::new(bytes.as_flattened().len(), context));
            staged.upload(&[bytes.as_flattened()]);
        }
    }

    /// Replaces the rule by another of the same kind, such as one with another learning rate; the state stays.
    ///
    /// # Panics
    /// If it has other slots.
    #[track_caller]
    pub fn set_rule(&mut self, rule: impl UpdateRule + 'static) {
        let (own, other) = (self.rule.slots(), rule.slots());
        assert_eq!(own, other, "optimizer: slots of a rule of another kind");
        self.rule = Box::new(rule);
    }

    /// The number of updates done so far.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Sets the number of updates done, as a checkpoint has it.
    pub fn set_steps(&mut self, steps: u64) {
        self.steps = steps;
    }

    /// The state by name: `m.0`, `m.1`, ... for parameter 0, 1, ...
    pub fn named(&self) -> Vec<(String, &Tensor)> {
        let names = self.rule.slots();
        let named = |(i, slots)| names_of(names, i).zip(slots);
        self.slots.iter().enumerate().flat_map(named).collect()
    }

    /// As [`Optimizer::named`], to be changed.
    pub fn named_mut(&mut self) -> Vec<(String, &mut Tensor)> {
        let names = self.rule.slots();
        let named = |(i, slots)| names_of(names, i).zip(slots);
        self.slots.iter_mut().enumerate().flat_map(named).collect()
    }
}

/// The values of up to two slots.
fn values<'a, T>(slots: &'a mut [Tensor], of: fn(&'a mut Storage) -> &'a mut [T]) -> [&'a mut [T]; 2] {
    let mut slots = slots.iter_mut();
    [(); 2].map(|()| slots.next().map_or_else(Default::default, |slot| of(slot.storage_mut())))
}

#[track_caller]
fn different_devices() -> ! {
    panic!("optimizer: parameter, gradient and slots must be on one device")
}

fn names_of(slots: &'static [&'static str], parameter: usize) -> impl Iterator<Item = String> {
    slots.iter().map(move |slot| format!("{slot}.{parameter}"))
}
