//! Functions of two numbers, applied value by value with broadcasting: one row of a table per function.
//! The first four are operators as well ([`super::operators`]).
//!
//! Here y = f(a, b). Each rule gives a gradient in the shape of y; where an input was stretched, the gradient is then
//! summed back to the input's own shape ([`super::sum_to`]).

use super::{broadcast, different_devices, log, neg, select, square, sum_to};
use crate::autograd::{Call, Keeps, Op, record};
use crate::cpu::pool::Buffer;
use crate::cpu::{math, simd};
use crate::cuda;
use crate::profile::{Cost, span};
use crate::shape::Shape;
use crate::storage::Storage;
use crate::tensor::Tensor;
use std::borrow::Cow;

/// A row: the function on each device, and its two derivative rules.
struct Binary {
    name: &'static str,
    /// f in f64.
    reference: fn(f64, f64) -> f64,
    /// f in f32, over whole arrays, one of which may repeat.
    cpu: fn(&[f32], &[f32], &mut [f32]),
    /// Its kernel in kernels/binary.cu.
    cuda: &'static str,
    keeps: Keeps,
    /// ā and b̄ from ȳ.
    vjp: [Vjp; 2],
}

/// The gradient of one input from ȳ, or `None` where it is zero everywhere.
type Vjp = fn(&Call, &Tensor) -> Option<Tensor>;

/// a + b, value by value; ā = b̄ = ȳ.
///
/// # Panics
/// If the shapes don't broadcast.
#[track_caller]
pub fn add(a: &Tensor, b: &Tensor) -> Tensor {
    apply(&ADD, a, b)
}

const ADD: Binary = Binary {
    name: "add",
    reference: |a, b| a + b,
    cpu: |a, b, y| simd::zip(a, b, y, |a, b| a + b),
    cuda: "binary_add",
    keeps: Keeps::Nothing,
    vjp: [|_, g| Some(g.clone()), |_, g| Some(g.clone())],
};

/// a - b, value by value; ā = ȳ, b̄ = -ȳ.
///
/// # Panics
/// If the shapes don't broadcast.
#[track_caller]
pub fn sub(a: &Tensor, b: &Tensor) -> Tensor {
    const SUB: Binary = Binary {
        name: "sub",
        reference: |a, b| a - b,
        cpu: |a, b, y| simd::zip(a, b, y, |a, b| a - b),
        cuda: "binary_sub",
        keeps: Keeps::Nothing,
        vjp: [|_, g| Some(g.clone()), |_, g| Some(neg(g))],
    };
    apply(&SUB, a, b)
}

// ANCHOR: mul
/// a · b, value by value; ā = ȳ · b, b̄ = ȳ · a.
///
/// # Panics
/// If the shapes don't broadcast.
#[track_caller]
pub fn mul(a: &Tensor, b: &Tensor) -> Tensor {
    const MUL: Binary = Binary {
        name: "mul",
        reference: |a, b| a * b,
        cpu: |a, b, y| simd::zip(a, b, y, |a, b| a * b),
        cuda: "binary_mul",
        keeps: Keeps::Inputs,
        vjp: [|call, g| Some(g * call.input(1)), |call, g| Some(g * call.input(0))],
    };
    apply(&MUL, a, b)
}
// ANCHOR_END: mul

/// a / b, value by value; ā = ȳ / b, b̄ = -ȳ · y / b.
///
/// # Panics
/// If the shapes don't broadcast.
#[track_caller]
pub fn div(a: &Tensor, b: &Tensor) -> Tensor {
    const DIV: Binary = Binary {
        name: "div",
        reference: |a, b| a / b,
        cpu: |a, b, y| simd::zip(a, b, y, |a, b| a / b),
        cuda: "binary_div",
        keeps: Keeps::Both,
        vjp: [|call, g| Some(g / call.input(1)), |call, g| Some(-(g * call.output() / call.input(1)))],
    };
    apply(&DIV, a, b)
}

