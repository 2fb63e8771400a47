//! Dropout (Srivastava et al., 2014), scaled at training time: y = x · m / (1 - rate), with m = 0
//! with probability `rate` and 1 otherwise.
//!
//! m_i is a pure function of the [`Position`]: it is 1 if word i of the stream is at least
//! rate · 2³². So the mask is never stored; backward draws it again, x̄ = ȳ · m / (1 - rate), which
//! is dropout itself.

mod cpu;
mod reference;

use crate::autograd::{Call, Keeps, Op, record};
use crate::random::Position;
use crate::storage::Storage;
use crate::tensor::Tensor;

/// `x` with a share `rate` of its values, chosen by `position`, set to 0 and the others scaled by
/// 1 / (1 - rate).
///
/// # Panics
/// If `rate` is not in [0, 1).
#[track_caller]
pub fn dropout(x: &Tensor, rate: f64, position: Position) -> Tensor {
    assert!(
        (0.0..1.0).contains(&rate),
        "dropout: rate {rate} must be in [0, 1)"
    );
    let mask = Mask {
        threshold: (rate * 4_294_967_296.0) as u32,
        scale: 1.0 / (1.0 - rate),
        position,
    };
    let storage = match x.storage() {
        Storage::Reference(x) => Storage::Reference(reference::dropout(x, &mask)),
        Storage::Cpu(x) => Storage::Cpu(cpu::dropout(x, &mask)),
    };
    record(Dropout { rate, position }, &[x], x.shape(), storage)
}

/// Which values are kept, and what those are multiplied by.
pub struct Mask {
    /// Value i is kept if its word is at least this.
    pub threshold: u32,
    /// 1 / (1 - rate).
    pub scale: f64,
    /// Where the words start.
    pub position: Position,
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
