//! The scale of an axis: its range, and the places and labels of its ticks.

use crate::terminal::thousands;
use libm::log10;

/// If values differ by less than this share of the largest, they are shown as a flat line, with room around it as
/// [`AROUND`] says.
const FLAT: f64 = 0.01;
/// The room above and below a flat line, as a share of the largest value.
const AROUND: f64 = 0.1;

/// The range of an axis, and its ticks in rising order.
pub(super) struct Axis {
    pub low: f64,
    pub high: f64,
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// An axis over `values` and a little more at each end, `margin` of its length, with about `most` ticks, which are
    /// at whole numbers if all values are whole. Without values it goes from 0 to 1; for one value, or values that
    /// hardly differ, it shows their surroundings. With `from_zero` it begins at 0, if no value is below.
    pub fn over(values: impl Iterator<Item = f64>, margin: f64, most: usize, from_zero: bool) -> Axis {
        let mut whole = true;
        let values = values.inspect(|value| whole &= value.fract() == 0.0);
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
        let largest = low.abs().max(high.abs());
        let from_zero = from_zero && low >= 0.0;
        let (low, high) = if from_zero && high > 0.0 {
            (0.0, high * (1.0 + margin))
        } else if from_zero {
            (0.0, 1.0)
        } else if high - low <= largest * FLAT {
            let around = if largest == 0.0 { 1.0 } else { largest * AROUND };
            (low - around, high + around)
        } else {
            let more = (high - low) * margin;
            (low - more, high + more)
        };
        let ticks = ticks(low, high, most, if whole { 1.0 } else { 0.0 });
        Axis { low, high, ticks }
    }

