//! Zeros around an array: `y[before + i] = x[i]`, 0 elsewhere. Its adjoint is [`slice`](fn@slice).

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::slice;
use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::shape::Shape;
use crate::storage::Storage;
use crate::tensor::Tensor;
use std::ops::Range;

/// `x` with `[before, after]` zeros along each axis. x̄ is the part of ȳ where `x` lies.
///
/// ```
/// use minimax::{Device, Tensor, ops};
///
/// let x = Tensor::ones([2], Device::Cpu);
/// assert_eq!(ops::pad(&x, &[[1, 2]]).to_f64(), [0.0, 1.0, 1.0, 0.0, 0.0]);
/// ```
///
/// # Panics
/// If there isn't one pair per axis, or the result has more values than could be in memory.
#[track_caller]
pub fn pad(x: &Tensor, zeros: &[[usize; 2]]) -> Tensor {
    assert!(zeros.len() == x.shape().rank(), "pad: {zeros:?} around an input of shape {}", x.shape());
    let lengths = x.dims().iter().zip(zeros);
    let lengths: Vec<usize> =
        lengths.map(|(n, [before, after])| n.saturating_add(*before).saturating_add(*after)).collect();
    let shape = Shape::new(&lengths);
    let _span = span("pad", || Cost::pass(x.numel() + shape.numel()));
    let storage = match x.storage() {
        Storage::Reference(v) => Storage::Reference(reference::pad(v, x.shape(), shape, zeros)),
        Storage::Cpu(v) => Storage::Cpu(cpu::pad(v, x.shape(), shape, zeros)),
        Storage::Cuda(v) => Storage::Cuda(cuda::pad(v, x.shape(), shape, zeros)),
    };
    let op = Pad { zeros: zeros.to_vec() };
    record(op, &[x], shape, storage)
}

struct Pad {
    zeros: Vec<[usize; 2]>,
}

impl Op for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        let shape = call.input_shape(0);
        let inside = self.zeros.iter().zip(shape.dims());
        let inside: Vec<Range<usize>> = inside.map(|(&[b, _], &n)| b..b + n).collect();
        vec![Some(slice(grad, &inside))]
    }
}
