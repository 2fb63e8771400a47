//! The tensors of a layer, and what they are called.

use crate::storage::Device;
use crate::tensor::Tensor;
use std::borrow::Cow;

/// A tensor that belongs to a layer.
///
/// ```
/// use minimax::nn::{BatchNorm, Layer};
///
/// let layer = BatchNorm::new(3);
/// let trained: Vec<_> = layer.variables().into_iter().filter(|v| v.trainable).map(|v| v.name).collect();
/// assert_eq!(trained, ["gamma", "beta"]);
/// ```
pub struct Variable<T> {
    /// Its name within the layer: `kernel`, `bias`, `gamma` and so on. In a layer that holds others the path to it comes first:
    /// `conv.kernel`.
    pub name: Cow<'static, str>,
    /// True if an optimiser changes it, false if the forward pass does.
    pub trainable: bool,
    /// The tensor.
    pub tensor: T,
}

impl<T> Variable<T> {
    /// A tensor that an optimiser changes.
    pub fn parameter(name: &'static str, tensor: T) -> Variable<T> {
        Variable { name: name.into(), trainable: true, tensor }
    }

    /// A tensor that the forward pass changes.
    pub fn statistic(name: &'static str, tensor: T) -> Variable<T> {
        Variable { name: name.into(), trainable: false, tensor }
    }
}

/// Moves `tensor` to `device`, a parameter as one.
pub(super) fn move_tensor(tensor: &mut Tensor, device: Device) {
    let moved = tensor.to(device);
    *tensor = if tensor.requires_grad() { moved.parameter() } else { moved };
}

/// The `variables` of a part that its layer calls `name`: each is then called `name.` and what the part calls it.
///
/// A module of one's own is a [`Layer`](super::Layer) that holds others:
///
/// ```
/// use minimax::nn::{BatchNorm, Conv2d, Layer, Pass, Variable, within};
/// use minimax::{Tensor, ops};
///
/// /// x + relu(norm(conv(x)))
/// struct Block {
///     conv: Conv2d,
///     norm: BatchNorm,
/// }
///
/// impl Layer for Block {
///     fn forward(&mut self, x: &Tensor, pass: &mut Pass) -> Tensor {
///         let y = self.conv.forward(x, pass);
///         x + ops::relu(&self.norm.forward(&y, pass))
///     }
///
///     fn variables(&self) -> Vec<Variable<&Tensor>> {
///         let conv = within("conv", self.conv.variables());
///         conv.chain(within("norm", self.norm.variables())).collect()
///     }
///
///     fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
///         let conv = within("conv", self.conv.variables_mut());
///         conv.chain(within("norm", self.norm.variables_mut())).collect()
///     }
/// }
///
/// let block = Block { conv: Conv2d::new(8, 8, 3).same(), norm: BatchNorm::new(8) };
/// assert_eq!(block.parameters().len(), 4);
/// assert_eq!(block.variables()[0].name, "conv.kernel");
/// ```
pub fn within<T>(name: &str, variables: Vec<Variable<T>>) -> impl Iterator<Item = Variable<T>> {
    variables.into_iter().map(move |v| Variable { name: format!("{name}.{}", v.name).into(), ..v })
}
