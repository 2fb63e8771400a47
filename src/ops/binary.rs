//! Functions of two numbers, applied value by value with broadcasting: one row of a table per function.
//!
//! Here y = f(a, b). Each rule gives the gradient before broadcasting is undone; what was stretched is then summed
//! back to its own shape ([`super::sum_to`]).

use super::{broadcast, different_devices, neg, sum_to};
use crate::autograd::{Call, Keeps, Op, record};
use crate::cpu::pool::Buffer;
use crate::cpu::simd;
use crate::shape::Shape;
use crate::storage::Storage;
use crate::tensor::Tensor;
use std::borrow::Cow;
use wide::f32x8;

/// A row: the function on each device, and its two derivative rules.
struct Binary {
    name: &'static str,
    /// f in f64.
    reference: fn(f64, f64) -> f64,
    /// f in f32 lanes, over whole arrays of which one may repeat.
    cpu: fn(&[f32], &[f32], &mut [f32]),
    keeps: Keeps,
    /// ā and b̄ from ȳ.
    vjp: [Rule; 2],
}

/// The gradient of one input, or `None` where it is zero everywhere.
type Rule = fn(&Call, &Tensor) -> Option<Tensor>;

/// a + b.
pub fn add(a: &Tensor, b: &Tensor) -> Tensor {
    const ADD: Binary = Binary {
        name: "add",
        reference: |a, b| a + b,
        cpu: |a, b, y| simd::zip(a, b, y, |a, b| a + b),
        keeps: Keeps::Nothing,
        vjp: [|_, g| Some(g.clone()), |_, g| Some(g.clone())],
    };
    apply(&ADD, a, b)
}

/// a - b.
pub fn sub(a: &Tensor, b: &Tensor) -> Tensor {
    const SUB: Binary = Binary {
        name: "sub",
        reference: |a, b| a - b,
        cpu: |a, b, y| simd::zip(a, b, y, |a, b| a - b),
        keeps: Keeps::Nothing,
        vjp: [|_, g| Some(g.clone()), |_, g| Some(neg(g))],
    };
    apply(&SUB, a, b)
}

/// a · b, value by value.
pub fn mul(a: &Tensor, b: &Tensor) -> Tensor {
    const MUL: Binary = Binary {
        name: "mul",
        reference: |a, b| a * b,
        cpu: |a, b, y| simd::zip(a, b, y, |a, b| a * b),
        keeps: Keeps::Inputs,
        vjp: [
            |call, g| Some(g * &call.input(1)),
            |call, g| Some(g * &call.input(0)),
        ],
    };
    apply(&MUL, a, b)
}

/// a / b; b̄ = -ȳ · y / b.
pub fn div(a: &Tensor, b: &Tensor) -> Tensor {
    const DIV: Binary = Binary {
        name: "div",
        reference: |a, b| a / b,
        cpu: |a, b, y| simd::zip(a, b, y, |a, b| a / b),
        keeps: Keeps::Both,
        vjp: [
            |call, g| Some(g / &call.input(1)),
            |call, g| Some(-&(&(g * &call.output()) / &call.input(1))),
        ],
    };
    apply(&DIV, a, b)
}

/// The larger, or NaN if either is; where they are equal the gradient goes to `a`.
pub fn maximum(a: &Tensor, b: &Tensor) -> Tensor {
    const MAXIMUM: Binary = Binary {
        name: "maximum",
        reference: |a, b| if a >= b || a.is_nan() { a } else { b },
        cpu: |a, b, y| simd::zip(a, b, y, |a, b| (a.simd_ge(b) | a.is_nan()).bitselect(a, b)),
        keeps: Keeps::Inputs,
        vjp: [
            |call, g| Some(g * &greater_equal(&call.input(0), &call.input(1))),
            |call, g| Some(g * &greater(&call.input(1), &call.input(0))),
        ],
    };
    apply(&MAXIMUM, a, b)
}

