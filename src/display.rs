//! Prints a tensor as NumPy prints an array: rows below rows, numbers in columns of equal width, and long axes without
//! their middle.
//!
//! ```
//! use minimax::{Device, Tensor};
//!
//! let x = Tensor::new(&[1.0, 2.5, -3.0, 0.25], [2, 2], Device::Cpu);
//! assert_eq!(x.to_string(), "[[ 1.    2.5 ]\n [-3.    0.25]]");
//! ```
//!
//! A number has as few digits as distinguish it from its neighbours in the tensor's element type, and at most 8 after
//! the point. All numbers have an exponent if one of them is 10⁸ or more, below 10⁻⁴, or a thousand times another.

use crate::storage::Storage;
use crate::tensor::Tensor;
use std::fmt;

/// The number of values above which the middle of long axes is left out.
const MANY: usize = 1000;

/// The number of places that are shown at each end of a long axis.
const EDGE: usize = 3;

/// The most characters of a line.
const LINE: usize = 75;

/// The most digits after the point.
const DIGITS: usize = 8;

/// As NumPy prints an array.
impl fmt::Display for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.dims() {
            [] => return f.write_str(&alone(&Numbers::of(self))),
            _ if self.numel() == 0 => return write!(f, "[], of shape {}", self.shape()),
            _ => {}
        }
        let values = Numbers::of(self);
        let shown = Shown { dims: self.dims(), shortened: self.numel() > MANY };
        let mut places = Vec::new();
        shown.places(0, 0, &mut places);
        let format = Format::of(&values, &places);
        let words: Vec<String> = places.iter().map(|&place| format.word(&values, place)).collect();
        let width = words.iter().map(String::len).max().unwrap_or(0);
        let words: Vec<String> = words.into_iter().map(|word| format!("{word:>width$}")).collect();
        let mut out = String::new();
        shown.write(0, 0, &mut words.iter(), &mut out);
        f.write_str(&out)
    }
}

/// The values, in the type whose digits are shown.
enum Numbers {
    Wide(Vec<f64>),
    Single(Vec<f32>),
}

impl Numbers {
    fn of(x: &Tensor) -> Numbers {
        match x.storage() {
            Storage::Reference(values) => Numbers::Wide(values.to_vec()),
            _ => Numbers::Single(x.to_f32()),
        }
    }

    /// True if `high` is more than a thousand times `low`, as the values' type divides.
    fn are_far_apart(&self, low: f64, high: f64) -> bool {
        match self {
            Numbers::Wide(_) => high / low > 1e3,
            Numbers::Single(_) => high as f32 / low as f32 > 1e3,
        }
    }

    /// True if `size` is below 10⁻⁴, as the values' type has that.
    fn is_tiny(&self, size: f64) -> bool {
        match self {
            Numbers::Wide(_) => size < 1e-4,
            Numbers::Single(_) => (size as f32) < 1e-4,
        }
    }

    fn at(&self, place: usize) -> f64 {
        match self {
            Numbers::Wide(values) => values[place],
            Numbers::Single(values) => f64::from(values[place]),
        }
    }

    /// The shortest digits, without an exponent.
    fn plain(&self, place: usize) -> String {
        match self {
            Numbers::Wide(values) => values[place].to_string(),
            Numbers::Single(values) => values[place].to_string(),
        }
    }

    /// The shortest digits, as `1.5e-7`.
    fn scientific(&self, place: usize) -> String {
        match self {
            Numbers::Wide(values) => format!("{:e}", values[place]),
            Numbers::Single(values) => format!("{:e}", values[place]),
        }
    }
}

/// How all numbers are written.
struct Format {
    has_exponent: bool,
    /// The number of characters after the point, to which all numbers are filled up.
    behind: usize,
    /// The number of characters of an exponent, with its sign.
    exponent: usize,
}

impl Format {
    fn of(values: &Numbers, places: &[usize]) -> Format {
        let sizes = places.iter().map(|&place| values.at(place).abs()).filter(|v| v.is_finite() && *v > 0.0);
        let (low, high) = sizes.fold((f64::INFINITY, 0.0), |(low, high), v| (v.min(low), v.max(high)));
        let has_exponent = high > 0.0 && (high >= 1e8 || values.is_tiny(low) || values.are_far_apart(low, high));
        let digits = |&place: &usize| {
            let number = number(values, place, has_exponent)?;
            Some(number.split(['.', 'e']).nth(1).map_or(0, str::len))
        };
        let exponent = |&place: &usize| Some(number(values, place, has_exponent)?.split_once('e')?.1.len());
        Format {
            has_exponent,
            behind: places.iter().filter_map(digits).max().unwrap_or(0),
            exponent: places.iter().filter_map(exponent).max().unwrap_or(0),
        }
    }

