//! The case table: one list of op cases that gradient checks, device parity and op benchmarks all read.
//!
//! A case is a function of tensors that runs on any device, with the shapes and the kind of values of its inputs.
//! Finite differences are kept away from kinks in two ways: by inputs that can't tie ([`Values::Distinct`]), and by a
//! function that is 0 at the kinks ([`Case::kinks`]), for which inputs are sampled again until none of its values is
//! within [`MARGIN`] of 0.

pub mod composite;
pub mod elementwise;
pub mod indices;
pub mod large;
pub mod layers;
pub mod layout;
pub mod pooling;
pub mod products;
pub mod reductions;

use crate::random::{Purpose, Random};
use crate::shape::Shape;
use crate::storage::Device;
use crate::tensor::Tensor;

/// The smallest distance of inputs from a kink: a hundred times the step of the finite differences
/// ([`STEP`](super::gradcheck::STEP)).
pub const MARGIN: f64 = 1e-3;

/// Every case of moderate size, op by op.
pub fn cases() -> Vec<Case> {
    let families = [
        elementwise::cases(),
        reductions::cases(),
        indices::cases(),
        layout::cases(),
        pooling::cases(),
        products::cases(),
        layers::cases(),
        composite::cases(),
    ];
    let mut all: Vec<Case> = families.into_iter().flatten().collect();
    all.sort_by_key(|case| case.op);
    all
}

/// The names of the ops that have cases, in order.
pub fn op_names() -> Vec<&'static str> {
    let mut names: Vec<_> = cases().iter().map(|case| case.op).collect();
    names.dedup();
    names
}

/// A function of a case's inputs.
pub type Function = Box<dyn Fn(&[Tensor]) -> Tensor + Send + Sync>;

/// An op with attributes and shapes.
///
/// ```
/// use minimax::Device;
/// use minimax::check::cases::{Case, check_random, normal};
///
/// let case = Case::new("gelu", "[3, 5]", &[normal([3, 5])], |t| t[0].gelu());
/// let inputs = case.sample(&mut check_random(), Device::Cpu);
/// assert_eq!(case.run(&inputs).dims(), [3, 5]);
/// ```
pub struct Case {
    /// The op's name.
    pub op: &'static str,
    /// The case's own name among those of the op: its shapes and attributes.
    pub name: String,
    /// Its inputs.
    pub inputs: Vec<Input>,
    /// False if inputs lie on kinks. There devices must still agree, but a difference quotient doesn't give the
    /// derivative.
    pub smooth: bool,
    kinks: Option<Function>,
    function: Function,
}

/// An input of a case.
#[derive(Clone, Copy, Debug)]
pub struct Input {
    /// Its shape.
    pub shape: Shape,
    /// The kind of its values.
    pub values: Values,
    /// True if gradients are taken with respect to it.
    pub differentiable: bool,
}

/// The random values of an input. All are rounded to f32, so that every device starts from the same ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// From N(0, 1).
    Normal,
    /// Uniform on [0.5, 2): for divisors and for the arguments of logarithms and roots.
    Positive,
    /// Uniform on [0.05, 0.95).
    Probability,
    /// Numbers 0.05 apart in random order, so that none are equal: for maxima.
    Distinct,
    /// Whole numbers from -2 to 2, so that many are equal or 0: to meet kinks on purpose.
    Whole,
    /// Whole numbers from 0, below this one: labels and indices.
    Index(usize),
}

impl Case {
    /// The case `name` of `op`, which is `function` of `inputs`.
    pub fn new(
        op: &'static str,
        name: impl Into<String>,
        inputs: &[Input],
        function: impl Fn(&[Tensor]) -> Tensor + Send + Sync + 'static,
    ) -> Case {
        Case { op, name: name.into(), inputs: inputs.to_vec(), smooth: true, kinks: None, function: Box::new(function) }
    }

    /// The same case with kinks where a value of `kinks` is 0.
    pub fn kinks(self, kinks: impl Fn(&[Tensor]) -> Tensor + Send + Sync + 'static) -> Case {
        Case { kinks: Some(Box::new(kinks)), ..self }
    }

    /// The same case at inputs that lie on kinks.
    pub fn on_kinks(self) -> Case {
        Case { smooth: false, ..self }
    }

    /// Applies the op to `inputs`.
    pub fn run(&self, inputs: &[Tensor]) -> Tensor {
        (self.function)(inputs)
    }

