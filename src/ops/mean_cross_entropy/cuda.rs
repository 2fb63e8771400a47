//! The launchers of kernels/cross_entropy.cu.

use super::Of;
use crate::cuda::Buffer;
use crate::cuda::launch::{Call, MANY_THREADS};

/// The mean loss of x against `targets`, which may repeat.
pub fn mean_loss(of: Of, x: &Buffer, targets: &Buffer) -> Buffer {
    let mut y = Buffer::unspecified(1, x.context());
    let name = match of {
        Of::Probabilities => "cross_entropy_probabilities",
        Of::Logits => "cross_entropy_logits",
    };
    let call = Call::new(x.context(), "cross_entropy", name).read(x).read(targets).value(targets.len() as i32);
    let threads = x.len().next_power_of_two().min(MANY_THREADS);
    call.write(&mut y).value(x.len() as i32).grid([1, 1, 1], threads, 0);
    y
}

/// x̄ from ȳ, one value.
pub fn mean_loss_grad(of: Of, x: &Buffer, targets: &Buffer, grad: &Buffer) -> Buffer {
    let mut to = x.like();
    let name = match of {
        Of::Probabilities => "cross_entropy_probabilities_grad",
        Of::Logits => "cross_entropy_logits_grad",
    };
    let call = Call::new(x.context(), "cross_entropy", name).read(x).read(targets).value(targets.len() as i32);
    call.read(grad).write(&mut to).value(x.len() as i32).over(x.len());
    to
}
