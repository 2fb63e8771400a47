//! Leaky ReLU and dropout after it, done together, and after batch norm as its values are stored. Each saves a pass
//! over memory.
//!
//! ```text
//! batch_norm, leaky_relu, dropout     one op
//! dense, leaky_relu, dropout          dense, then the other two in one pass
//! dense, dropout                      two layers
//! ```
//!
//! The values are those of the layers one by one, in forward and backward passes.

use super::{Layer, Mode, Pass};
use crate::ops::dropout::Mask;
use crate::ops::{leaky_relu, leaky_relu_dropout};
use crate::tensor::Tensor;

/// The output of `layers`, one after the other, for a batch `x`.
pub(super) fn forward(layers: &mut [Box<dyn Layer>], x: &Tensor, pass: &mut Pass) -> Tensor {
    let mut x = x.clone();
    let mut rest = layers;
    while let Some((layer, following)) = rest.split_first_mut() {
        let (y, fused) = match Epilogue::of(following) {
            Some((epilogue, layers)) => (layer.forward_then(&x, epilogue, pass), layers),
            None => (layer.forward(&x, pass), 0),
        };
        x = y;
        rest = &mut following[fused..];
    }
    x
}

/// What a layer may do to each value by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Elementwise {
    /// Leaky ReLU.
    LeakyRelu {
        /// The slope below 0.
        slope: f64,
    },
    /// Dropout, in training only.
    Dropout {
        /// The share that is dropped, in [0, 1).
        rate: f64,
    },
}

/// What follows a layer and can be done to its values as they are stored: leaky ReLU, then dropout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Epilogue {
    /// Leaky ReLU's slope below 0.
    pub slope: f64,
    /// The share that dropout drops in training; 0 where none follows.
    pub rate: f64,
}

impl Epilogue {
    /// The epilogue as an op of its own, on a layer's finished output.
    pub(super) fn of_values(self, y: &Tensor, pass: &mut Pass) -> Tensor {
        match self.mask(y.numel(), pass) {
            Some(mask) => leaky_relu_dropout(y, self.slope, mask),
            None => leaky_relu(y, self.slope),
        }
    }

    /// What `following` begins with, and how many of those layers that is.
    fn of(following: &[Box<dyn Layer>]) -> Option<(Epilogue, usize)> {
        let mut kinds = following.iter().map(|layer| layer.elementwise());
        let Some(Some(Elementwise::LeakyRelu { slope })) = kinds.next() else {
            return None;
        };
        Some(match kinds.next() {
            Some(Some(Elementwise::Dropout { rate })) => (Epilogue { slope, rate }, 2),
            _ => (Epilogue { slope, rate: 0.0 }, 1),
        })
    }

    /// The mask of the dropout for `count` values, if there is one in this pass.
    pub(super) fn mask(&self, count: usize, pass: &mut Pass) -> Option<Mask> {
        match &mut pass.mode {
            Mode::Training(random) if self.rate > 0.0 => Some(Mask::new(self.rate, random.reserve(count))),
            _ => None,
        }
    }
}