    /// Random inputs on `device`: parameters where they are differentiable, constants elsewhere.
    ///
    /// # Panics
    /// If a thousand samples all come too close to a kink, which means that the case has too many values.
    pub fn sample(&self, random: &mut Random, device: Device) -> Vec<Tensor> {
        for _ in 0..1000 {
            let values: Vec<_> = self.inputs.iter().map(|i| i.values(random)).collect();
            let on = |device| {
                let inputs = self.inputs.iter().zip(&values);
                inputs.map(move |(input, values)| input.tensor(values, device))
            };
            let clear = |kinks: &Function| {
                let values = kinks(&on(Device::Reference).collect::<Vec<_>>()).to_f64();
                values.iter().all(|v| v.abs() >= MARGIN)
            };
            if self.kinks.as_ref().is_none_or(clear) {
                return on(device).collect();
            }
        }
        panic!("case {} {}: no inputs away from the kinks", self.op, self.name)
    }

    /// From a list with one value per input, the values of the differentiable inputs.
    pub fn differentiable<'a, T>(&self, per_input: &'a [T]) -> Vec<&'a T> {
        let pairs = self.inputs.iter().zip(per_input);
        pairs.filter(|(input, _)| input.differentiable).map(|(_, value)| value).collect()
    }
}

impl Input {
    /// The same input as a constant: no gradient is taken with respect to it.
    pub fn constant(self) -> Input {
        Input { differentiable: false, ..self }
    }

    fn values(&self, random: &mut Random) -> Vec<f64> {
        let n = self.shape.numel();
        let spread = |u: f64, low: f64, high: f64| low + (high - low) * u;
        let uniform = random.uniform(n).into_iter();
        let values: Vec<f64> = match self.values {
            Values::Normal => random.normal(n),
            Values::Positive => uniform.map(|u| spread(u, 0.5, 2.0)).collect(),
            Values::Probability => uniform.map(|u| spread(u, 0.05, 0.95)).collect(),
            Values::Whole => uniform.map(|u| spread(u, -2.0, 3.0).floor()).collect(),
            Values::Index(count) => uniform.map(|u| (u * count as f64).floor()).collect(),
            Values::Distinct => {
                let order = random.permutation(n).into_iter();
                order.map(|i| 0.05 * (f64::from(i) - n as f64 / 2.0)).collect()
            }
        };
        values.into_iter().map(|v| f64::from(v as f32)).collect()
    }

    fn tensor(&self, values: &[f64], device: Device) -> Tensor {
        let tensor = Tensor::new(values, self.shape, device);
        match self.differentiable {
            true => tensor.parameter(),
            false => tensor,
        }
    }
}

/// A differentiable input of this shape.
pub fn input(values: Values, shape: impl Into<Shape>) -> Input {
    Input { shape: shape.into(), values, differentiable: true }
}

/// A differentiable input from N(0, 1).
pub fn normal(shape: impl Into<Shape>) -> Input {
    input(Values::Normal, shape)
}

/// A differentiable input on [0.5, 2).
pub fn positive(shape: impl Into<Shape>) -> Input {
    input(Values::Positive, shape)
}

/// A differentiable input on [0.05, 0.95).
pub fn probability(shape: impl Into<Shape>) -> Input {
    input(Values::Probability, shape)
}

/// Values from N(0, 1) in the shape and on the device of `x`.
pub fn normal_like(x: &Tensor, random: &mut Random) -> Tensor {
    Tensor::new(&random.normal(x.numel()), x.shape(), x.device())
}

/// The random numbers of checks.
pub fn check_random() -> Random {
    Random::new(1, Purpose::CHECK)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_tell_cases_apart() {
        let mut seen = HashSet::new();
        for case in cases().into_iter().chain(large::cases()) {
            let name = (case.op, case.name);
            assert!(!seen.contains(&name), "{name:?} twice");
            seen.insert(name);
        }
    }

    /// Reads the list of what `ops` makes public, so that an op can't be added without a case.
    #[test]
    fn every_public_op_has_a_case() {
        let exports =
            include_str!("../../ops/mod.rs").split("pub use ").skip(1).filter_map(|rest| rest.split(';').next());
        let words = exports.flat_map(|list| {
            let names = list.rsplit("::").next().unwrap_or(list);
            names.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        });
        let is_function = |w: &&str| w.starts_with(|c: char| c.is_ascii_lowercase());
        let functions: Vec<&str> = words.filter(is_function).collect();
        let known = op_names();
        assert!(functions.len() > 40, "{functions:?}");
        for name in functions {
            assert!(known.contains(&name), "{name} has no case");
        }
    }
}