/// aᵇ, value by value; NaN where a is negative and b is not a whole number. ā = ȳ · b aᵇ⁻¹, which is 0 wherever b is;
/// b̄ = ȳ · y ln a, which is 0 where a is 0 and b isn't negative.
///
/// ```
/// use minimax::{Device, Tensor, ops};
///
/// let [a, b] = [[2.0, 9.0, 0.0], [3.0, 0.5, 0.0]].map(|values| Tensor::new(&values, [3], Device::Cpu));
/// assert_eq!(ops::pow(&a, &b).to_f64(), [8.0, 3.0, 1.0]);
/// ```
///
/// # Panics
/// If the shapes don't broadcast.
#[track_caller]
pub fn pow(a: &Tensor, b: &Tensor) -> Tensor {
    const POW: Binary = Binary {
        name: "pow",
        reference: libm::pow,
        cpu: |a, b, y| simd::zip(a, b, y, libm::powf),
        cuda: "binary_pow",
        keeps: Keeps::Both,
        vjp: [
            |call, g| {
                let (a, b) = (call.input(0), call.input(1));
                let (zero, one) = (scalar(0.0, &a), scalar(1.0, &a));
                // Where b is 0 and 1 / a no number, by 0 · a⁰ in place of 0 · a⁻¹. Elsewhere a⁻¹ stays, for second derivatives.
                let is_number = equal(&(div(&one, &a) * 0.0), &zero);
                let flat = equal(&b, &zero) * (1.0 - is_number);
                Some(g * &b * pow(&a, &(select(&flat, &one, &b) - 1.0)))
            },
            |call, g| {
                let (a, b) = (call.input(0), call.input(1));
                let (zero, one) = (scalar(0.0, &a), scalar(1.0, &a));
                // The logarithm of 1 where that of 0 is not wanted, so that no infinity gets into a product.
                let flat = equal(&a, &zero) * greater_equal(&b, &zero);
                Some(g * call.output() * log(&select(&flat, &one, &a)))
            },
        ],
    };
    apply(&POW, a, b)
}

/// The larger value, or NaN if either is NaN. The gradient goes to the input that was taken: to `a` where both are
/// equal, and to neither where one is NaN. (PyTorch halves it where they are equal, and gives it to both at NaN.)
///
/// # Panics
/// If the shapes don't broadcast.
#[track_caller]
pub fn maximum(a: &Tensor, b: &Tensor) -> Tensor {
    const MAXIMUM: Binary = Binary {
        name: "maximum",
        reference: |a, b| if a >= b || a.is_nan() { a } else { b },
        cpu: |a, b, y| simd::zip(a, b, y, |a, b| if a >= b || a.is_nan() { a } else { b }),
        cuda: "binary_maximum",
        keeps: Keeps::Inputs,
        vjp: [
            |call, g| Some(masked(g, &greater_equal(&call.input(0), &call.input(1)))),
            |call, g| Some(masked(g, &greater(&call.input(1), &call.input(0)))),
        ],
    };
    apply(&MAXIMUM, a, b)
}

/// The smaller value, or NaN if either is NaN. The gradient goes to the input that was taken: to `a` where both are
/// equal, and to neither where one is NaN. (PyTorch halves it where they are equal, and gives it to both at NaN.)
///
/// # Panics
/// If the shapes don't broadcast.
#[track_caller]
pub fn minimum(a: &Tensor, b: &Tensor) -> Tensor {
    const MINIMUM: Binary = Binary {
        name: "minimum",
        reference: |a, b| if b >= a || a.is_nan() { a } else { b },
        cpu: |a, b, y| simd::zip(a, b, y, |a, b| if b >= a || a.is_nan() { a } else { b }),
        cuda: "binary_minimum",
        keeps: Keeps::Inputs,
        vjp: [
            |call, g| Some(masked(g, &greater_equal(&call.input(1), &call.input(0)))),
            |call, g| Some(masked(g, &greater(&call.input(0), &call.input(1)))),
        ],
    };
    apply(&MINIMUM, a, b)
}

