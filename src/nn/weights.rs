//! What the dense layer and the convolutions learn.

use super::seed::drawn;
use super::spectral_norm::SpectralNorm;
use super::{Initializer, Pass, Variable};
use crate::ops::{reshape, sqrt, square, sum};
use crate::random::{Purpose, Random};
use crate::shape::Shape;
use crate::storage::Device;
use crate::tensor::Tensor;
use std::sync::OnceLock;

/// A kernel and, perhaps, a bias per output channel.
pub(super) struct Weights {
    kernel: Kernel,
    pub bias: Option<Tensor>,
    norm: Option<Norm>,
}

/// A kernel, which may wait to be drawn until it is first asked for: a layer's initialiser and groups may be chosen before.
struct Kernel {
    shape: Shape,
    /// The numbers that were set aside for it.
    random: Random,
    tensor: OnceLock<Tensor>,
}

impl Kernel {
    fn tensor(&self) -> &Tensor {
        let draw = || Initializer::default().sample(self.shape, &mut self.random.clone(), Device::Cpu).parameter();
        self.tensor.get_or_init(draw)
    }

    fn tensor_mut(&mut self) -> &mut Tensor {
        self.tensor();
        self.tensor.get_mut().expect("it has just been drawn")
    }
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

/// `kernel`, `[inputs, outputs]`, with each output's weights divided by their length √Σw²: weight normalisation (Salimans and
/// Kingma, "Weight normalization", 2016) whose gains stay 1.
///
/// ```
/// use minimax::{Device, Tensor, nn::unit_norm};
///
/// let kernel = Tensor::new(&[3.0, 4.0], [2, 1], Device::Reference);
/// assert!((unit_norm(&kernel).to_f64()[0] - 0.6).abs() < 1e-12);
/// ```
///
/// # Panics
/// If it doesn't have two axes.
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
        let random = Random::new(0, Purpose::INITIAL);
        let drawn = Kernel { shape: kernel.shape(), random, tensor: kernel.parameter().into() };
        Weights { bias: bias.map(zeros), kernel: drawn, norm: None }
    }

    /// A kernel of `shape` on the CPU, Glorot uniform, from what this thread's layers draw from, and a bias of `bias` zeros.
    pub fn undrawn(shape: Shape, bias: usize) -> Weights {
        let random = drawn(|random| {
            let start = random.clone();
            random.reserve(shape.numel());
            start
        });
        let bias = Tensor::zeros([bias], Device::Cpu).parameter();
        Weights { bias: Some(bias), kernel: Kernel { shape, random, tensor: OnceLock::new() }, norm: None }
    }

    /// These weights, the kernel of which, if that is `asked` for, is used divided by its largest singular value from now
    /// on; its outputs lie along the last axis, or of a `transposed` convolution the last but one.
    pub fn normalised_if(self, asked: bool, transposed: bool, random: &mut Random) -> Weights {
        let norm = || Norm::Spectral(SpectralNorm::new(self.kernel.tensor(), transposed, random));
        Weights { norm: asked.then(norm), ..self }
    }

    /// These weights, of a dense layer, used at length 1 for each output from now on: see [`unit_norm`].
    pub fn unit_normalised(self) -> Weights {
        Weights { norm: Some(Norm::Unit), ..self }
    }

    /// These weights with a kernel of `shape` drawn by `initializer`, from what this thread's layers draw from.
    #[track_caller]
    pub fn drawn_by(self, initializer: Initializer, shape: Shape) -> Weights {
        self.check_shape(shape);
        let device = self.kernel.tensor.get().map_or(Device::Cpu, Tensor::device);
        let tensor = drawn(|random| initializer.sample(shape, random, device)).parameter();
        Weights { kernel: Kernel { shape, tensor: tensor.into(), ..self.kernel }, ..self }
    }

    /// These weights with a kernel of `shape`, from the numbers that were set aside for the one before.
    #[track_caller]
    pub fn of_shape(self, shape: Shape) -> Weights {
        self.check_shape(shape);
        Weights { kernel: Kernel { shape, tensor: OnceLock::new(), ..self.kernel }, ..self }
    }

    /// Spectral normalisation keeps two vectors that go along the kernel.
    #[track_caller]
    fn check_shape(&self, shape: Shape) {
        let fixed = matches!(self.norm, Some(Norm::Spectral(_)));
        let wanted = self.kernel.shape;
        assert!(
            !fixed || shape == wanted,
            "groups: a kernel {wanted} is spectrally normalised; set the groups before that"
        );
    }

    /// Whether [`Weights::unit_normalised`] has been asked for.
    pub fn is_unit_normalised(&self) -> bool {
        matches!(self.norm, Some(Norm::Unit))
    }

    /// The shape of the kernel.
    pub fn kernel_shape(&self) -> Shape {
        self.kernel.shape
    }

    /// These weights without a bias.
    pub fn without_bias(self) -> Weights {
        Weights { bias: None, ..self }
    }

    /// The kernel as it is used.
    pub fn kernel(&mut self, pass: &Pass) -> Tensor {
        match &mut self.norm {
            Some(Norm::Spectral(norm)) => norm.apply(self.kernel.tensor(), pass),
            Some(Norm::Unit) => unit_norm(self.kernel.tensor()),
            None => self.kernel.tensor().clone(),
        }
    }

    pub fn variables(&self) -> Vec<Variable<&Tensor>> {
        let kernel = [Variable::parameter("kernel", self.kernel.tensor())];
        let bias = self.bias.iter().map(|b| Variable::parameter("bias", b));
        let kept = match &self.norm {
            Some(Norm::Spectral(norm)) => Some(norm.variables()),
            _ => None,
        };
        kernel.into_iter().chain(bias).chain(kept.into_iter().flatten()).collect()
    }

    pub fn variables_mut(&mut self) -> Vec<Variable<&mut Tensor>> {
        let kernel = [Variable::parameter("kernel", self.kernel.tensor_mut())];
        let bias = self.bias.iter_mut().map(|b| Variable::parameter("bias", b));
        let kept = match &mut self.norm {
            Some(Norm::Spectral(norm)) => Some(norm.variables_mut()),
            _ => None,
        };
        kernel.into_iter().chain(bias).chain(kept.into_iter().flatten()).collect()
    }
}