    /// The place of `value` on the axis, from 0 at its low end to 1 at its high end; values outside are put at the end.
    pub fn place(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

/// The range that shows the shape of `values`: all of them, unless a hundredth of the values at either end is so far
/// out that the rest would be squeezed into less than a quarter of the height.
pub(super) fn telling_range(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_unstable_by(f64::total_cmp);
    let (Some(&low), Some(&high)) = (values.first(), values.last()) else {
        return (f64::NEG_INFINITY, f64::INFINITY);
    };
    let cut = values.len() / 100;
    let (inner_low, inner_high) = (values[cut], values[values.len() - 1 - cut]);
    let inner = inner_high - inner_low;
    if inner > 0.0 && inner < (high - low) / 4.0 {
        (inner_low - inner / 10.0, inner_high + inner / 10.0)
    } else {
        (low, high)
    }
}

/// Multiples of 1, 2 or 5 times a power of ten between `low` and `high`, about `most` of them and at
/// least `least` apart.
fn ticks(low: f64, high: f64, most: usize, least: f64) -> Vec<(f64, String)> {
    let rough = ((high - low) / most as f64).max(least);
    let power = libm::pow(10.0, log10(rough).floor());
    let fits = |&times: &f64| times * power >= rough * 0.999;
    let step = power * [1.0, 2.0, 5.0].into_iter().find(fits).unwrap_or(10.0);
    let (first, last) = ((low / step).ceil(), (high / step).floor());
    (0..=(last - first) as usize).map(|i| (first + i as f64) * step).map(|value| (value, label(value, step))).collect()
}

/// `value` with as many digits as distinguish it from its neighbours, `step` away.
fn label(value: f64, step: f64) -> String {
    let text = if value.abs() < step / 2.0 {
        "0".into()
    } else if !(1e-4..1e9).contains(&step) {
        let digits = (log10(value.abs()).floor() - log10(step).floor()).clamp(0.0, 15.0);
        format!("{value:.*e}", digits as usize)
    } else if step >= 1e6 {
        format!("{:.0}M", value / 1e6)
    } else if step >= 1e3 {
        format!("{:.0}k", value / 1e3)
    } else {
        // The small addition is for steps that rounding has left just below a power of ten.
        let digits = (-(log10(step) + 1e-9).floor()).max(0.0);
        match digits > 0.0 || value.abs() >= 1e15 {
            true => format!("{value:.*}", digits as usize),
            false if value < 0.0 => format!("-{}", thousands(-value as u64)),
            false => thousands(value as u64),
        }
    };
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64) -> Vec<String> {
        let texts = ticks(low, high, 5, 0.0).into_iter().map(|(_, text)| text);
        texts.collect()
    }

    #[test]
    fn ticks_are_round_numbers_that_can_be_told_apart() {
        assert_eq!(labels(0.0, 1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(-0.3, 0.3), ["−0.2", "0", "0.2"]);
        assert_eq!(labels(0.0, 312.0), ["0", "100", "200", "300"]);
        assert_eq!(labels(0.0, 2400.0), ["0", "500", "1,000", "1,500", "2,000"]);
        assert_eq!(labels(-1300.0, 200.0), ["−1,000", "−500", "0"]);
        assert_eq!(labels(1.0, 100_000.0), ["20k", "40k", "60k", "80k", "100k"]);
        assert_eq!(labels(0.0, 4e6), ["0", "1M", "2M", "3M", "4M"]);
        assert_eq!(labels(0.0, 2e-6), ["0", "5e−7", "1.0e−6", "1.5e−6", "2.0e−6"]);
        assert_eq!(labels(-2e300, 1e300), ["−2e300", "−1e300", "0", "1e300"]);
        assert_eq!(labels(0.97, 1.03), ["0.98", "1.00", "1.02"]);
    }

    #[test]
    fn every_axis_has_a_length_and_ticks() {
        let values: [&[f64]; 8] =
            [&[], &[0.0], &[0.5, 0.5], &[-3e299], &[1e-300], &[1e15, 1e15 + 1.0], &[-1e299, 1e299], &[0.0, 5e-324]];
        for values in values {
            let axis = Axis::over(values.iter().copied(), 0.05, 5, false);
            assert!(axis.low < axis.high && (axis.high - axis.low).is_finite());
            assert!((1..=12).contains(&axis.ticks.len()), "{values:?} {:?}", axis.ticks);
            for &value in values {
                assert!((0.0..=1.0).contains(&axis.place(value)), "{values:?}");
            }
        }
        let texts = |values: &[f64]| {
            let axis = Axis::over(values.iter().copied(), 0.0, 5, false);
            axis.ticks.into_iter().map(|(_, text)| text).collect::<Vec<_>>()
        };
        assert_eq!(texts(&[7.0]), ["7"]);
        assert_eq!(texts(&[1.0, 3.0]), ["1", "2", "3"], "epochs are whole");
        assert_eq!(texts(&[1.0, 2.5]), ["1.0", "1.5", "2.0", "2.5"]);
        let axis = Axis::over([2.0, 4.0].into_iter(), 0.0, 5, false);
        assert_eq!([1.0, 2.0, 3.0, 9.0].map(|v| axis.place(v)), [0.0, 0.0, 0.5, 1.0]);
    }

    #[test]
    fn a_flat_line_is_drawn_flat_and_what_begins_at_zero_is() {
        let axis = |values: &[f64], from_zero| Axis::over(values.iter().copied(), 0.05, 5, from_zero);
        let flat = axis(&[2.310, 2.312, 2.311], false);
        assert!(flat.high - flat.low > 0.4, "{} to {}", flat.low, flat.high);
        let seconds = axis(&[2.31, 2.5, 2.28], true);
        assert_eq!((seconds.low, seconds.ticks[0].1.as_str()), (0.0, "0"));
        assert!(seconds.place(2.28) > 0.85 && seconds.place(2.5) < 1.0);
        let classes = axis(&[10.0, 10.0, 9.0], true);
        let texts: Vec<&str> = classes.ticks.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["0", "5", "10"]);
        assert_eq!(axis(&[0.0, 0.0], true).low, 0.0);
        assert!(axis(&[-1.0, 2.0], true).low < -1.0, "what is below is shown");
    }

    #[test]
    fn a_few_outliers_do_not_flatten_the_rest() {
        let mut values: Vec<f64> = (0..1000).map(|i| f64::from(i) / 1000.0).collect();
        assert_eq!(telling_range(values.clone()), (0.0, 0.999));
        values[500] = 1e6;
        let (low, high) = telling_range(values);
        assert!((-0.2..0.05).contains(&low) && (0.95..1.2).contains(&high), "{low} {high}");
        assert_eq!(telling_range(vec![1.0, 2.0, 100.0]), (1.0, 100.0));
    }
}
