//! What the dense layer and the convolutions learn.

use super::seed::drawn;
use super::spectral_norm::SpectralNorm;
use super::{Initializer, Pass, Variable};
use crate::ops::{reshape, sqrt, square, sum};
use crate::random::Random;
use crate::shape::Shape;
use crate::tensor::Tensor;

/// A kernel and, perhaps, a bias per output channel.
pub(super) struct Weights {
    kernel: Tensor,
    pub bias: Option<Tensor>,
    norm: Option<Norm>,
}

/// What a kernel is divided by before it is used.
enum Norm {
    /// Its largest singular value.
    Spectral(SpectralNorm),
    /// For each output, the length of its weights.
    Unit,
}

/// Added to the square of a length that is divided by.
const EPSILON: f64 = 1e-12;

/// `kernel` `[inputs, outputs]` with each output's weights at length 1, w / √Σw²: weight normalisation (Salimans and
/// Kingma, "Weight normalization", 2016) whose gains stay 1.
///
/// # Panics
/// If it has not two axes.
pub fn unit_norm(kernel: &Tensor) -> Tensor {
    let &[_, outputs] = kernel.dims() else {
        panic!("unit_norm: kernel {} must have two axes", kernel.shape());
    };
    kernel / reshape(&sqrt(&(sum(&square(kernel), &[0]) + EPSILON)), [1, outputs])
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
        let norm = || Norm::Spectral(SpectralNorm::new(&self.kernel, transposed, random));
        Weights { norm: asked.then(norm), ..self }
    }

    /// These weights, of a dense layer, used at length 1 for each output from now on: see [`unit_norm`].
    pub fn unit_normalised(self) -> Weights {
        Weights { norm: Some(Norm::Unit), ..self }
    }

    /// These weights with a kernel of `shape` drawn anew, from what this thread's layers draw from.
    pub fn redrawn(self, shape: Shape, initializer: Initializer) -> Weights {
        let kernel = drawn(|random| initializer.draw(shape, random, self.kernel.device()));
        Weights { kernel: kernel.parameter(), ..self }
    }

    /// Whether [`Weights::unit_normalised`] has been asked for.
    pub fn is_unit_normalised(&self) -> bool {
        matches!(self.norm, Some(Norm::Unit))
    }

    /// The shape of the kernel.
    pub fn kernel_shape(&self) -> Shape {
        self.kernel.shape()
    }

    /// These weights without a bias.
    pub fn without_bias(self) -> Weights {
        Weights { bias: None, ..self }
    }

    /// The kernel as it is used.
    pub fn kernel(&mut self, pass: &Pass) -> Tensor {
        match &mut self.norm {
            Some(Norm::Spectral(norm)) => norm.apply(&self.kernel, pass),
            Some(Norm::Unit) => unit_norm(&self.kernel),
            None => self.kernel.clone(),
        }
    }

    pub fn variables(&self) -> Vec<Variable<&Tensor>> {
        let kernel = [Variable::parameter("kernel", &self.kernel)];
        let bias = self.bias.iter().map(|b| Variable::parameter("bias", b));
        let kept = match &self.norm {
            Some(Norm::Spectral(norm)) => Some(norm.variables()),
            _ => None,
        };
        kernel.into_iter().chain(bias).chain(kept.into_iter().flatten()).collect()
    }

    pub fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        let kernel = [Variable::parameter("kernel", &mut self.kernel)];
        let bias = self.bias.iter_mut().map(|b| Variable::parameter("bias", b));
        let kept = match &mut self.norm {
            Some(Norm::Spectral(norm)) => Some(norm.variables_mut()),
            _ => None,
        };
        kernel.into_iter().chain(bias).chain(kept.into_iter().flatten()).collect()
    }
}
