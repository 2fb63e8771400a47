//! The mean binary cross-entropy y of n predictions x, probabilities or logits, against targets t. On a CUDA device it
//! is one launch, and its gradient another; on the others it is the chain of ops of [`loss`](super::loss).
//!
//! ```text
//! x̄ = ȳ / n · s(x, t)      s(p, t) = (1 - t) / (1 - p) - t / p for probabilities, sigmoid(x) - t for logits
//! ```

pub mod cuda;

use super::binary::{EPSILON, binary_cross_entropies, binary_cross_entropy_slope};
use super::broadcast::divided_broadcast_to;
use super::{clamp, log, mean_all, neg, sigmoid, softplus, sum_to};
use crate::autograd::{Call, Op, record, recording};
use crate::profile::{Cost, span};
use crate::shape::Shape;
use crate::storage::Storage;
use crate::tensor::Tensor;

/// What the predictions are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Probabilities,
    Logits,
}

/// The most values whose mean one block takes.
const FEW: usize = 1 << 16;

/// The mean over every value.
///
/// # Panics
/// If the shapes don't broadcast.
#[track_caller]
pub(super) fn mean_cross_entropy(of: Of, x: &Tensor, targets: &Tensor) -> Tensor {
    if let (Storage::Cuda(values), Storage::Cuda(t)) = (x.storage(), targets.storage())
        && targets.shape().is_suffix_of(x.shape())
        && (1..=FEW).contains(&values.len())
    {
        let _span = span("binary_cross_entropy", || Cost::pass(x.numel() + targets.numel()));
        let storage = Storage::Cuda(cuda::mean_loss(of, values, t));
        return record(MeanCrossEntropy { of }, &[x, targets], Shape::new(&[]), storage);
    }
    mean_all(&match of {
        Of::Probabilities => binary_cross_entropies(x, targets),
        Of::Logits => softplus(x) - x * targets,
    })
}

struct MeanCrossEntropy {
    of: Of,
}

impl Op for MeanCrossEntropy {
    fn name(&self) -> &'static str {
        "binary_cross_entropy"
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        let (x, targets) = (call.input(0), call.input(1));
        if let (false, Storage::Cuda(values), Storage::Cuda(t), Storage::Cuda(g)) =
            (recording() || call.wants(1), x.storage(), targets.storage(), grad.storage())
        {
            let _span = span("binary_cross_entropy", || Cost::pass(2 * x.numel() + targets.numel()));
            let grad = cuda::mean_loss_grad(self.of, values, t, g);
            return vec![Some(Tensor::from_storage(Storage::Cuda(grad), x.shape())), None];
        }
        let each = divided_broadcast_to(grad, x.shape(), x.numel() as f64);
        let (x_slope, target_slope) = match self.of {
            Of::Probabilities => {
                let held_log = |p: &Tensor| log(&clamp(p, EPSILON, 1.0 - EPSILON));
                let target_slope = held_log(&(1.0 - &x)) - held_log(&x);
                (binary_cross_entropy_slope(&x, &targets), target_slope)
            }
            Of::Logits => (sigmoid(&x) - &targets, neg(&x)),
        };
        vec![
            call.wants(0).then(|| &each * x_slope),
            call.wants(1).then(|| sum_to(&(&each * target_slope), targets.shape())),
        ]
    }
}
