//! What the dense layer and the convolutions learn.

use super::spectral_norm::SpectralNorm;
use super::{Pass, Variable};
use crate::random::Random;
use crate::tensor::Tensor;

/// A kernel and, perhaps, a bias per output channel.
pub(super) struct Weights {
    kernel: Tensor,
    pub bias: Option<Tensor>,
    norm: Option<SpectralNorm>,
}

impl Weights {
    /// `kernel` as a parameter, and a bias of `bias` zeros if there is to be one.
    pub fn new(kernel: Tensor, bias: Option<usize>) -> Weights {
        let zeros = |channels| Tensor::zeros([channels], kernel.device()).parameter();
        Weights { bias: bias.map(zeros), kernel: kernel.parameter(), norm: None }
    }

    /// These weights, the kernel of which, if that is `asked` for, is used divided by its largest singular value from now
    /// on; its outputs lie along the last axis, or of a `transposed` convolution the last but one.
    pub fn normalised_if(self, asked: bool, transposed: bool, random: &mut Random) -> Weights {
        Weights { norm: asked.then(|| SpectralNorm::new(&self.kernel, transposed, random)), ..self }
    }

    /// The kernel as it is used.
    pub fn kernel(&mut self, pass: &Pass) -> Tensor {
        match &mut self.norm {
            Some(norm) => norm.apply(&self.kernel, pass),
            None => self.kernel.clone(),
        }
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
        kernel.into_iter().chain(bias).chain(self.norm.iter().flat_map(SpectralNorm::variables)).collect()
    }

    pub fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        let kernel = [Variable::parameter("kernel", &mut self.kernel)];
        let bias = self.bias.iter_mut().map(|b| Variable::parameter("bias", b));
        kernel.into_iter().chain(bias).chain(self.norm.iter_mut().flat_map(SpectralNorm::variables_mut)).collect()
    }
}

/// `variables` of a part of a layer that is called `name`.
pub(super) fn within<T>(name: &str, variables: Vec<Variable<T>>) -> impl Iterator<Item = Variable<T>> {
    variables.into_iter().map(move |v| Variable { name: format!("{name}.{}", v.name).into(), ..v })
}