    /// The value at `place`, filled up after the point: with zeros before an exponent, else with spaces.
    fn word(&self, values: &Numbers, place: usize) -> String {
        let Some(number) = number(values, place, self.has_exponent) else {
            return not_finite(values.at(place)).into();
        };
        match number.split_once('e') {
            Some((mantissa, exponent)) => {
                let missing = self.behind - mantissa.split('.').nth(1).map_or(0, str::len);
                let (sign, digits) = exponent.split_at(1);
                let width = self.exponent - 1;
                format!("{mantissa}{}e{sign}{digits:0>width$}", "0".repeat(missing))
            }
            None => {
                let missing = self.behind - number.split('.').nth(1).map_or(0, str::len);
                number + &" ".repeat(missing)
            }
        }
    }
}

/// The one value of a scalar, as NumPy prints one: `0.1`, `3.0`, `1e+20`.
fn alone(values: &Numbers) -> String {
    let value = values.at(0);
    if !value.is_finite() {
        return not_finite(value).into();
    }
    if value != 0.0 && (value.abs() >= 1e16 || values.is_tiny(value.abs())) {
        let number = values.scientific(0);
        let (mantissa, exponent) = number.split_once('e').unwrap_or((&number, "0"));
        let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
        return format!("{mantissa}e{sign}{digits:0>2}");
    }
    let number = values.plain(0);
    if number.contains('.') { number } else { number + ".0" }
}

fn not_finite(value: f64) -> &'static str {
    match value {
        v if v.is_nan() => "nan",
        v if v > 0.0 => "inf",
        _ => "-inf",
    }
}

/// The value at `place`, if it is finite: `3.`, `0.25` or, with an exponent, `2.5e-05`.
fn number(values: &Numbers, place: usize, has_exponent: bool) -> Option<String> {
    let value = values.at(place);
    if !value.is_finite() {
        return None;
    }
    if !has_exponent {
        return Some(fraction(&values.plain(place), |digits| format!("{value:.digits$}")));
    }
    let shortest = values.scientific(place);
    let (mantissa, _) = shortest.split_once('e')?;
    let rounded = match behind_point(mantissa) > DIGITS {
        true => format!("{value:.DIGITS$e}"),
        false => shortest.clone(),
    };
    let (mantissa, exponent) = rounded.split_once('e')?;
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    Some(format!("{}e{sign}{digits:0>2}", fraction(mantissa, |_| mantissa.to_string())))
}

/// The number of characters after the point.
fn behind_point(number: &str) -> usize {
    number.split('.').nth(1).map_or(0, str::len)
}

/// `shortest` with a point and without zeros at its end; `rounded` to [`DIGITS`] digits if it has more.
fn fraction(shortest: &str, rounded: impl Fn(usize) -> String) -> String {
    let number = match behind_point(shortest) > DIGITS {
        true => rounded(DIGITS),
        false => shortest.to_string(),
    };
    match number.contains('.') {
        true => number.trim_end_matches('0').to_string(),
        false => number + ".",
    }
}

/// Which places are shown.
struct Shown<'a> {
    dims: &'a [usize],
    shortened: bool,
}

