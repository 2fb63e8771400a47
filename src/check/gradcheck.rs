//! The checks of every case.
//!
//! On the reference device, in f64, a derivative rule is compared with a central difference. With random cotangents u
//! and a random direction v,
//!
//! ```text
//! <v, vjp(u)>  =  d/dh <u, f(x + h v)> at 0  ≈  <u, f(x + h v) - f(x - h v)> / 2h
//! ```
//!
//! The difference has an error of h²/6 · <u, f‴> from truncating the series and one of about ε ‖u‖ ‖f‖ / h from
//! rounding, with ε = 1.1e-16. At h = 1e-5 both are near 1e-11; the limits are 1e-7 and 1e-5.
//!
//! The second order is the same check of the function (x, u) → vjp(u) at x, recorded with
//! `create_graph`. Rules may read `recording()`, so each is tried with `create_graph` off and on.
//!
//! On any other device the values, the gradients and the gradients of the gradients are compared with those of the
//! reference for the same inputs, by the normalised squared error Σ(a - b)² / Σ b².

use super::cases::{Case, check_random, normal_like};
use crate::autograd::vjp;
use crate::cuda;
use crate::random::Random;
use crate::storage::Device;
use crate::tensor::Tensor;
use std::ops::Range;

/// The step h of the finite differences.
pub const STEP: f64 = 1e-5;

/// The largest relative error of first and of second derivatives against finite differences.
pub const DIFFERENCE_LIMITS: [f64; 2] = [1e-7, 1e-5];

/// The largest normalised mean squared error of a device against the reference.
pub const PARITY_LIMIT: f64 = 1e-10;

/// The same for a CUDA device whose products read their operands in TF32, with a relative error of up to 2⁻¹¹: for
/// values, for gradients, and for gradients of gradients, where up to six products follow one another.
pub const TF32_LIMITS: [f64; 3] = [1e-6, 1e-6, 1e-5];

/// The limit for `device` with its present settings.
fn parity_limit(device: Device, order: u8) -> f64 {
    match device {
        Device::Cuda(ordinal) if cuda::context(ordinal).tf32() => TF32_LIMITS[usize::from(order)],
        _ => PARITY_LIMIT,
    }
}

/// The result of one check of one case.
///
/// ```
/// use minimax::Device;
/// use minimax::check::cases::{Case, normal};
/// use minimax::check::gradcheck::check;
///
/// let case = Case::new("silu", "[4]", &[normal([4])], |t| t[0].silu());
/// for row in check(&case, &[0, 1, 2], Device::Cpu) {
///     assert!(row.passed(), "{row:?}");
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Row {
    /// The case's op.
    pub op: &'static str,
    /// The case's name.
    pub case: String,
    /// 0 for values, 1 for gradients, 2 for gradients of gradients.
    pub order: u8,
    /// The largest error seen.
    pub error: f64,
    /// The largest error allowed.
    pub limit: f64,
}

impl Row {
    /// True if the error is within the limit, which NaN never is.
    pub fn passed(&self) -> bool {
        self.error <= self.limit
    }
}

/// Checks those of `orders` that can be checked on `device`. The reference is compared with finite differences, which
/// say nothing about values (order 0) and nothing at kinks; other devices are compared with the reference.
pub fn check(case: &Case, orders: &[u8], device: Device) -> Vec<Row> {
    let orders = orders.iter().copied();
    match device {
        Device::Reference if !case.smooth => Vec::new(),
        Device::Reference => orders.filter(|&order| order > 0).map(|order| against_differences(case, order)).collect(),
        _ => orders.map(|order| against_reference(case, order, device)).collect(),
    }
}

