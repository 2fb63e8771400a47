//! Arrays joined one after the other along an axis. The gradient of each is its [`slice`](fn@slice) of ȳ.

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::{different_devices, slice};
use crate::autograd::{Call, Keeps, Op, record};
use crate::profile::{Cost, span};
use crate::shape::Shape;
use crate::storage::Storage;
use crate::tensor::Tensor;
use std::ops::Range;

/// `inputs` joined one after the other along `axis`: `[2, 5]` and `[3, 5]` along axis 0 make `[5, 5]`. The gradient of
/// each input is its [`slice`](fn@slice) of ȳ.
///
/// # Panics
/// If there are none, `axis` is out of range, their shapes differ in another axis, or the result has more values
/// than could be in memory.
#[track_caller]
pub fn concat(inputs: &[&Tensor], axis: usize) -> Tensor {
    let shapes: Vec<_> = inputs.iter().map(|x| x.shape()).collect();
    let has_axis = |shape: &Shape| axis < shape.rank();
    assert!(!shapes.is_empty() && shapes.iter().all(has_axis), "concat: shapes {shapes:?} along axis {axis}");
    let lengths = shapes.iter().map(|s| s.dims()[axis]);
    let total = lengths.fold(0, usize::saturating_add);
    let shape = shapes[0].with_axis(axis, total);
    assert!(
        shapes.iter().all(|s| s.with_axis(axis, total) == shape),
        "concat: shapes {shapes:?} must agree but for axis {axis}"
    );
    // Along the axis, each input is a block of this many contiguous values per outer index.
    let inner: usize = shape.dims()[axis + 1..].iter().product();
    let blocks: Vec<usize> = shapes.iter().map(|s| s.dims()[axis] * inner).collect();
    let _span = span("concat", || Cost::pass(2 * shape.numel()));
    let storage = match inputs[0].storage() {
        Storage::Reference(_) => {
            let values = inputs.iter().map(|x| match x.storage() {
                Storage::Reference(v) => &v[..],
                _ => different_devices("concat", inputs),
            });
            Storage::Reference(reference::concat(&values.collect::<Vec<_>>(), &blocks))
        }
        Storage::Cpu(_) => {
            let values = inputs.iter().map(|x| match x.storage() {
                Storage::Cpu(v) => &v[..],
                _ => different_devices("concat", inputs),
            });
            Storage::Cpu(cpu::concat(&values.collect::<Vec<_>>(), &blocks))
        }
        Storage::Cuda(_) => {
            let values = inputs.iter().map(|x| match x.storage() {
                Storage::Cuda(v) => v,
                _ => different_devices("concat", inputs),
            });
            Storage::Cuda(cuda::concat(&values.collect::<Vec<_>>(), &blocks))
        }
    };
    record(Concat { axis }, inputs, shape, storage)
}

struct Concat {
    axis: usize,
}

impl Op for Concat {
    fn name(&self) -> &'static str {
        "concat"
    }

    fn keeps(&self) -> Keeps {
        Keeps::Nothing
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        let mut start = 0;
        let mut grads = Vec::new();
        for i in 0..call.inputs() {
            let mut ranges: Vec<Range<usize>> = grad.dims().iter().map(|&n| 0..n).collect();
            let end = start + call.input_shape(i).dims()[self.axis];
            ranges[self.axis] = start..end;
            grads.push(call.wants(i).then(|| slice(grad, &ranges)));
            start = end;
        }
        grads
    }
}