/// The smaller, or NaN if either is; where they are equal the gradient goes to `a`.
pub fn minimum(a: &Tensor, b: &Tensor) -> Tensor {
    const MINIMUM: Binary = Binary {
        name: "minimum",
        reference: |a, b| if b >= a || a.is_nan() { a } else { b },
        cpu: |a, b, y| simd::zip(a, b, y, |a, b| (b.simd_ge(a) | a.is_nan()).bitselect(a, b)),
        keeps: Keeps::Inputs,
        vjp: [
            |call, g| Some(g * &greater_equal(&call.input(1), &call.input(0))),
            |call, g| Some(g * &greater(&call.input(0), &call.input(1))),
        ],
    };
    apply(&MINIMUM, a, b)
}

/// 1 where a ≥ b, else 0; no gradient.
pub fn greater_equal(a: &Tensor, b: &Tensor) -> Tensor {
    const GREATER_EQUAL: Binary = Binary {
        name: "greater_equal",
        reference: |a, b| f64::from(a >= b),
        cpu: |a, b, y| simd::zip(a, b, y, |a, b| a.simd_ge(b) & f32x8::ONE),
        keeps: Keeps::Nothing,
        vjp: [|_, _| None, |_, _| None],
    };
    apply(&GREATER_EQUAL, a, b)
}

/// 1 where a > b, else 0; no gradient.
pub fn greater(a: &Tensor, b: &Tensor) -> Tensor {
    const GREATER: Binary = Binary {
        name: "greater",
        reference: |a, b| f64::from(a > b),
        cpu: |a, b, y| simd::zip(a, b, y, |a, b| a.simd_gt(b) & f32x8::ONE),
        keeps: Keeps::Nothing,
        vjp: [|_, _| None, |_, _| None],
    };
    apply(&GREATER, a, b)
}

/// 1 where a = b, else 0; no gradient.
pub fn equal(a: &Tensor, b: &Tensor) -> Tensor {
    const EQUAL: Binary = Binary {
        name: "equal",
        reference: |a, b| f64::from(a == b),
        cpu: |a, b, y| simd::zip(a, b, y, |a, b| a.simd_eq(b) & f32x8::ONE),
        keeps: Keeps::Nothing,
        vjp: [|_, _| None, |_, _| None],
    };
    apply(&EQUAL, a, b)
}

/// x held between `low` and `high`: min(max(x, low), high). The gradient is 1 from `low` to `high`, both included.
pub fn clamp(x: &Tensor, low: f64, high: f64) -> Tensor {
    let bound = |value| Tensor::full(value, [], x.device());
    minimum(&maximum(x, &bound(low)), &bound(high))
}

fn apply(binary: &'static Binary, a: &Tensor, b: &Tensor) -> Tensor {
    let shape = a.shape().broadcast(b.shape()).unwrap_or_else(|| {
        panic!(
            "{}: shapes {} and {} don't broadcast",
            binary.name,
            a.shape(),
            b.shape()
        )
    });
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
        _ => different_devices(binary.name, &[a, b]),
    };
    record(binary, &[a, b], shape, storage)
}

/// The values as `simd::zip` takes them: as they are if they are whole or repeat along leading axes, else stretched.
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

    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
        let input_grad = |i: usize| {
            let wanted = call.wants(i).then(|| (self.vjp[i])(call, grad)).flatten();
            wanted.map(|g| sum_to(&g, call.input_shape(i)))
        };
        vec![input_grad(0), input_grad(1)]
    }
}

impl std::ops::Neg for &Tensor {
    type Output = Tensor;
    fn neg(self) -> Tensor {
        neg(self)
    }
}

/// Operators between tensors, and between a tensor and a number.
macro_rules! operator {
    ($trait:ident, $method:ident, $function:ident) => {
        impl std::ops::$trait<&Tensor> for &Tensor {
            type Output = Tensor;
            fn $method(self, other: &Tensor) -> Tensor {
                $function(self, other)
            }
        }

        impl std::ops::$trait<f64> for &Tensor {
            type Output = Tensor;
            fn $method(self, other: f64) -> Tensor {
                $function(self, &Tensor::full(other, [], self.device()))
            }
        }
    };
}

operator!(Add, add, add);
operator!(Sub, sub, sub);
operator!(Mul, mul, mul);
operator!(Div, div, div);