/// Compares the derivatives of `order` 1 or 2 with finite differences on the reference device.
///
/// # Panics
/// If `order` is neither 1 nor 2.
pub fn against_differences(case: &Case, order: u8) -> Row {
    assert!(order == 1 || order == 2, "order {order} is not 1 or 2");
    let mut random = check_random();
    let inputs = case.sample(&mut random, Device::Reference);
    let mut free: Vec<bool> = case.inputs.iter().map(|i| i.differentiable).collect();
    let error = if order == 1 {
        let f = |x: &[Tensor]| vec![case.run(x)];
        difference_error(f, &inputs, &free, &mut random)
    } else {
        // ANCHOR: second_order
        let u = normal_like(&case.run(&inputs), &mut random);
        let gradient = |xu: &[Tensor]| {
            let (u, x) = xu.split_last().expect("the cotangent comes last");
            vjp(case.run(x), u.clone(), &case.differentiable(x), true)
        };
        free.push(true);
        difference_error(gradient, &[inputs, vec![u]].concat(), &free, &mut random)
        // ANCHOR_END: second_order
    };
    row(case, order, error, DIFFERENCE_LIMITS[usize::from(order) - 1])
}

/// Compares the derivatives of `order` 1 or 2 of any `function` of tensors with finite differences on the reference
/// device, one input at a time: a row for each of `inputs` and, of order 2, one for the cotangents. Every row has the
/// op `name`.
///
/// The function may have several outputs. It must be smooth around `inputs`, and the same each time. Other arguments,
/// such as labels, with respect to which it isn't differentiated, it captures.
///
/// ```
/// use minimax::autograd::{Call, Op, record};
/// use minimax::check::gradcheck::check_function;
/// use minimax::storage::Storage;
/// use minimax::{Device, Tensor};
///
/// /// x³, whose rule is x̄ = 3ȳ x².
/// struct Cube;
///
/// impl Op for Cube {
///     fn name(&self) -> &'static str {
///         "cube"
///     }
///
///     fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
///         let x = call.input(0);
///         vec![Some(grad * &x * &x * 3.0)]
///     }
/// }
///
/// fn cube(x: &Tensor) -> Tensor {
///     let values: Vec<f64> = x.to_f64().iter().map(|x| x * x * x).collect();
///     record(Cube, &[x], x.shape(), Storage::from_f64(&values, x.device()))
/// }
///
/// let x = Tensor::new(&[0.5, -1.0, 2.0], [3], Device::Reference);
/// for order in [1, 2] {
///     let rows = check_function("cube", |x| vec![cube(&x[0])], std::slice::from_ref(&x), order);
///     assert!(rows.iter().all(|row| row.passed()));
/// }
/// ```
///
/// # Panics
/// If `order` is neither 1 nor 2, or `function` panics.
pub fn check_function(
    name: &'static str,
    function: impl Fn(&[Tensor]) -> Vec<Tensor>,
    inputs: &[Tensor],
    order: u8,
) -> Vec<Row> {
    assert!(order == 1 || order == 2, "order {order} is not 1 or 2");
    let mut random = check_random();
    let mut x: Vec<Tensor> = inputs.iter().map(|x| x.to(Device::Reference)).collect();
    let mut moves: Vec<(String, Range<usize>)> =
        x.iter().enumerate().map(|(i, x)| (format!("input {i} {}", x.shape()), i..i + 1)).collect();
    if order == 2 {
        let cotangents: Vec<Tensor> = function(&x).iter().map(|y| normal_like(y, &mut random)).collect();
        x.extend(cotangents);
        moves.push(("cotangents".into(), inputs.len()..x.len()));
    }
    let gradient = |xu: &[Tensor]| {
        let (x, u) = xu.split_at(inputs.len());
        let parameters: Vec<&Tensor> = x.iter().collect();
        let products = function(x).into_iter().zip(u).map(|(y, u)| vjp(y, u.clone(), &parameters, true));
        let sum = products.reduce(|sum, more| sum.iter().zip(&more).map(|(a, b)| a + b).collect());
        sum.unwrap_or_default()
    };
    let rows = moves.into_iter().map(|(case, moved)| {
        let free: Vec<bool> = (0..x.len()).map(|i| moved.contains(&i)).collect();
        let error = match order {
            1 => difference_error(&function, &x, &free, &mut random),
            _ => difference_error(gradient, &x, &free, &mut random),
        };
        Row { op: name, case, order, error, limit: DIFFERENCE_LIMITS[usize::from(order) - 1] }
    });
    rows.collect()
}

