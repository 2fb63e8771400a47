//! Spectral normalisation (Miyato, Kataoka, Koyama and Yoshida, "Spectral normalization for generative adversarial networks",
//! 2018): a layer's weights W, as a matrix `[outputs, inputs]`, divided by their largest singular value σ, so that a dense layer
//! lengthens no input, and a convolution none by more than the root of its kernel's places. σ is estimated by power iteration, one in each pass of training, and none in evaluation:
//!
//! ```text
//! u ← W v / |W v|    v ← Wᵀu / |Wᵀu|    σ = uᵀ W v
//! ```
//!
//! u and v are kept from pass to pass. For derivatives they are constants and σ is not: ∂σ/∂W = u vᵀ, as PyTorch's
//! `torch.nn.utils.parametrizations.spectral_norm` has it. As there, they start at random and after fifteen iterations.

use super::{Mode, Pass, Variable};
use crate::autograd::no_grad;
use crate::ops::{Transpose, matmul, permute, reshape, sqrt, square, sum};
use crate::random::Random;
use crate::tensor::Tensor;

/// Iterations before the first pass.
const AT_START: usize = 15;

/// What is added to a length that is divided by.
const EPSILON: f64 = 1e-12;

/// The estimate of one kernel's largest singular value.
pub(super) struct SpectralNorm {
    /// Of length 1, `[outputs]`.
    u: Tensor,
    /// Of length 1, `[inputs]`, where inputs are counted as they lie in the kernel.
    v: Tensor,
    /// Whether the kernel's last axis but one has the outputs, and not its last.
    transposed: bool,
}

impl SpectralNorm {
    /// That of `kernel`, the axis of whose outputs is the last, or of a `transposed` convolution the last but one.
    pub fn new(kernel: &Tensor, transposed: bool, random: &mut Random) -> SpectralNorm {
        let outputs = kernel.dims()[kernel.dims().len() - if transposed { 2 } else { 1 }];
        let mut start = |length: usize| {
            let values: Vec<f32> = random.normal(length).into_iter().map(|v| v as f32).collect();
            unit(&Tensor::from_f32(&values, [length, 1], kernel.device()))
        };
        let [u, v] = [start(outputs), start(kernel.numel() / outputs)];
        let mut norm = SpectralNorm { u: flat(&u), v: flat(&v), transposed };
        no_grad(|| (0..AT_START).for_each(|_| norm.iterate(&norm.matrix(kernel))));
        norm
    }

    /// `kernel` / σ.
    pub fn apply(&mut self, kernel: &Tensor, pass: &Pass) -> Tensor {
        let matrix = self.matrix(kernel);
        if let Mode::Training(_) = pass.mode {
            no_grad(|| self.iterate(&matrix));
        }
        kernel / self.sigma(&matrix)
    }

    /// `kernel` as Wᵀ, `[inputs, outputs]`.
    fn matrix(&self, kernel: &Tensor) -> Tensor {
        let kernel = if self.transposed { permute(kernel, &[0, 1, 3, 2]) } else { kernel.clone() };
        reshape(&kernel, [self.v.numel(), self.u.numel()])
    }

    fn iterate(&mut self, matrix: &Tensor) {
        let matrix = matrix.detach();
        let u = unit(&matmul(&matrix, &column(&self.v), Transpose::A));
        let v = unit(&matmul(&matrix, &u, Transpose::NONE));
        self.u.assign(flat(&u));
        self.v.assign(flat(&v));
    }

    fn sigma(&self, matrix: &Tensor) -> Tensor {
        // Copies: what is recorded would hold on to the vectors themselves, which the next pass changes where they lie.
        let [u, v] = [&self.u, &self.v].map(|vector| column(&(vector * 1.0)));
        sum(&(matmul(matrix, &u, Transpose::NONE) * v), &[0, 1])
    }

    /// `u` and `v`.
    pub fn variables(&self) -> [Variable<&Tensor>; 2] {
        [Variable::statistic("u", &self.u), Variable::statistic("v", &self.v)]
    }

    pub fn variables_mut(&mut self) -> [Variable<&mut Tensor>; 2] {
        [Variable::statistic("u", &mut self.u), Variable::statistic("v", &mut self.v)]
    }
}

fn column(x: &Tensor) -> Tensor {
    reshape(x, [x.numel(), 1])
}

fn flat(x: &Tensor) -> Tensor {
    reshape(x, [x.numel()])
}

/// `x` at length 1.
fn unit(x: &Tensor) -> Tensor {
    x / (sqrt(&sum(&square(x), &[0, 1])) + EPSILON)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;
    use crate::storage::Device;

    /// The singular values of [[3, 0], [4, 5]] are √45 and √5.
    #[test]
    fn the_largest_singular_value_is_found_whichever_axis_has_the_outputs() {
        let mut random = Random::new(0, Purpose::CHECK);
        for (shape, transposed, values) in [
            (vec![2, 2], false, [3.0, 4.0, 0.0, 5.0]),
            (vec![1, 1, 2, 2], false, [3.0, 4.0, 0.0, 5.0]),
            (vec![1, 2, 2, 1], true, [3.0, 4.0, 0.0, 5.0]),
        ] {
            let kernel = Tensor::new(&values, &shape[..], Device::Reference);
            let mut norm = SpectralNorm::new(&kernel, transposed, &mut random);
            let applied = norm.apply(&kernel, &Pass::training(&mut random)).to_f64();
            assert!((applied[0] - 3.0 / 45f64.sqrt()).abs() < 1e-9, "{shape:?}: {applied:?}");
            assert_eq!(norm.apply(&kernel, &Pass::evaluation()).to_f64(), applied);
        }
    }
}