/// 1 where a ≥ b, else 0, value by value; no gradient goes through it.
///
/// # Panics
/// If the shapes don't broadcast.
#[track_caller]
pub fn greater_equal(a: &Tensor, b: &Tensor) -> Tensor {
    const GREATER_EQUAL: Binary = Binary {
        name: "greater_equal",
        reference: |a, b| f64::from(a >= b),
        cpu: |a, b, y| simd::zip(a, b, y, |a, b| f32::from(a >= b)),
        cuda: "binary_greater_equal",
        keeps: Keeps::Nothing,
        vjp: [|_, _| None, |_, _| None],
    };
    apply(&GREATER_EQUAL, a, b)
}

/// 1 where a > b, else 0, value by value; no gradient goes through it.
///
/// # Panics
/// If the shapes don't broadcast.
#[track_caller]
pub fn greater(a: &Tensor, b: &Tensor) -> Tensor {
    const GREATER: Binary = Binary {
        name: "greater",
        reference: |a, b| f64::from(a > b),
        cpu: |a, b, y| simd::zip(a, b, y, |a, b| f32::from(a > b)),
        cuda: "binary_greater",
        keeps: Keeps::Nothing,
        vjp: [|_, _| None, |_, _| None],
    };
    apply(&GREATER, a, b)
}

/// 1 where a = b, else 0, value by value; no gradient goes through it.
///
/// # Panics
/// If the shapes don't broadcast.
#[track_caller]
pub fn equal(a: &Tensor, b: &Tensor) -> Tensor {
    const EQUAL: Binary = Binary {
        name: "equal",
        reference: |a, b| f64::from(a == b),
        cpu: |a, b, y| simd::zip(a, b, y, |a, b| f32::from(a == b)),
        cuda: "binary_equal",
        keeps: Keeps::Nothing,
        vjp: [|_, _| None, |_, _| None],
    };
    apply(&EQUAL, a, b)
}

/// `grad` where `mask` is 1, and 0 where it is 0, even if `grad` is infinite there: a product would give NaN.
pub(super) fn masked(grad: &Tensor, mask: &Tensor) -> Tensor {
    const MASKED: Binary = Binary {
        name: "masked",
        reference: |g, mask| if mask == 0.0 { 0.0 } else { g },
        cpu: |g, mask, y| simd::zip(g, mask, y, |g, mask| if mask == 0.0 { 0.0 } else { g }),
        cuda: "binary_masked",
        keeps: Keeps::Inputs,
        vjp: [|call, g| Some(masked(g, &call.input(1))), |_, _| None],
    };
    apply(&MASKED, grad, mask)
}

// ANCHOR: tanh_grad
/// The gradient of tanh's input, from its output y and the gradient g of that: g (1 - y²). If r is the gradient of
/// this result, ḡ = r (1 - y²) and ȳ = -2 r g y.
#[track_caller]
pub(crate) fn tanh_grad(grad: &Tensor, y: &Tensor) -> Tensor {
    const TANH_GRAD: Binary = Binary {
        name: "tanh_grad",
        reference: |g, y| g - g * (y * y),
        cpu: |g, y, x| simd::zip(g, y, x, |g, y| g - g * (y * y)),
        cuda: "binary_tanh_grad",
        keeps: Keeps::Inputs,
        vjp: [|call, g| Some(tanh_grad(g, &call.input(1))), |call, g| Some(-2.0 * g * call.input(0) * call.input(1))],
    };
    apply(&TANH_GRAD, grad, y)
}
// ANCHOR_END: tanh_grad

/// The gradient of the logistic function's input, from its output y and the gradient g of that: g y (1 - y). If r is
/// the gradient of this result, ḡ = r y (1 - y) and ȳ = r g (1 - 2y).
#[track_caller]
pub(crate) fn sigmoid_grad(grad: &Tensor, y: &Tensor) -> Tensor {
    const SIGMOID_GRAD: Binary = Binary {
        name: "sigmoid_grad",
        reference: |g, y| g * (y * (1.0 - y)),
        cpu: |g, y, x| simd::zip(g, y, x, |g, y| g * (y * (1.0 - y))),
        cuda: "binary_sigmoid_grad",
        keeps: Keeps::Inputs,
        vjp: [
            |call, g| Some(sigmoid_grad(g, &call.input(1))),
            |call, g| Some(g * call.input(0) * (1.0 - 2.0 * call.input(1))),
        ],
    };
    apply(&SIGMOID_GRAD, grad, y)
}