impl Shown<'_> {
    /// The indices of `axis` that are shown, `None` for those left out.
    fn indices(&self, axis: usize) -> Vec<Option<usize>> {
        let length = self.dims[axis];
        match self.shortened && length > 2 * EDGE {
            true => (0..EDGE).map(Some).chain([None]).chain((length - EDGE..length).map(Some)).collect(),
            false => (0..length).map(Some).collect(),
        }
    }

    /// The number of values from one index of `axis` to the next.
    fn stride(&self, axis: usize) -> usize {
        self.dims[axis + 1..].iter().product()
    }

    /// Appends the places of what is shown from `axis` on, beginning at `start`.
    fn places(&self, axis: usize, start: usize, to: &mut Vec<usize>) {
        if axis == self.dims.len() {
            return to.push(start);
        }
        for index in self.indices(axis).into_iter().flatten() {
            self.places(axis + 1, start + index * self.stride(axis), to);
        }
    }

    /// Appends what is shown from `axis` on: the next of `words`, behind `indent` brackets.
    fn write<'w>(&self, axis: usize, indent: usize, words: &mut impl Iterator<Item = &'w String>, out: &mut String) {
        if axis == self.dims.len() {
            return out.push_str(words.next().map_or("", String::as_str));
        }
        out.push('[');
        let is_row = axis + 1 == self.dims.len();
        let blank = " ".repeat(indent + 1);
        let mut line = indent + 1;
        for (i, index) in self.indices(axis).into_iter().enumerate() {
            let mut part = String::new();
            match index {
                Some(_) => self.write(axis + 1, indent + 1, words, &mut part),
                None => part.push_str("..."),
            }
            if i > 0 && is_row {
                // NumPy leaves room for the brackets that may close here.
                if line + 1 + part.len() > LINE - self.dims.len() {
                    out.truncate(out.trim_end().len());
                    out.push('\n');
                    out.push_str(&blank);
                    line = indent + 1;
                } else {
                    out.push(' ');
                    line += 1;
                }
            } else if i > 0 {
                out.push_str(&"\n".repeat(self.dims.len() - 1 - axis));
                out.push_str(&blank);
            }
            line += part.len();
            out.push_str(&part);
        }
        out.push(']');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Device;

    fn shown(values: &[f64], shape: &[usize], device: Device) -> String {
        Tensor::new(values, shape, device).to_string()
    }

    fn counted(count: usize, divisor: f32, shape: &[usize]) -> String {
        let values: Vec<f32> = (0..count).map(|i| i as f32 / divisor).collect();
        Tensor::from_f32(&values, shape, Device::Cpu).to_string()
    }

    /// The right side is what `print(numpy.array(...))` prints, of float32 for the CPU and of float64 for the
    /// reference.
    #[test]
    fn it_is_what_numpy_prints() {
        use Device::{Cpu, Reference};
        let (nan, infinity) = (f64::NAN, f64::INFINITY);
        for (values, device, expected) in [
            (&[1e-5, 1.0, 2.0][..], Cpu, "[1.e-05 1.e+00 2.e+00]"),
            (&[1.0, 2000.5], Cpu, "[1.0000e+00 2.0005e+03]"),
            (&[0.001, 0.9999], Cpu, "[0.001  0.9999]"),
            (&[0.1, 1.0 / 3.0, 2.0 / 3.0], Reference, "[0.1        0.33333333 0.66666667]"),
            (&[0.1, 1.0 / 3.0], Cpu, "[0.1        0.33333334]"),
            (&[nan, infinity, -infinity, 1.5], Cpu, "[ nan  inf -inf  1.5]"),
            (&[123_456_789.0, 1.5], Cpu, "[1.2345679e+08 1.5000000e+00]"),
            (&[0.0, 0.0], Cpu, "[0. 0.]"),
            (&[1e10, nan], Reference, "[1.e+10    nan]"),
            (&[-0.0, 1e-7], Cpu, "[-0.e+00  1.e-07]"),
            (&[1e-100, 1.0], Reference, "[1.e-100 1.e+000]"),
            (&[0.0001, 0.001], Cpu, "[0.0001 0.001 ]"),
            (&[0.009, 9.0], Cpu, "[9.e-03 9.e+00]"),
            (&[1.0 / 3e5, 2.0 / 3.0], Reference, "[3.33333333e-06 6.66666667e-01]"),
        ] {
            assert_eq!(shown(values, &[values.len()], device), expected);
        }
        for (value, device, expected) in [
            (3.5, Cpu, "3.5"),
            (0.1, Cpu, "0.1"),
            (3.0, Reference, "3.0"),
            (nan, Cpu, "nan"),
            (1e20, Cpu, "1e+20"),
            (2.5e-5, Reference, "2.5e-05"),
        ] {
            assert_eq!(shown(&[value], &[], device), expected);
        }
        assert_eq!(shown(&[nan, 1.25], &[1, 2], Cpu), "[[ nan 1.25]]");
        let cube = "[[[ 0.  1.]\n  [ 2.  3.]]\n\n [[ 4.  5.]\n  [ 6.  7.]]\n\n [[ 8.  9.]\n  [10. 11.]]]";
        assert_eq!(counted(12, 1.0, &[3, 2, 2]), cube);
    }

    #[test]
    fn long_rows_are_broken_and_long_axes_shortened_as_numpy_does() {
        let broken = "[[0.         0.14285715 0.2857143  0.42857143 0.5714286  0.71428573\n  \
            0.85714287 1.         1.1428572  1.2857143 ]\n [1.4285715  1.5714285  1.7142857  1.8571428  \
            2.         2.142857\n  2.2857144  2.4285715  2.5714285  2.7142856 ]]";
        assert_eq!(counted(20, 7.0, &[2, 10]), broken);
        let shortened = "[0.000e+00 1.000e+00 2.000e+00 ... 1.997e+03 1.998e+03 1.999e+03]";
        assert_eq!(counted(2000, 1.0, &[2000]), shortened);
        let rows = "[[0.000e+00 1.000e+00 2.000e+00 ... 5.700e+01 5.800e+01 5.900e+01]\n \
            [6.000e+01 6.100e+01 6.200e+01 ... 1.170e+02 1.180e+02 1.190e+02]\n \
            [1.200e+02 1.210e+02 1.220e+02 ... 1.770e+02 1.780e+02 1.790e+02]\n ...\n \
            [1.020e+03 1.021e+03 1.022e+03 ... 1.077e+03 1.078e+03 1.079e+03]\n \
            [1.080e+03 1.081e+03 1.082e+03 ... 1.137e+03 1.138e+03 1.139e+03]\n \
            [1.140e+03 1.141e+03 1.142e+03 ... 1.197e+03 1.198e+03 1.199e+03]]";
        assert_eq!(counted(1200, 1.0, &[20, 60]), rows);
    }

    #[test]
    fn nothing_has_a_shape() {
        assert_eq!(shown(&[], &[0, 3], Device::Cpu), "[], of shape [0, 3]");
    }
}
