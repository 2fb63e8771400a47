//! Layers: ops together with the parameters that they use.
//!
//! A layer's parameters are tensors that gradients are asked for; its statistics are tensors that
//! the forward pass itself updates. Both have names, which a checkpoint uses.

mod batch_norm;
mod conv2d;
mod convolution;
mod dense;
mod initializer;
mod sequential;
mod stateless;
mod weights;

pub use batch_norm::BatchNorm;
pub use conv2d::{Conv2d, ConvTranspose2d};
pub use convolution::{Convolution, PaddingRule};
pub use dense::Dense;
pub use initializer::Initializer;
pub use sequential::Sequential;
pub use stateless::{Activation, Dropout, Flatten, Reshape, UpSampling2d};

use crate::ops::dropout::Mask;
use crate::ops::{leaky_relu, leaky_relu_dropout};
use crate::random::Random;
use crate::tensor::Tensor;

/// A layer of a network.
pub trait Layer: Send {
    /// The output for a batch `x`, whose first axis is the batch.
    ///
    /// # Panics
    /// If the shape of `x` is not one that the layer takes.
    fn forward(&mut self, x: &Tensor, pass: &mut Pass) -> Tensor;

    /// The output for a batch `x` after `epilogue` too, in one pass over memory where the layer knows how.
    ///
    /// # Panics
    /// As [`Layer::forward`].
    fn forward_then(&mut self, x: &Tensor, epilogue: Epilogue, pass: &mut Pass) -> Tensor {
        let y = self.forward(x, pass);
        match epilogue.mask(y.numel(), pass) {
            Some(mask) => leaky_relu_dropout(&y, epilogue.slope, mask),
            None => leaky_relu(&y, epilogue.slope),
        }
    }

    /// What the layer does to each value by itself, if it is something that an [`Epilogue`] is made of.
    fn elementwise(&self) -> Option<Elementwise> {
        None
    }

    /// The layer's tensors, in a fixed order.
    fn variables(&self) -> Vec<Variable<&Tensor>> {
        Vec::new()
    }

    /// As [`Layer::variables`], to be changed.
    fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        Vec::new()
    }
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
    fn mask(&self, count: usize, pass: &mut Pass) -> Option<Mask> {
        match pass {
            Pass::Training(random) if self.rate > 0.0 => Some(Mask::new(self.rate, random.reserve(count))),
            _ => None,
        }
    }
}

/// A tensor that belongs to a layer.
pub struct Variable<T> {
    /// Its name within the layer: `kernel`, `bias`, `gamma`, ...
    pub name: &'static str,
    /// True if an optimiser changes it, false if the forward pass does.
    pub trainable: bool,
    /// The tensor.
    pub tensor: T,
}

impl<T> Variable<T> {
    fn parameter(name: &'static str, tensor: T) -> Variable<T> {
        Variable { name, trainable: true, tensor }
    }

    fn statistic(name: &'static str, tensor: T) -> Variable<T> {
        Variable { name, trainable: false, tensor }
    }
}

/// What a forward pass is for.
pub enum Pass<'a> {
    /// Training: batch statistics, and dropout drawn from this stream.
    Training(&'a mut Random),
    /// Sampling and evaluation: running statistics, no dropout.
    Evaluation,
}
