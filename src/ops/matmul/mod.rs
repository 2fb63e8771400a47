//! Matrix products: C = A · B, where either operand may be read transposed instead of being transposed in memory.
//!
//! Ā = C̄ · Bᵀ and B̄ = Aᵀ · C̄, so matmul is differentiated by itself.

pub mod cpu;
pub mod cuda;
pub mod reference;

use super::different_devices;
use crate::autograd::{Call, Op, record};
use crate::profile::{Cost, span};
use crate::storage::Storage;
use crate::tensor::Tensor;

/// Which operands of a product are read transposed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transpose {
    /// Use Aᵀ.
    pub a: bool,
    /// Use Bᵀ.
    pub b: bool,
}

impl Transpose {
    /// A · B.
    pub const NONE: Transpose = Transpose { a: false, b: false };
    /// Aᵀ · B.
    pub const A: Transpose = Transpose { a: true, b: false };
    /// A · Bᵀ.
    pub const B: Transpose = Transpose { a: false, b: true };
}

/// The product `[m, n]` of `a` (`[m, k]`, or `[k, m]` if transposed) and `b` (`[k, n]`, or `[n, k]` if transposed).
///
/// # Panics
/// If the shapes don't fit.
#[track_caller]
pub fn matmul(a: &Tensor, b: &Tensor, transpose: Transpose) -> Tensor {
    let (&[ar, ac], &[br, bc]) = (a.dims(), b.dims()) else {
        panic!("matmul: {} and {} must have 2 axes", a.shape(), b.shape());
    };
    let (m, k) = if transpose.a { (ac, ar) } else { (ar, ac) };
    let (kb, n) = if transpose.b { (bc, br) } else { (br, bc) };
    assert!(k == kb, "matmul: inner lengths {k} and {kb} of {} and {} ({transpose:?}) differ", a.shape(), b.shape());
    let _span = span("matmul", || Cost::product(m * k * n, m * k + k * n + m * n));
    let storage = match (a.storage(), b.storage()) {
        (Storage::Reference(a), Storage::Reference(b)) => {
            Storage::Reference(reference::matmul(a, b, [m, k, n], transpose))
        }
        (Storage::Cpu(a), Storage::Cpu(b)) => Storage::Cpu(cpu::matmul(a, b, [m, k, n], transpose)),
        (Storage::Cuda(a), Storage::Cuda(b)) => Storage::Cuda(cuda::products(a, b, 1, [m, k, n], transpose)),
        _ => different_devices("matmul", &[a, b]),
    };
    record(MatMul { transpose }, &[a, b], [m, n], storage)
}

struct MatMul {
    transpose: Transpose,
}

impl Op for MatMul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    // ANCHOR: rule
    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        let flags = |a, b| Transpose { a, b };
        // With A' = A or Aᵀ and B' = B or Bᵀ: Ā' = C̄ B'ᵀ and B̄' = A'ᵀ C̄; if A was read transposed, Ā = (Ā')ᵀ = B' C̄ᵀ.
        let a_grad = || {
            let b = call.input(1);
            match self.transpose {
                Transpose { a: false, b: t } => matmul(grad, &b, flags(false, !t)),
                Transpose { a: true, b: t } => matmul(&b, grad, flags(t, true)),
            }
        };
        let b_grad = || {
            let a = call.input(0);
            match self.transpose {
                Transpose { a: t, b: false } => matmul(&a, grad, flags(!t, false)),
                Transpose { a: t, b: true } => matmul(grad, &a, flags(true, t)),
            }
        };
        vec![call.wants(0).then(a_grad), call.wants(1).then(b_grad)]
    }
    // ANCHOR_END: rule
}