/// How far a probability is kept from 0 and from 1 in a cross-entropy.
pub(super) const EPSILON: f64 = 1e-7;
const EPSILON_F32: f32 = EPSILON as f32;

/// Binary cross-entropy of each probability p against its target t: -t ln p - (1 - t) ln(1 - p), with p and 1 - p each
/// clamped to [ε, 1 - ε], ε = 10⁻⁷. (1 - p is clamped by itself: in f32, 1 less the bound of p would be 1.19 ε.)
///
/// p̄ = ȳ · [`binary_cross_entropy_slope`], t̄ = ȳ · (ln(1 - p) - ln p).
///
/// # Panics
/// If the shapes don't broadcast.
#[track_caller]
pub(crate) fn binary_cross_entropies(probabilities: &Tensor, targets: &Tensor) -> Tensor {
    const BINARY_CROSS_ENTROPY: Binary = Binary {
        name: "binary_cross_entropy",
        reference: |p, t| {
            let held_log = |p: f64| libm::log(p.clamp(EPSILON, 1.0 - EPSILON));
            -(t * held_log(p) + (1.0 - t) * held_log(1.0 - p))
        },
        cpu: |p, t, y| {
            let held_log = |p: f32| math::ln(p.clamp(EPSILON_F32, 1.0 - EPSILON_F32));
            simd::zip(p, t, y, |p, t| -(t * held_log(p) + (1.0 - t) * held_log(1.0 - p)));
        },
        cuda: "binary_binary_cross_entropy",
        keeps: Keeps::Inputs,
        vjp: [
            |call, g| Some(g * binary_cross_entropy_slope(&call.input(0), &call.input(1))),
            |call, g| {
                let held_log = |p: &Tensor| log(&clamp(p, EPSILON, 1.0 - EPSILON));
                let p = call.input(0);
                Some(g * (held_log(&(1.0 - &p)) - held_log(&p)))
            },
        ],
    };
    apply(&BINARY_CROSS_ENTROPY, probabilities, targets)
}

/// The derivative s(p, t) = (1 - t) / (1 - p) - t / p of [`binary_cross_entropies`] with respect to p. Each of its two
/// terms is 0 where its divisor is clamped or NaN.
///
/// s is linear in t, from s(p, 0) to s(p, 1), and the derivative of each of these two with respect to p is its square.
/// So p̄ = ȳ · ((1 - t) s(p, 0)² + t s(p, 1)²), t̄ = ȳ · (s(p, 1) - s(p, 0)).
#[track_caller]
pub(crate) fn binary_cross_entropy_slope(probabilities: &Tensor, targets: &Tensor) -> Tensor {
    const BINARY_CROSS_ENTROPY_SLOPE: Binary = Binary {
        name: "binary_cross_entropy_slope",
        reference: |p, t| {
            let share = |t: f64, p: f64| if (EPSILON..=1.0 - EPSILON).contains(&p) { t / p } else { 0.0 };
            share(1.0 - t, 1.0 - p) - share(t, p)
        },
        cpu: |p, t, y| {
            let share = |t: f32, p: f32| if (EPSILON_F32..=1.0 - EPSILON_F32).contains(&p) { t / p } else { 0.0 };
            simd::zip(p, t, y, |p, t| share(1.0 - t, 1.0 - p) - share(t, p));
        },
        cuda: "binary_binary_cross_entropy_slope",
        keeps: Keeps::Inputs,
        vjp: [
            |call, g| {
                let (p, t) = (call.input(0), call.input(1));
                let [miss, hit] = [0.0, 1.0].map(|t| square(&binary_cross_entropy_slope(&p, &scalar(t, &p))));
                Some(g * ((1.0 - &t) * miss + t * hit))
            },
            |call, g| {
                let p = call.input(0);
                let [miss, hit] = [0.0, 1.0].map(|t| binary_cross_entropy_slope(&p, &scalar(t, &p)));
                Some(g * (hit - miss))
            },
        ],
    };
    apply(&BINARY_CROSS_ENTROPY_SLOPE, probabilities, targets)
}

