//! A weight as it is used: as it is, or divided by its largest singular value.

use super::layout::{Layout, values};
use tch::{Tensor, no_grad};

/// A weight, and what it is divided by.
pub struct Weight {
    value: Tensor,
    norm: Option<SpectralNorm>,
}

/// The vectors of power iteration, as `torch.nn.utils.parametrizations.spectral_norm` keeps them.
struct SpectralNorm {
    u: Tensor,
    v: Tensor,
    form: Form,
}

/// Where the outputs of a weight lie.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    /// `[outputs, inputs]`.
    Rows,
    /// `[inputs, outputs]`.
    Columns,
    /// `[outputs, inputs, h, w]` in this layout.
    Kernel(Layout),
}

impl Form {
    /// `weight` as a matrix `[outputs, inputs]`, without a copy.
    pub fn matrix(self, weight: &Tensor) -> Tensor {
        match self {
            Form::Rows => weight.shallow_clone(),
            Form::Columns => weight.transpose(0, 1),
            Form::Kernel(Layout::Contiguous) => weight.flatten(1, -1),
            Form::Kernel(Layout::ChannelsLast) => weight.permute([0, 2, 3, 1]).flatten(1, -1),
        }
    }

    /// Our vector over the inputs of a kernel of shape `[h, w, inputs, outputs]`, in the order of [`Form::matrix`].
    pub fn inputs(layout: Layout, v: &minimax::Tensor, kernel: &[usize]) -> Tensor {
        let shape = [kernel[0], kernel[1], kernel[2], 1].map(|n| n as i64);
        Form::Kernel(layout).matrix(&layout.turned(&values(v).view(shape))).flatten(0, -1)
    }
}

impl Weight {
    /// `value` as it is.
    pub fn plain(value: Tensor) -> Weight {
        Weight { value, norm: None }
    }

    /// `value` divided by its largest singular value, whose vectors are `u`, over the outputs, and `v`, over the inputs.
    pub fn normalised(value: Tensor, [u, v]: [Tensor; 2], form: Form) -> Weight {
        Weight { value, norm: Some(SpectralNorm { u, v, form }) }
    }

    /// What a pass uses; one of `training` makes an iteration first.
    pub fn used(&mut self, training: bool) -> Tensor {
        match &mut self.norm {
            Some(norm) => norm.apply(&self.value, training),
            None => self.value.shallow_clone(),
        }
    }
}

impl SpectralNorm {
    fn apply(&mut self, weight: &Tensor, training: bool) -> Tensor {
        let matrix = self.form.matrix(weight);
        if training {
            no_grad(|| {
                self.u = unit(&matrix.mv(&self.v));
                self.v = unit(&matrix.transpose(0, 1).mv(&self.u));
            });
        }
        weight / self.u.dot(&matrix.mv(&self.v))
    }
}

/// `x` at length 1, as `torch.nn.functional.normalize` has it.
fn unit(x: &Tensor) -> Tensor {
    x / x.norm().clamp_min(1e-12)
}
