//! Functions of one and of two numbers, over shapes that fill whole SIMD vectors and shapes that don't, and every way
//! to broadcast.

use super::{Case, Values, input};
use crate::ops::binary::{binary_cross_entropies, binary_cross_entropy_slope, sigmoid_grad, tanh_grad};
use crate::ops::unary::sign;
use crate::ops::*;
use crate::shape::Shape;
use crate::tensor::Tensor;

type Unary = fn(&Tensor) -> Tensor;
type Binary = fn(&Tensor, &Tensor) -> Tensor;

const SHAPES: [&[usize]; 4] = [&[], &[1], &[3, 17], &[2, 3, 5, 4]];

/// Shapes of two inputs that are stretched to one.
pub const PAIRS: [[&[usize]; 2]; 10] = [
    [&[1], &[1]],
    [&[3, 4], &[3, 4]],
    [&[2, 3, 17], &[17]],
    [&[17], &[2, 3, 17]],
    [&[3, 1], &[1, 4]],
    [&[1, 4], &[3, 1]],
    [&[2, 3, 4, 5], &[1, 3, 1, 5]],
    [&[2, 1, 3], &[4, 1]],
    [&[3, 4], &[]],
    [&[], &[3, 4]],
];

/// The cases of this family.
pub fn cases() -> Vec<Case> {
    let smooth: [(&str, Unary, Values); 11] = [
        ("neg", neg, Values::Normal),
        ("exp", exp, Values::Normal),
        ("log", log, Values::Positive),
        ("sqrt", sqrt, Values::Positive),
        ("square", square, Values::Normal),
        ("tanh", tanh, Values::Normal),
        ("sigmoid", sigmoid, Values::Normal),
        ("softplus", softplus, Values::Normal),
        ("erf", erf, Values::Normal),
        ("gelu", gelu, Values::Normal),
        ("silu", silu, Values::Normal),
    ];
    let kinked_at_0: [(&str, Unary); 4] =
        [("abs", abs), ("sign", sign), ("relu", relu), ("leaky_relu", |x| leaky_relu(x, 0.3))];
    let smooth_pairs: [(&str, Binary, Values); 6] = [
        ("add", add, Values::Normal),
        ("sub", sub, Values::Normal),
        ("mul", mul, Values::Normal),
        ("div", div, Values::Positive),
        ("tanh_grad", tanh_grad, Values::Normal),
        ("sigmoid_grad", sigmoid_grad, Values::Normal),
    ];
    let kinked_where_equal: [(&str, Binary); 5] = [
        ("maximum", maximum),
        ("minimum", minimum),
        ("greater", greater),
        ("greater_equal", greater_equal),
        ("equal", equal),
    ];

    let mut all = Vec::new();
    for (op, f, values) in smooth {
        all.extend(SHAPES.map(|shape| unary(op, f, values, shape)));
    }
    for (op, f) in kinked_at_0 {
        all.extend(SHAPES.map(|s| unary(op, f, Values::Normal, s).kinks(|t| t[0].clone())));
        all.push(unary(op, f, Values::Whole, &[5, 9]).on_kinks());
    }
    for alpha in [1.0, 0.7] {
        let name = |shape: &[usize]| format!("{shape:?} alpha {alpha}");
        all.extend(SHAPES.map(|shape| {
            let x = [input(Values::Normal, shape)];
            Case::new("elu", name(shape), &x, move |t| elu(&t[0], alpha)).kinks(|t| t[0].clone())
        }));
    }
    all.push(unary("elu", |x| elu(x, 1.0), Values::Whole, &[5, 9]).on_kinks());
    all.extend(SHAPES.map(|shape| {
        let f = |x: &Tensor| clamp(x, -0.5, 1.0);
        // Small where x is close to either end.
        let kinks = |t: &[Tensor]| (&t[0] + 0.5) * (&t[0] - 1.0);
        unary("clamp", f, Values::Normal, shape).kinks(kinks)
    }));
    all.push(unary("clamp", |x| clamp(x, -1.0, 1.0), Values::Whole, &[5, 9]).on_kinks());
    for (op, f, divisor) in smooth_pairs {
        all.extend(PAIRS.map(|pair| binary(op, f, [Values::Normal, divisor], pair)));
    }
    all.extend(PAIRS.map(|pair| binary("pow", pow, [Values::Positive, Values::Normal], pair)));
    // Whole powers of numbers of either sign: no derivative by the power.
    for exponent in [-1.0, 1.0, 2.0, 3.0] {
        let x = [input(Values::Normal, [3, 17])];
        let power = move |t: &[Tensor]| t[0].pow(exponent);
        all.push(Case::new("pow", format!("[3, 17] to the power of {exponent}"), &x, power).kinks(|t| 0.01 * &t[0]));
    }
    let whole = [input(Values::Whole, [5, 9]), input(Values::Index(4), [9]).constant()];
    all.push(Case::new("pow", "whole numbers, [5, 9] [9]", &whole, |t| pow(&t[0], &t[1])).on_kinks());
    let square = |t: &[Tensor]| mul(&t[0], &t[0]);
    let x = input(Values::Normal, [3, 5]);
    all.push(Case::new("mul", "x by itself, 3x5", &[x], square));
    for (op, f) in kinked_where_equal {
        let between = [Values::Normal; 2];
        all.extend(PAIRS.map(|p| binary(op, f, between, p).kinks(|t| sub(&t[0], &t[1]))));
        all.push(binary(op, f, [Values::Whole; 2], [&[5, 9], &[9]]).on_kinks());
    }
    for (op, f) in [
        ("binary_cross_entropy", binary_cross_entropies as Binary),
        ("binary_cross_entropy_slope", binary_cross_entropy_slope),
    ] {
        all.extend(PAIRS.map(|pair| binary(op, f, [Values::Probability; 2], pair)));
        // Many are beyond the bounds, and none is so close to one that the function is too steep for a difference
        // quotient.
        let from_bounds = |t: &[Tensor]| 0.02 * &t[0] * (1.0 - &t[0]);
        all.push(binary(op, f, [Values::Normal, Values::Probability], [&[3, 5], &[5]]).kinks(from_bounds));
        // Beyond the lower bound, at it and within it.
        let inputs = [input(Values::Whole, [5, 9]), input(Values::Probability, [9])];
        all.push(Case::new(op, "[5, 9] [9] at the bound", &inputs, move |t| f(&(&t[0] * 1e-7), &t[1])).on_kinks());
        all.push(binary(op, f, [Values::Whole, Values::Probability], [&[5, 9], &[9]]).on_kinks());
    }
    let triples: [[&[usize]; 3]; 6] = [
        [&[], &[], &[]],
        [&[3, 17], &[3, 17], &[3, 17]],
        [&[3, 1], &[3, 4], &[4]],
        [&[4], &[], &[3, 4]],
        [&[2, 3, 4], &[3, 1], &[1, 1, 4]],
        [&[1], &[5], &[2, 5]],
    ];
    all.extend(triples.map(selected));
    all
}

