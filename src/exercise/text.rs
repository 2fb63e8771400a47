//! Cases as text, a line for each thing:
//!
//! ```text
//! case a stride of two rows
//! given x [1,2,2,1] 1 2 3 4
//! given stride [2] 2 1
//! wanted y [1,1,2,1] 0.5 -1
//! ```
//!
//! An array is a name, its shape and its values, the last axis running fastest. An attribute is an array too. A number
//! has as many digits as it takes to read the same one back.
//!
//! `minimax exercise` writes cases by this file, and the crate of an exercise has a copy of it to read them.

use std::fmt::{self, Display, Formatter};

/// A call of the functions that are asked for: what they get, and what they should give.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What tells it from the others.
    pub name: String,
    /// Arguments.
    pub given: Vec<Array>,
    /// Results.
    pub wanted: Vec<Array>,
}

/// Numbers with a name and a shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// Its name, without spaces.
    pub name: String,
    /// The length of each axis; none for a number by itself.
    pub shape: Vec<usize>,
    /// As many as the product of the lengths.
    pub values: Vec<f64>,
}

/// A function of an exercise: its arguments are taken out of a case, and its results have the names of the wanted ones.
pub type Function = fn(&Case) -> Vec<(&'static str, Vec<f64>)>;

impl Case {
    /// The argument of this name.
    ///
    /// # Panics
    /// If there is none.
    pub fn array(&self, name: &str) -> &Array {
        let found = self.given.iter().find(|array| array.name == name);
        found.unwrap_or_else(|| panic!("case {:?} has no {name}", self.name))
    }

    /// Its values.
    pub fn values(&self, name: &str) -> &[f64] {
        &self.array(name).values
    }

    /// Its shape.
    pub fn shape(&self, name: &str) -> &[usize] {
        &self.array(name).shape
    }

    /// The only number in it.
    pub fn number(&self, name: &str) -> f64 {
        self.values(name)[0]
    }

    /// Its values, which are `N` whole numbers.
    pub fn sizes<const N: usize>(&self, name: &str) -> [usize; N] {
        let values = self.values(name);
        std::array::from_fn(|i| values[i] as usize)
    }
}

impl Array {
    /// The array of this name.
    pub fn new(name: &str, shape: &[usize], values: Vec<f64>) -> Array {
        Array { name: name.to_string(), shape: shape.to_vec(), values }
    }
}

/// The cases in `text`.
///
/// # Errors
/// A line that is none of the four kinds, with its number.
pub fn parse(text: &str) -> Result<Vec<Case>, String> {
    let mut cases: Vec<Case> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let problem = || format!("line {} can't be read: {line}", number + 1);
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        match (kind, cases.last_mut()) {
            ("", _) => {}
            ("case", _) => cases.push(Case { name: rest.to_string(), given: Vec::new(), wanted: Vec::new() }),
            ("given", Some(case)) => case.given.push(parse_array(rest).ok_or_else(problem)?),
            ("wanted", Some(case)) => case.wanted.push(parse_array(rest).ok_or_else(problem)?),
            _ => return Err(problem()),
        }
    }
    Ok(cases)
}

/// An array from `x [2,3] 1 2 3 4 5 6`.
fn parse_array(text: &str) -> Option<Array> {
    let mut words = text.split(' ');
    let name = words.next()?;
    let lengths = words.next()?.strip_prefix('[')?.strip_suffix(']')?;
    let lengths = lengths.split(',').filter(|length| !length.is_empty());
    let shape: Vec<usize> = lengths.map(|length| length.parse().ok()).collect::<Option<_>>()?;
    let values: Vec<f64> = words.map(|value| value.parse().ok()).collect::<Option<_>>()?;
    (values.len() == shape.iter().product::<usize>()).then(|| Array::new(name, &shape, values))
}

impl Display for Case {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        writeln!(f, "case {}", self.name)?;
        self.given.iter().try_for_each(|array| writeln!(f, "given {array}"))?;
        self.wanted.iter().try_for_each(|array| writeln!(f, "wanted {array}"))
    }
}

impl Display for Array {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        write!(f, "{} {}{}", self.name, shape(&self.shape), numbers(&self.values))
    }
}

/// A shape as `[2,3]`.
pub fn shape(lengths: &[usize]) -> String {
    let lengths: Vec<String> = lengths.iter().map(usize::to_string).collect();
    format!("[{}]", lengths.join(","))
}

/// Each of `values` with a space before it.
pub fn numbers(values: &[f64]) -> String {
    values.iter().map(|&value| format!(" {}", number(value))).collect()
}

/// The shortest text that reads back as `value`: 0.1, 3, 1e-8.
pub fn number(value: f64) -> String {
    let text = format!("{value:?}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_string)
}