/// The relative error of <v, vjp(u)> against the difference quotient, for `f` at `x` and moves
/// along the inputs that are `free`. Since <v, g> for random v is about ‖g‖, the error is measured
/// against the largest of ‖g‖ and the two numbers.
fn difference_error(f: impl Fn(&[Tensor]) -> Vec<Tensor>, x: &[Tensor], free: &[bool], random: &mut Random) -> f64 {
    let free_of = |tensors: &[Tensor]| -> Vec<Tensor> {
        let pairs = tensors.iter().zip(free);
        pairs.filter(|(_, free)| **free).map(|(t, _)| t.clone()).collect()
    };
    let x: Vec<Tensor> = x.iter().map(Tensor::parameter).collect();
    let directions: Vec<Tensor> = x.iter().map(|x| normal_like(x, random)).collect();
    let cotangents: Vec<Tensor> = f(&x).iter().map(|y| normal_like(y, random)).collect();

    let moved = |step: f64| {
        let inputs = x.iter().zip(&directions).zip(free);
        let move_one = |((x, v), &free): ((&Tensor, &Tensor), &bool)| {
            let step = if free { step } else { 0.0 };
            let values = x.to_f64().into_iter().zip(v.to_f64());
            let values: Vec<f64> = values.map(|(x, v)| x + step * v).collect();
            Tensor::new(&values, x.shape(), x.device()).parameter()
        };
        flatten(&f(&inputs.map(move_one).collect::<Vec<_>>()))
    };
    // ANCHOR: difference
    let change = moved(STEP).into_iter().zip(moved(-STEP));
    let change: Vec<f64> = change.map(|(ahead, behind)| ahead - behind).collect();
    let numeric = dot(&flatten(&cotangents), &change) / (2.0 * STEP);
    // ANCHOR_END: difference

    let (parameters, v) = (free_of(&x), flatten(&free_of(&directions)));
    let parameters: Vec<&Tensor> = parameters.iter().collect();
    let errors = [false, true].map(|create_graph| {
        // ANCHOR: analytic
        let mut gradient = vec![0.0; v.len()];
        for (y, u) in f(&x).into_iter().zip(&cotangents) {
            let share = flatten(&vjp(y, u.clone(), &parameters, create_graph));
            gradient.iter_mut().zip(share).for_each(|(g, s)| *g += s);
        }
        let analytic = dot(&v, &gradient);
        let scale = dot(&gradient, &gradient).sqrt();
        // ANCHOR_END: analytic
        let difference = (analytic - numeric).abs();
        match difference == 0.0 {
            true => 0.0,
            false => difference / scale.max(analytic.abs()).max(numeric.abs()),
        }
    });
    worst(errors)
}

/// Compares the values (order 0), gradients (1) or gradients of gradients (2) on `device` with those of the reference.
///
/// # Panics
/// If `order` is more than 2, or the devices don't give the same number of tensors with the same shapes.
pub fn against_reference(case: &Case, order: u8, device: Device) -> Row {
    let errors = [false, true].map(|create_graph| {
        let ours = derivatives(case, order, device, create_graph);
        let reference = derivatives(case, order, Device::Reference, create_graph);
        let shapes = |tensors: &[Tensor]| tensors.iter().map(Tensor::shape).collect::<Vec<_>>();
        assert_eq!(shapes(&ours), shapes(&reference), "{} {} on {device} and on the reference", case.op, case.name);
        let pairs = ours.iter().zip(&reference);
        worst(pairs.map(|(a, b)| normalised_squared_error(&a.to_f64(), &b.to_f64())))
    });
    row(case, order, worst(errors), parity_limit(device, order))
}

/// What `case` gives on `device` for inputs and cotangents that are the same on every device: the value for `order` 0,
/// the gradients of <u, value> for 1, and for 2, for each of those gradients g, the gradients of <w, g> with respect to
/// the inputs and u. With `create_graph` the last walk is itself recorded.
///
/// # Panics
/// If `order` is more than 2.
pub fn derivatives(case: &Case, order: u8, device: Device, create_graph: bool) -> Vec<Tensor> {
    assert!(order <= 2, "order {order} is not 0, 1 or 2");
    let mut random = check_random();
    let inputs = case.sample(&mut random, device);
    let y = case.run(&inputs);
    if order == 0 {
        return vec![y];
    }
    let u = normal_like(&y, &mut random).parameter();
    let mut parameters = case.differentiable(&inputs);
    let gradients = vjp(y, u.clone(), &parameters, create_graph || order == 2);
    if order == 1 {
        return gradients;
    }
    parameters.push(&u);
    let second = gradients.into_iter().map(|g| {
        let w = normal_like(&g, &mut random);
        vjp(g, w, &parameters, create_graph)
    });
    second.flatten().collect()
}