/// One of two inputs by a condition, which is often 0.
pub fn selected(shapes: [&[usize]; 3]) -> Case {
    let name = format!("{shapes:?}");
    let [condition, a, b] = shapes.map(Shape::new);
    let inputs = [input(Values::Whole, condition).constant(), input(Values::Normal, a), input(Values::Normal, b)];
    Case::new("select", name, &inputs, |t| select(&t[0], &t[1], &t[2]))
}

/// `f` of one input.
pub fn unary(op: &'static str, f: Unary, values: Values, shape: &[usize]) -> Case {
    let shape = Shape::new(shape);
    let name = format!("{shape}{}", on_kinks(values));
    Case::new(op, name, &[input(values, shape)], move |t| f(&t[0]))
}

/// `f` of two inputs.
pub fn binary(op: &'static str, f: Binary, values: [Values; 2], shapes: [&[usize]; 2]) -> Case {
    let [a, b] = shapes.map(Shape::new);
    let name = format!("{a} {b}{}", on_kinks(values[0]));
    let inputs = [input(values[0], a), input(values[1], b)];
    Case::new(op, name, &inputs, move |t| f(&t[0], &t[1]))
}

fn on_kinks(values: Values) -> &'static str {
    match values {
        Values::Whole => " on kinks",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// What is between each `before` in `text` and the next `after`.
    fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
        text.split(before).skip(1).filter_map(|rest| Some(rest.split_once(after)?.0)).collect()
    }

    /// Reads the sources, so that a row that is missing in Rust, in CUDA or here is found.
    #[test]
    fn both_tables_have_the_same_rows_in_rust_in_cuda_and_here() {
        let mut rows = BTreeSet::new();
        for (family, rust, cuda) in [
            ("unary", include_str!("../../ops/unary.rs"), include_str!("../../../kernels/unary.cu")),
            ("binary", include_str!("../../ops/binary.rs"), include_str!("../../../kernels/binary.cu")),
        ] {
            let names = between(rust, "\n        name: \"", "\",");
            let names = [between(rust, "\n    name: \"", "\","), names].concat();
            let kernels = between(rust, &format!(" cuda: \"{family}_"), "\",");
            assert_eq!(names, kernels, "a row's name and its kernel's");
            let in_cuda = between(cuda, &format!("\n{}(", family.to_uppercase()), ",");
            assert_eq!(names, in_cuda, "{family}.rs and {family}.cu");
            assert!(names.len() >= 10, "{names:?}");
            rows.extend(names);
        }
        // Not a public op: the rules of maximum and minimum are made of it, and their cases run it.
        assert!(rows.remove("masked"));
        let cases: BTreeSet<&str> = cases().iter().map(|case| case.op).collect();
        // Made of rows, or a stem of their own.
        let others = BTreeSet::from(["clamp", "leaky_relu", "relu", "select"]);
        assert_eq!(rows, &cases - &others, "the tables and the cases here");
    }
}
