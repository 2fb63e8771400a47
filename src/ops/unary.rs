//! Functions of one number, applied to each value: one row of a table per function.
//!
//! Here y = f(x) has the shape of x. The derivative rule is x̄ = ȳ · f′(x), in terms of x or of y, whichever is cheaper.
//!
//! For infinities, NaN, zeros of either sign and subnormal numbers, f and f′ give what IEEE 754 and PyTorch give;
//! subnormal numbers are not flushed to zero. 0 times an infinite ȳ is NaN, as in PyTorch.

use super::binary::{sigmoid_grad, tanh_grad};
use super::{maximum, minimum};
use crate::autograd::{Call, Keeps, Op, record};
use crate::cpu::pool::Buffer;
use crate::cpu::{math, simd};
use crate::cuda::launch;
use crate::profile::{Cost, span};
use crate::storage::Storage;
use crate::tensor::Tensor;
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

/// A row: the function on each device, and its derivative rule.
struct Unary {
    name: &'static str,
    /// f in f64.
    reference: fn(f64) -> f64,
    /// f in f32, over a whole array.
    cpu: fn(&[f32], &mut [f32]),
    /// Its kernel in kernels/unary.cu.
    cuda: &'static str,
    keeps: Keeps,
    /// x̄ from ȳ.
    vjp: fn(&Call, &Tensor) -> Tensor,
}

/// -x; f′ = -1.
pub fn neg(x: &Tensor) -> Tensor {
    const NEG: Unary = Unary {
        name: "neg",
        reference: |x| -x,
        cpu: |x, y| simd::map(x, y, |x| -x),
        cuda: "unary_neg",
        keeps: Keeps::Nothing,
        vjp: |_, g| neg(g),
    };
    apply(&NEG, x)
}

/// eˣ; f′ = y.
pub fn exp(x: &Tensor) -> Tensor {
    const EXP: Unary = Unary {
        name: "exp",
        reference: libm::exp,
        cpu: |x, y| simd::map(x, y, math::exp),
        cuda: "unary_exp",
        keeps: Keeps::Output,
        vjp: |call, g| g * call.output(),
    };
    apply(&EXP, x)
}

/// The natural logarithm; f′ = 1 / x.
pub fn log(x: &Tensor) -> Tensor {
    const LOG: Unary = Unary {
        name: "log",
        reference: libm::log,
        cpu: |x, y| simd::map(x, y, math::ln),
        cuda: "unary_log",
        keeps: Keeps::Inputs,
        vjp: |call, g| g / call.input(0),
    };
    apply(&LOG, x)
}

/// √x; f′ = 1 / (2y).
pub fn sqrt(x: &Tensor) -> Tensor {
    const SQRT: Unary = Unary {
        name: "sqrt",
        reference: f64::sqrt,
        cpu: |x, y| simd::map(x, y, f32::sqrt),
        cuda: "unary_sqrt",
        keeps: Keeps::Output,
        vjp: |call, g| 0.5 * g / call.output(),
    };
    apply(&SQRT, x)
}

/// x²; f′ = 2x.
pub fn square(x: &Tensor) -> Tensor {
    const SQUARE: Unary = Unary {
        name: "square",
        reference: |x| x * x,
        cpu: |x, y| simd::map(x, y, |x| x * x),
        cuda: "unary_square",
        keeps: Keeps::Inputs,
        vjp: |call, g| 2.0 * g * call.input(0),
    };
    apply(&SQUARE, x)
}

/// |x|; f′ = sign(x), 0 at 0.
pub fn abs(x: &Tensor) -> Tensor {
    const ABS: Unary = Unary {
        name: "abs",
        reference: f64::abs,
        cpu: |x, y| simd::map(x, y, f32::abs),
        cuda: "unary_abs",
        keeps: Keeps::Inputs,
        vjp: |call, g| g * sign(&call.input(0)),
    };
    apply(&ABS, x)
}

/// The sign of x: -1, 0 or 1, and 0 for NaN; f′ = 0 wherever it exists.
pub fn sign(x: &Tensor) -> Tensor {
    const SIGN: Unary = Unary {
        name: "sign",
        reference: |x| f64::from(x > 0.0) - f64::from(x < 0.0),
        cpu: |x, y| simd::map(x, y, |x| f32::from(x > 0.0) - f32::from(x < 0.0)),
        cuda: "unary_sign",
        keeps: Keeps::Nothing,
        vjp: |_, g| Tensor::zeros(g.shape(), g.device()),
    };
    apply(&SIGN, x)
}

/// The hyperbolic tangent; f′ = 1 - y².
pub fn tanh(x: &Tensor) -> Tensor {
    const TANH: Unary = Unary {
        name: "tanh",
        reference: libm::tanh,
        cpu: |x, y| simd::map(x, y, math::tanh),
        cuda: "unary_tanh",
        keeps: Keeps::Output,
        vjp: |call, g| tanh_grad(g, &call.output()),
    };
    apply(&TANH, x)
}

/// The logistic function 1 / (1 + e⁻ˣ); f′ = y (1 - y).
pub fn sigmoid(x: &Tensor) -> Tensor {
    const SIGMOID: Unary = Unary {
        name: "sigmoid",
        reference: |x| 1.0 / (1.0 + libm::exp(-x)),
        cpu: |x, y| simd::map(x, y, math::sigmoid),
        cuda: "unary_sigmoid",
        keeps: Keeps::Output,
        vjp: |call, g| sigmoid_grad(g, &call.output()),
    };
    apply(&SIGMOID, x)
}

