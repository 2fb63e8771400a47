//! Leaky ReLU and dropout after it, done together, and together with batch norm or a convolution. Each saves a pass over
//! memory.
//!
//! ```text
//! batch_norm, leaky_relu, dropout     one op
//! conv2d, leaky_relu, dropout         one op, with the bias; likewise conv_transpose2d
//! dense, leaky_relu, dropout          dense, then the other two in one pass
//! dense, dropout                      two layers
//! ```
//!
//! The values are those of the layers one by one, in forward and backward passes.

use super::named::Named;
use super::trail::Place;
use super::{Mode, Pass};
use crate::ops::dropout::Mask;
use crate::ops::{leaky_relu, leaky_relu_dropout};
use crate::tensor::Tensor;
use std::panic::Location;

/// The output of `layers` of a `network`, the first of which is its layer `first`, counted from 1, for a batch `x`: one
/// after the other.
#[track_caller]
pub(super) fn forward(
    network: &'static str,
    first: usize,
    layers: &mut [Named],
    x: &Tensor,
    pass: &mut Pass,
) -> Tensor {
    let caller = Location::caller();
    let mut x = x.clone();
    let mut rest = layers;
    let mut number = first;
    while let Some((Named { name, layer }, following)) = rest.split_first_mut() {
        let _place = Place { network, number, name: name.as_deref(), kind: layer.kind(), caller };
        let (y, fused) = match Epilogue::of(following) {
            Some((epilogue, layers)) => (layer.forward_then(&x, epilogue, pass), layers),
            None => (layer.forward(&x, pass), 0),
        };
        x = y;
        rest = &mut following[fused..];
        number += 1 + fused;
    }
    x
}

/// A function of each value by itself that can be done in the same pass over memory as what comes before it.
///
/// ```
/// use minimax::nn::{Activation, Elementwise, Layer};
///
/// assert_eq!(Activation::Relu.elementwise(), Some(Elementwise::LeakyRelu { slope: 0.0 }));
/// assert_eq!(Activation::Tanh.elementwise(), None);
/// ```
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
///
/// ```
/// use minimax::nn::{Dense, Epilogue, Initializer, Layer, Pass};
/// use minimax::{Device, Tensor};
///
/// let mut layer = Dense::new(2, 1).initializer(Initializer::Zeros);
/// let relu = Epilogue { slope: 0.0, rate: 0.0 };
/// let y = layer.forward_then(&Tensor::ones([1, 2], Device::Cpu), relu, &mut Pass::evaluation());
/// assert_eq!(y.to_f32(), [0.0]);
/// ```
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
    fn of(following: &[Named]) -> Option<(Epilogue, usize)> {
        let mut kinds = following.iter().map(|Named { layer, .. }| layer.elementwise());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::grad;
    use crate::nn::{
        Activation, Conv2d, ConvTranspose2d, Convolution, Dropout, Initializer, Layer, Sequential, Variable,
    };
    use crate::ops::{mean_all, square, sum};
    use crate::random::{Purpose, Random};
    use crate::storage::Device;

    /// A layer that leaves what follows to an op of its own.
    struct Alone(Box<dyn Layer>);

    impl Layer for Alone {
        fn forward(&mut self, x: &Tensor, pass: &mut Pass) -> Tensor {
            self.0.forward(x, pass)
        }

        fn variables(&self) -> Vec<Variable<&Tensor>> {
            self.0.variables()
        }

        fn elementwise(&self) -> Option<Elementwise> {
            self.0.elementwise()
        }
    }

    /// The outputs, the gradients of a loss that has the slope at the images in it, and the words that are drawn.
    fn of_layers(fused: bool, device: Device) -> Vec<Vec<u64>> {
        let mut random = Random::new(4, Purpose::INITIAL);
        let to = Convolution { stride: [2, 2], ..Convolution::new(6, [3, 3]) };
        let grouped = Convolution { groups: 3, bias: false, ..Convolution::new(9, [3, 3]) };
        let back = Convolution::new(5, [4, 4]);
        let he = Initializer::HeNormal;
        let layers: Vec<Box<dyn Layer>> = vec![
            Box::new(Conv2d::from_random(3, &to, he, &mut random, device)),
            Box::new(Activation::LeakyRelu { slope: 0.2 }),
            Box::new(Dropout { rate: 0.3 }),
            Box::new(Conv2d::from_random(6, &grouped, he, &mut random, device)),
            Box::new(Activation::Relu),
            Box::new(ConvTranspose2d::from_random(9, &back, he, &mut random, device)),
            Box::new(Activation::LeakyRelu { slope: 0.1 }),
        ];
        let layers = layers.into_iter().map(|layer| match fused {
            true => layer,
            false => Box::new(Alone(layer)),
        });
        let mut network = Sequential::new(layers.collect());
        let x = Tensor::new(&random.normal(5 * 7 * 5 * 3), [5, 7, 5, 3], device).parameter();
        let mut dropout = Random::new(4, Purpose::DROPOUT);
        let y = network.forward(&x, &mut Pass::training(&mut dropout));
        let slopes = grad(&sum(&y, &[0, 1, 2, 3]), &[&x], true);
        let loss = mean_all(&square(&y)) + mean_all(&square(&slopes[0]));
        let grads = grad(&loss, &network.parameters(), false);
        let bits = |t: &Tensor| t.to_f64().into_iter().map(f64::to_bits).collect::<Vec<_>>();
        [&y].into_iter().chain(&grads).map(bits).collect()
    }

    #[test]
    fn what_follows_a_convolution_has_the_same_bits_as_an_op_of_its_own() {
        for device in [Device::Reference, Device::Cpu] {
            let [fused, apart] = [true, false].map(|fused| of_layers(fused, device));
            assert_eq!(fused.len(), 6);
            assert!(fused == apart, "{device}");
        }
    }
}
