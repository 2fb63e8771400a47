//! What the dense layer and the convolutions learn.

use super::Variable;
use crate::tensor::Tensor;

/// A kernel and, perhaps, a bias per output channel.
pub(super) struct Weights {
    pub kernel: Tensor,
    pub bias: Option<Tensor>,
}

impl Weights {
    /// `kernel` as a parameter, and a bias of `bias` zeros if there is to be one.
    pub fn new(kernel: Tensor, bias: Option<usize>) -> Weights {
        let zeros = |channels| Tensor::zeros([channels], kernel.device()).parameter();
        Weights { bias: bias.map(zeros), kernel: kernel.parameter() }
    }

    /// y + bias, over the last axis of `y`.
    pub fn add_bias(&self, y: Tensor) -> Tensor {
        match &self.bias {
            Some(bias) => y + bias,
            None => y,
        }
    }

    pub fn variables(&self) -> Vec<Variable<&Tensor>> {
        let kernel = [Variable::parameter("kernel", &self.kernel)];
        let bias = self.bias.iter().map(|b| Variable::parameter("bias", b));
        kernel.into_iter().chain(bias).collect()
    }

    pub fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        let kernel = [Variable::parameter("kernel", &mut self.kernel)];
        let bias = self.bias.iter_mut().map(|b| Variable::parameter("bias", b));
        kernel.into_iter().chain(bias).collect()
    }
}
