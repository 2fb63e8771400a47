//! The dense layer, y = x W + b.

use super::{Initializer, Layer, Pass, Variable};
use crate::ops::{Transpose, dense, matmul};
use crate::random::Random;
use crate::storage::Device;
use crate::tensor::Tensor;

/// A dense layer from `[n, inputs]` to `[n, units]`.
pub struct Dense {
    kernel: Tensor,
    bias: Option<Tensor>,
}

impl Dense {
    /// A layer with a kernel `[inputs, units]` drawn from `random` and, if it has one, a bias of zeros.
    pub fn new(
        inputs: usize,
        units: usize,
        bias: bool,
        initializer: Initializer,
        random: &mut Random,
        device: Device,
    ) -> Dense {
        let kernel = initializer.draw([inputs, units].into(), [inputs, units], random, device);
        Dense {
            kernel: kernel.parameter(),
            bias: bias.then(|| Tensor::zeros([units], device).parameter()),
        }
    }
}

impl Layer for Dense {
    fn forward(&mut self, x: &Tensor, _: &mut Pass) -> Tensor {
        match &self.bias {
            Some(bias) => dense(x, &self.kernel, bias),
            None => matmul(x, &self.kernel, Transpose::NONE),
        }
    }

    fn variables(&self) -> Vec<Variable<&Tensor>> {
        let bias = self
            .bias
            .as_ref()
            .map(|bias| Variable::parameter("bias", bias));
        [Variable::parameter("kernel", &self.kernel)]
            .into_iter()
            .chain(bias)
            .collect()
    }

    fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        let bias = self
            .bias
            .as_mut()
            .map(|bias| Variable::parameter("bias", bias));
        [Variable::parameter("kernel", &mut self.kernel)]
            .into_iter()
            .chain(bias)
            .collect()
    }
}
