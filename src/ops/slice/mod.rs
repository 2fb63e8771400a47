//! A box cut out of an array: `y[i] = x[start + i]`, per axis. Its adjoint is [`pad`](fn@pad) with
//! zeros.

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::pad;
use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::shape::Shape;
use crate::storage::Storage;
use crate::tensor::Tensor;
use std::ops::Range;

/// The part of `x` within `ranges`, one for each axis; x̄ is ȳ there and 0 elsewhere. [`Tensor::index`] is the shorter
/// way to write it.
///
/// # Panics
/// If there isn't one range per axis, or one reaches past its axis.
#[track_caller]
pub fn slice(x: &Tensor, ranges: &[Range<usize>]) -> Tensor {
    let fits = |(r, &length): (&Range<usize>, &usize)| r.start <= r.end && r.end <= length;
    assert!(
        ranges.len() == x.shape().rank() && ranges.iter().zip(x.dims()).all(fits),
        "slice: ranges {ranges:?} of an input of shape {}",
        x.shape()
    );
    let lengths: Vec<usize> = ranges.iter().map(ExactSizeIterator::len).collect();
    let shape = Shape::new(&lengths);
    let _span = span("slice", || Cost::pass(2 * shape.numel()));
    let storage = match x.storage() {
        Storage::Reference(v) => Storage::Reference(reference::slice(v, x.shape(), ranges)),
        Storage::Cpu(v) => Storage::Cpu(cpu::slice(v, x.shape(), ranges)),
        Storage::Cuda(v) => Storage::Cuda(cuda::slice(v, x.shape(), ranges)),
    };
    let op = Slice { ranges: ranges.to_vec() };
    record(op, &[x], shape, storage)
}

struct Slice {
    ranges: Vec<Range<usize>>,
}

impl Op for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        let shape = call.input_shape(0);
        let zeros = self.ranges.iter().zip(shape.dims());
        let zeros: Vec<[usize; 2]> = zeros.map(|(r, &n)| [r.start, n - r.end]).collect();
        vec![Some(pad(grad, &zeros))]
    }
}
