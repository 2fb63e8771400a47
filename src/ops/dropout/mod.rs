//! Dropout (Srivastava et al., 2014), scaled at training time: y = x · m / (1 - rate), with m = 0
//! with probability `rate` and 1 otherwise.
//!
//! m_i is a pure function of the [`Position`]: it is 1 if word i of the stream is at least rate · 2³². So the mask is
//! never stored. The backward pass draws it again: x̄ = ȳ · m / (1 - rate), which is dropout itself.
//!
//! A value that is dropped becomes -0, even if it was infinite or NaN (PyTorch makes NaN of those), and a zero that is
//! kept becomes +0. Where leaky ReLU and dropout are one op ([`leaky_relu_dropout`](super::leaky_relu_dropout)), its
//! output thus tells the backward pass everything.

pub mod cpu;
pub mod cuda;
pub mod reference;

use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::random::Position;
use crate::storage::Storage;
use crate::tensor::Tensor;

/// Which values dropout drops: a share of them, chosen by random numbers that start at a [`Position`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mask {
    rate: f64,
    position: Position,
}

impl Mask {
    /// A share `rate` of the values, chosen by the words from `position` on.
    ///
    /// # Panics
    /// If `rate` is not in [0, 1).
    #[track_caller]
    pub fn new(rate: f64, position: Position) -> Mask {
        assert!((0.0..1.0).contains(&rate), "dropout: rate {rate} must be in [0, 1)");
        Mask { rate, position }
    }

    /// 1 / (1 - rate), by which the values that are kept are multiplied.
    pub(super) fn scale(&self) -> f64 {
        1.0 / (1.0 - self.rate)
    }

    /// A value is kept if its word is at least this.
    fn threshold(&self) -> u32 {
        (self.rate * 4_294_967_296.0) as u32
    }
}

/// `x` with a share `rate` of its values, chosen by the random numbers from `position` on, set to 0, and the others
/// scaled by 1 / (1 - rate). The shape stays; x̄ = ȳ · m / (1 - rate) with the same mask m.
///
/// ```
/// use minimax::random::{Purpose, Random};
/// use minimax::{Device, Tensor, ops};
///
/// let position = Random::new(1, Purpose::DROPOUT).reserve(4);
/// let y = ops::dropout(&Tensor::ones([4], Device::Cpu), 0.5, position);
/// assert!(y.to_f64().iter().all(|&value| value == 0.0 || value == 2.0));
/// ```
///
/// # Panics
/// If `rate` is not in [0, 1).
#[track_caller]
pub fn dropout(x: &Tensor, rate: f64, position: Position) -> Tensor {
    let mask = Mask::new(rate, position);
    let _span = span("dropout", || Cost::pass(2 * x.numel()));
    let storage = match x.storage() {
        Storage::Reference(x) => Storage::Reference(reference::dropout(x, &mask)),
        Storage::Cpu(x) => Storage::Cpu(cpu::dropout(x, &mask, |x| x)),
        Storage::Cuda(x) => Storage::Cuda(cuda::dropout(x, &mask)),
    };
    record(Dropout { rate, position }, &[x], x.shape(), storage)
}

struct Dropout {
    rate: f64,
    position: Position,
}

impl Op for Dropout {
    fn name(&self) -> &'static str {
        "dropout"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn vjp(&self, _: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some(dropout(grad, self.rate, self.position))]
    }
}
