//! Gradients that must exist: asking for the gradient of a tensor that the loss doesn't depend on is usually a mistake.

use super::walk::{one, walk};
use crate::tensor::Tensor;
use crate::{Error, Result};

/// As [`grad`](super::grad), but a tensor that the loss doesn't depend on is an error: it was detached, made before
/// [`parameter`](Tensor::parameter) was called, or used under [`no_grad`](super::no_grad).
///
/// # Errors
/// [`Error::NotRecorded`], which names the first such tensor by its place in `parameters`.
///
/// ```
/// use minimax::autograd::try_grad;
/// use minimax::{Device, Tensor};
///
/// let x = Tensor::ones([3], Device::Cpu).parameter();
/// assert!(try_grad(&x.square().sum(..), &[&x], false).is_ok());
/// assert!(try_grad(&x.detach().square().sum(..), &[&x], false).is_err());
/// ```
///
/// # Panics
/// If `loss` holds more than one value.
#[track_caller]
pub fn try_grad(loss: &Tensor, parameters: &[&Tensor], create_graph: bool) -> Result<Vec<Tensor>> {
    let found = walk(loss.clone(), one(loss), parameters, Vec::new(), create_graph);
    let each = found.into_iter().zip(parameters).enumerate();
    each.map(|(i, (grad, parameter))| {
        let why = if parameter.requires_grad() { "its record doesn't lead to it" } else { "it has no record" };
        grad.ok_or_else(|| {
            let what = format!("tensor {i}, of shape {}: the loss doesn't depend on it, as {why}", parameter.shape());
            Error::NotRecorded { what }
        })
    })
    .collect()
}
