//! Matrix products pair by pair: C_i = A_i · B_i, where either operand may be read transposed instead of being
//! transposed in memory.
//!
//! Its rule is that of [`matmul`](fn@super::matmul) for every i: Ā_i = C̄_i · B_iᵀ and B̄_i = A_iᵀ · C̄_i.

pub mod cpu;
pub mod reference;

use super::matmul::cuda;
use super::{Transpose, different_devices};
use crate::autograd::{Call, Op, record};
use crate::profile::{Cost, span};
use crate::storage::Storage;
use crate::tensor::Tensor;

/// The products `[batch, m, n]` of `a` (`[batch, m, k]`, or `[batch, k, m]` if transposed) and `b` (`[batch, k, n]`, or
/// `[batch, n, k]`): C_i = A_i B_i, with Ā_i = C̄_i B_iᵀ and B̄_i = A_iᵀ C̄_i.
///
/// ```
/// use minimax::ops::{Transpose, batched_matmul};
/// use minimax::{Device, Tensor};
///
/// let (a, b) = (Tensor::ones([8, 2, 3], Device::Cpu), Tensor::ones([8, 3, 5], Device::Cpu));
/// assert_eq!(batched_matmul(&a, &b, Transpose::NONE).dims(), [8, 2, 5]);
/// ```
///
/// # Panics
/// If the shapes don't fit.
#[track_caller]
pub fn batched_matmul(a: &Tensor, b: &Tensor, transpose: Transpose) -> Tensor {
    let (&[batch, ar, ac], &[pairs, br, bc]) = (a.dims(), b.dims()) else {
        panic!("batched_matmul: {} and {} must have 3 axes", a.shape(), b.shape());
    };
    assert!(batch == pairs, "batched_matmul: {} and {} are of {batch} and {pairs} matrices", a.shape(), b.shape());
    let (m, k) = if transpose.a { (ac, ar) } else { (ar, ac) };
    let (kb, n) = if transpose.b { (bc, br) } else { (br, bc) };
    assert!(
        k == kb,
        "batched_matmul: inner lengths {k} and {kb} of {} and {} ({transpose:?}) differ",
        a.shape(),
        b.shape()
    );
    let sizes = [m, k, n];
    let _span = span("batched_matmul", || Cost::product(batch * m * k * n, batch * (m * k + k * n + m * n)));
    let storage = match (a.storage(), b.storage()) {
        (Storage::Reference(a), Storage::Reference(b)) => {
            Storage::Reference(reference::batched_matmul(a, b, batch, sizes, transpose))
        }
        (Storage::Cpu(a), Storage::Cpu(b)) => Storage::Cpu(cpu::batched_matmul(a, b, batch, sizes, transpose)),
        (Storage::Cuda(a), Storage::Cuda(b)) => Storage::Cuda(cuda::products(a, b, batch, sizes, transpose)),
        _ => different_devices("batched_matmul", &[a, b]),
    };
    record(BatchedMatMul { transpose }, &[a, b], [batch, m, n], storage)
}

struct BatchedMatMul {
    transpose: Transpose,
}

impl Op for BatchedMatMul {
    fn name(&self) -> &'static str {
        "batched_matmul"
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        let flags = |a, b| Transpose { a, b };
        // As matmul's.
        let a_grad = || {
            let b = call.input(1);
            match self.transpose {
                Transpose { a: false, b: t } => batched_matmul(grad, &b, flags(false, !t)),
                Transpose { a: true, b: t } => batched_matmul(&b, grad, flags(t, true)),
            }
        };
        let b_grad = || {
            let a = call.input(0);
            match self.transpose {
                Transpose { a: t, b: false } => batched_matmul(&a, grad, flags(!t, false)),
                Transpose { a: t, b: true } => batched_matmul(grad, &a, flags(true, t)),
            }
        };
        vec![call.wants(0).then(a_grad), call.wants(1).then(b_grad)]
    }
}