/// Σ(a - b)² / Σ b²; 0 if both are all zeros.
///
/// # Panics
/// If `a` and `b` have different lengths.
pub fn normalised_squared_error(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "values to compare");
    let squares: f64 = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum();
    if squares == 0.0 {
        return 0.0;
    }
    squares / dot(b, b)
}

/// The largest error, or NaN if one is NaN.
fn worst(errors: impl IntoIterator<Item = f64>) -> f64 {
    let larger = |a: f64, b: f64| if b > a || b.is_nan() { b } else { a };
    errors.into_iter().fold(0.0, larger)
}

fn row(case: &Case, order: u8, error: f64, limit: f64) -> Row {
    Row { op: case.op, case: case.name.clone(), order, error, limit }
}

fn flatten(tensors: &[Tensor]) -> Vec<f64> {
    tensors.iter().flat_map(Tensor::to_f64).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len(), "values to multiply");
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::{Call, Op, record};
    use crate::ops;

    #[test]
    fn the_worst_error_may_be_no_number() {
        assert_eq!(worst([0.1, 3.0, 2.0]), 3.0);
        assert!(worst([0.1, f64::NAN, 2.0]).is_nan());
        let row = |error| Row { op: "test", case: String::new(), order: 1, error, limit: 1.0 };
        assert!(row(1.0).passed() && !row(1.1).passed() && !row(f64::NAN).passed());
    }

    #[test]
    fn errors_are_relative_to_the_reference() {
        assert_eq!(normalised_squared_error(&[1.0, 3.0], &[1.0, 2.0]), 0.2);
        assert_eq!(normalised_squared_error(&[0.0], &[0.0]), 0.0);
        assert_eq!(normalised_squared_error(&[1e-30], &[0.0]), f64::INFINITY);
    }

    /// a², said to have the derivative 3a.
    struct WrongSquare;

    impl Op for WrongSquare {
        fn name(&self) -> &'static str {
            "wrong_square"
        }

        fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>> {
            vec![Some(grad * &call.input(0) * 3.0)]
        }
    }

    fn errors(function: impl Fn(&[Tensor]) -> Vec<Tensor>, order: u8) -> Vec<(String, bool)> {
        let inputs = [
            Tensor::new(&[0.5, -1.0, 2.0, 0.3, 1.5, -0.7], [2, 3], Device::Cpu),
            Tensor::new(&[1.0, 0.25, -0.5], [3], Device::Reference),
        ];
        let rows = check_function("test", function, &inputs, order);
        rows.into_iter().map(|row| (row.case.clone(), row.passed())).collect()
    }

    #[test]
    fn a_function_of_several_outputs_is_checked_input_by_input() {
        let right = |x: &[Tensor]| vec![ops::tanh(&(&x[0] * &x[1])), ops::exp(&x[1])];
        let passed = |names: &[&str]| -> Vec<_> { names.iter().map(|name| (name.to_string(), true)).collect() };
        assert_eq!(errors(right, 1), passed(&["input 0 [2, 3]", "input 1 [3]"]));
        assert_eq!(errors(right, 2), passed(&["input 0 [2, 3]", "input 1 [3]", "cotangents"]));
    }

    #[test]
    fn a_wrong_rule_shows_in_the_row_of_its_input() {
        let square = |a: &Tensor| record(WrongSquare, &[a], a.shape(), ops::square(a).storage().clone());
        let wrong = |x: &[Tensor]| vec![&ops::square(&x[0]) * &square(&x[1])];
        let passed = |order| -> Vec<bool> { errors(wrong, order).into_iter().map(|(_, passed)| passed).collect() };
        assert_eq!(passed(1), [true, false]);
        assert_eq!(passed(2), [true, false, true]);
    }
}