/// ln(1 + eˣ), computed as max(x, 0) + ln(1 + e^-|x|), which never overflows; f′ = sigmoid(x).
pub fn softplus(x: &Tensor) -> Tensor {
    const SOFTPLUS: Unary = Unary {
        name: "softplus",
        reference: |x| x.max(0.0) + libm::log1p(libm::exp(-x.abs())),
        cpu: |x, y| simd::map(x, y, math::softplus),
        cuda: "unary_softplus",
        keeps: Keeps::Inputs,
        vjp: |call, g| g * sigmoid(&call.input(0)),
    };
    apply(&SOFTPLUS, x)
}

/// The error function, 2/√π ∫₀ˣ e^(-t²) dt; f′ = 2/√π e^(-x²).
pub fn erf(x: &Tensor) -> Tensor {
    const ERF: Unary = Unary {
        name: "erf",
        reference: libm::erf,
        cpu: |x, y| simd::map(x, y, math::erf),
        cuda: "unary_erf",
        keeps: Keeps::Inputs,
        vjp: |call, g| g * exp(&neg(&square(&call.input(0)))) * FRAC_2_SQRT_PI,
    };
    apply(&ERF, x)
}

/// x Φ(x) with Φ(x) = (1 + erf(x / √2)) / 2, the share of N(0, 1) below x (Hendrycks and Gimpel, "Gaussian error linear
/// units", 2016); f′ = Φ(x) + x φ(x) with φ(x) = e^(-x²/2) / √(2π). Far below 0 the terms of
/// 1 + erf cancel, as in PyTorch: in f32, the error of y is about 10⁻⁷ |x|.
pub fn gelu(x: &Tensor) -> Tensor {
    const GELU: Unary = Unary {
        name: "gelu",
        reference: |x| 0.5 * x * (1.0 + libm::erf(x * FRAC_1_SQRT_2)),
        cpu: |x, y| simd::map(x, y, |x| 0.5 * x * (1.0 + math::erf(x * std::f32::consts::FRAC_1_SQRT_2))),
        cuda: "unary_gelu",
        keeps: Keeps::Inputs,
        vjp: |call, g| {
            let x = call.input(0);
            let share = 0.5 * (1.0 + erf(&(&x * FRAC_1_SQRT_2)));
            let density = exp(&(-0.5 * square(&x))) * (0.5 * FRAC_1_SQRT_2 * FRAC_2_SQRT_PI);
            g * (share + x * density)
        },
    };
    apply(&GELU, x)
}

/// x sigmoid(x) (also "swish"; Elfwing, Uchibe and Doya 2017); f′ = s (1 + x (1 - s)) with s = sigmoid(x).
pub fn silu(x: &Tensor) -> Tensor {
    const SILU: Unary = Unary {
        name: "silu",
        reference: |x| x / (1.0 + libm::exp(-x)),
        cpu: |x, y| simd::map(x, y, |x| x * math::sigmoid(x)),
        cuda: "unary_silu",
        keeps: Keeps::Inputs,
        vjp: |call, g| {
            let x = call.input(0);
            let s = sigmoid(&x);
            let slope = &s * (1.0 + x * (1.0 - &s));
            g * slope
        },
    };
    apply(&SILU, x)
}

/// x where it is positive, α (eˣ - 1) elsewhere (Clevert, Unterthiner and Hochreiter 2016); f′ = 1 or y + α.
///
/// For α = 1 it is a row of the table, with f′ = 1 + min(y, 0). For any other α it is computed from that row, as
/// max(x, 0) + α · elu(min(x, 0), 1).
///
/// ```
/// use minimax::{Device, Tensor, ops};
///
/// let x = Tensor::new(&[-1000.0, 0.0, 2.0], [3], Device::Cpu);
/// assert_eq!(ops::elu(&x, 0.5).to_f64(), [-0.5, 0.0, 2.0]);
/// ```
pub fn elu(x: &Tensor, alpha: f64) -> Tensor {
    const ELU: Unary = Unary {
        name: "elu",
        reference: |x| if x < 0.0 { libm::expm1(x) } else { x },
        cpu: |x, y| simd::map(x, y, math::elu),
        cuda: "unary_elu",
        keeps: Keeps::Output,
        vjp: |call, g| {
            let y = call.output();
            let zero = Tensor::constant(0.0, y.device());
            g * (1.0 + minimum(&y, &zero))
        },
    };
    if alpha == 1.0 {
        return apply(&ELU, x);
    }
    let zero = Tensor::constant(0.0, x.device());
    maximum(x, &zero) + alpha * apply(&ELU, &minimum(x, &zero))
}

fn apply(unary: &'static Unary, x: &Tensor) -> Tensor {
    let _span = span(unary.name, || Cost::pass(2 * x.numel()));
    let storage = match x.storage() {
        Storage::Reference(x) => Storage::Reference(x.iter().map(|&x| (unary.reference)(x)).collect()),
        Storage::Cpu(x) => {
            let mut y = Buffer::unspecified(x.len());
            (unary.cpu)(x, &mut y);
            Storage::Cpu(y)
        }
        Storage::Cuda(x) => {
            let mut y = x.like();
            let kernel = launch::Call::new(x.context(), "unary", unary.cuda);
            kernel.read(x).write(&mut y).value(x.len() as i32).over(x.len());
            Storage::Cuda(y)
        }
    };
    record(unary, &[x], x.shape(), storage)
}

impl Op for &'static Unary {
    fn name(&self) -> &'static str {
        self.name
    }

    fn keeps(&self) -> Keeps {
        self.keeps
    }

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        vec![Some((self.vjp)(call, grad))]
    }
}
