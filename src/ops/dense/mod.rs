//! A dense (fully connected) layer's product: y = x W + b, with x `[n, in]`, W `[in, out]` and b `[out]`.
//!
//! x̄ = ȳ Wᵀ, W̄ = xᵀ ȳ, b̄ = Σ over the batch of ȳ.

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::{Transpose, different_devices, matmul, sum};
use crate::autograd::{Call, Op, record};
use crate::profile::{Cost, span};
use crate::storage::Storage;
use crate::tensor::Tensor;

/// x · `weight` + `bias`, of shape `[n, out]`.
///
/// ```
/// use minimax::{Device, Tensor, ops};
///
/// let tensor = |values: &[f64], shape: &[usize]| Tensor::new(values, shape, Device::Cpu);
/// let (x, weight) = (tensor(&[1.0, 2.0], &[1, 2]), tensor(&[3.0, 4.0], &[2, 1]));
/// assert_eq!(ops::dense(&x, &weight, &tensor(&[0.5], &[1])).item(), 11.5);
/// ```
///
/// # Panics
/// If the shapes don't fit.
#[track_caller]
pub fn dense(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Tensor {
    let (&[n, inputs], &[rows, outputs], &[biases]) = (x.dims(), weight.dims(), bias.dims()) else {
        let (x, weight, bias) = (x.shape(), weight.shape(), bias.shape());
        panic!("dense: x {x}, weight {weight} and bias {bias} must have 2, 2 and 1 axes");
    };
    assert!(
        inputs == rows && outputs == biases,
        "dense: x {}, weight {} and bias {} don't fit",
        x.shape(),
        weight.shape(),
        bias.shape()
    );
    let sizes = [n, inputs, outputs];
    let _span = span("dense", || Cost::product(n * inputs * outputs, n * inputs + inputs * outputs + n * outputs));
    let storage = match (x.storage(), weight.storage(), bias.storage()) {
        (Storage::Reference(x), Storage::Reference(w), Storage::Reference(b)) => {
            Storage::Reference(reference::dense(x, w, b, sizes))
        }
        (Storage::Cpu(x), Storage::Cpu(w), Storage::Cpu(b)) => Storage::Cpu(cpu::dense(x, w, b, sizes)),
        (Storage::Cuda(x), Storage::Cuda(w), Storage::Cuda(b)) => Storage::Cuda(cuda::dense(x, w, b, sizes)),
        _ => different_devices("dense", &[x, weight, bias]),
    };
    record(Dense, &[x, weight, bias], [n, outputs], storage)
}

struct Dense;

impl Op for Dense {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![
            call.wants(0).then(|| matmul(grad, &call.input(1), Transpose::B)),
            call.wants(1).then(|| matmul(&call.input(0), grad, Transpose::A)),
            call.wants(2).then(|| sum(grad, &[0])),
        ]
    }
}
