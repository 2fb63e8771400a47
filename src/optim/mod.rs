//! Optimisers: how a gradient changes a parameter.

mod adam;
mod gradient;
mod rmsprop;
mod sgd;

pub use adam::Adam;
pub use gradient::{clip, norm};
pub use rmsprop::RmsProp;
pub use sgd::Sgd;

use crate::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Where ε stands in a denominator: the two ways differ where a gradient is tiny.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EpsilonPlacement {
    /// As Keras does.
    #[default]
    Keras,
    /// As the paper's algorithm and PyTorch do.
    Paper,
}

/// An update rule: from a parameter, its gradient and what the rule remembers of earlier ones (its
/// slots).
pub trait UpdateRule: Send {
    /// The names of the slots; each starts as zeros in the parameter's shape.
    fn slots(&self) -> &'static [&'static str];

    /// Update number `t`, counted from 1, of one parameter.
    fn update(&self, t: u64, parameter: &mut Tensor, grad: &Tensor, slots: &mut [Tensor]);
}

/// An update rule with its state for a list of parameters.
pub struct Optimizer {
    rule: Box<dyn UpdateRule>,
    steps: u64,
    /// For each parameter, a tensor per slot.
    slots: Vec<Vec<Tensor>>,
}

impl Optimizer {
    /// `rule` with fresh state for `parameters`.
    pub fn new(rule: Box<dyn UpdateRule>, parameters: &[&Tensor]) -> Optimizer {
        let zeros = |p: &&Tensor| {
            let slots = rule.slots().iter();
            slots
                .map(|_| Tensor::zeros(p.shape(), p.device()))
                .collect()
        };
        Optimizer {
            slots: parameters.iter().map(zeros).collect(),
            rule,
            steps: 0,
        }
    }

    /// Changes each of `parameters`, given in the order of [`Optimizer::new`], by its gradient.
    ///
    /// # Panics
    /// If there aren't as many, or shapes differ.
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
        for ((parameter, grad), slots) in parameters.into_iter().zip(grads).zip(&mut self.slots) {
            assert!(
                parameter.shape() == grad.shape(),
                "optimizer: parameter {} and gradient {}",
                parameter.shape(),
                grad.shape()
            );
            self.rule.update(self.steps, parameter, grad, slots);
        }
    }

    /// Updates done so far.
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

fn names_of(slots: &'static [&'static str], parameter: usize) -> impl Iterator<Item = String> {
    slots.iter().map(move |slot| format!("{slot}.{parameter}"))
}