/// x clamped to [`low`, `high`]: y = min(max(x, low), high), in the shape of x. x̄ = ȳ from `low` to `high`, both
/// included (PyTorch 2.15 leaves them out), and 0 beyond. NaN stays NaN, with gradient 0.
///
/// ```
/// use minimax::{Device, Tensor, ops};
///
/// let x = Tensor::new(&[-3.0, 0.5, 3.0], [3], Device::Cpu);
/// assert_eq!(ops::clamp(&x, -1.0, 1.0).to_f64(), [-1.0, 0.5, 1.0]);
/// ```
pub fn clamp(x: &Tensor, low: f64, high: f64) -> Tensor {
    minimum(&maximum(x, &scalar(low, x)), &scalar(high, x))
}

#[track_caller]
fn apply(binary: &'static Binary, a: &Tensor, b: &Tensor) -> Tensor {
    let Some(shape) = a.shape().broadcast(b.shape()) else {
        let (name, a, b) = (binary.name, a.shape(), b.shape());
        panic!("{name}: shapes {a} and {b} don't broadcast");
    };
    let _span = span(binary.name, || Cost::pass(a.numel() + b.numel() + shape.numel()));
    let storage = match (a.storage(), b.storage()) {
        (Storage::Reference(x), Storage::Reference(y)) => {
            let x = broadcast::reference::broadcast(x, a.shape(), shape);
            let y = broadcast::reference::broadcast(y, b.shape(), shape);
            let pairs = x.into_iter().zip(y);
            Storage::Reference(pairs.map(|(a, b)| (binary.reference)(a, b)).collect())
        }
        (Storage::Cpu(x), Storage::Cpu(y)) => {
            let (x, y) = (operand(x, a.shape(), shape), operand(y, b.shape(), shape));
            let mut out = Buffer::unspecified(shape.numel());
            (binary.cpu)(&x, &y, &mut out);
            Storage::Cpu(out)
        }
        (Storage::Cuda(x), Storage::Cuda(y)) => {
            let stretched = |values, own| broadcast::cuda::operand(values, own, shape);
            let (x, y) = (stretched(x, a.shape()), stretched(y, b.shape()));
            let mut out = cuda::Buffer::unspecified(shape.numel(), x.context());
            launch(binary, &x, &y, &mut out);
            Storage::Cuda(out)
        }
        _ => different_devices(binary.name, &[a, b]),
    };
    record(binary, &[a, b], shape, storage)
}

/// y = f(a, b) on a CUDA device, where a shorter operand repeats along leading axes.
fn launch(binary: &Binary, a: &cuda::Buffer, b: &cuda::Buffer, y: &mut cuda::Buffer) {
    let n = y.len();
    cuda::launch::Call::new(a.context(), "binary", binary.cuda)
        .read(a)
        .value(a.len() as i32)
        .read(b)
        .value(b.len() as i32)
        .write(y)
        .value(n as i32)
        .over(n);
}

/// The values in a form that `simd::zip` takes: unchanged if they have the whole shape or repeat along its leading
/// axes, stretched otherwise.
fn operand<'a>(values: &'a Buffer, own: Shape, whole: Shape) -> Cow<'a, Buffer> {
    match own.is_suffix_of(whole) {
        true => Cow::Borrowed(values),
        false => Cow::Owned(broadcast::cpu::broadcast(values, own, whole)),
    }
}

impl Op for &'static Binary {
    fn name(&self) -> &'static str {
        self.name
    }

    fn keeps(&self) -> Keeps {
        self.keeps
    }

    // ANCHOR: vjp
    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        let input_grad = |i: usize| {
            let wanted = call.wants(i).then(|| (self.vjp[i])(call, grad)).flatten();
            wanted.map(|g| sum_to(&g, call.input_shape(i)))
        };
        vec![input_grad(0), input_grad(1)]
    }
    // ANCHOR_END: vjp
}

/// `value` on the device of `like`.
pub(super) fn scalar(value: f64, like: &Tensor) -> Tensor {
    Tensor::constant(value, like.device())
}
