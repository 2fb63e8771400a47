//! Points as metrics read them: rows of values, a few at a time. Of large images, only those that are being worked on
//! are in memory as numbers.

use crate::storage::Device;
use crate::tensor::Tensor;
use std::ops::Range;

/// The number of values that are worked on at a time: 16 MiB of f32.
const VALUES: usize = 1 << 22;

/// The fewest rows at a time: fewer leave a matrix product's tiles half empty.
const FEWEST: usize = 16;

/// Adds the values of one point to a list.
type Read<'a> = Box<dyn Fn(usize, &mut Vec<f32>) + 'a>;

/// Points with some number of dimensions: images, or features of them.
///
/// ```
/// use minimax::metrics::Points;
///
/// let features = Points::of(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 3);
/// assert_eq!((features.len(), features.dimensions()), (2, 3));
///
/// let images: [&[u8]; 2] = [&[0, 255], &[128, 64]];
/// let pixels = Points::new(2, 2, |i, row| row.extend(images[i].iter().map(|&byte| f32::from(byte))));
/// assert_eq!(pixels.len(), 2);
/// ```
pub struct Points<'a> {
    count: usize,
    dimensions: usize,
    read: Read<'a>,
}

impl<'a> Points<'a> {
    /// `count` points of `dimensions` values each; `read` is given a point's index and appends its values to a list.
    pub fn new(count: usize, dimensions: usize, read: impl Fn(usize, &mut Vec<f32>) + 'a) -> Points<'a> {
        Points { count, dimensions, read: Box::new(read) }
    }

    /// The rows of `values`, `[n, dimensions]`.
    ///
    /// # Panics
    /// If `values` doesn't consist of whole rows.
    pub fn of(values: &'a [f32], dimensions: usize) -> Points<'a> {
        assert!(values.len().is_multiple_of(dimensions), "points: {} values in rows of {dimensions}", values.len());
        Points::new(values.len() / dimensions, dimensions, move |index, to| {
            to.extend(&values[index * dimensions..][..dimensions]);
        })
    }

    /// The number of points.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are no points.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The number of values of each point.
    pub fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// The most values of `count` points of `dimensions` that are worked on at a time.
    pub(crate) fn most_at_a_time(count: usize, dimensions: usize) -> usize {
        count.min(most_rows(dimensions)) * dimensions
    }

    /// Some of the points, `[rows, dimensions]`.
    pub(super) fn tensor(&self, rows: Range<usize>) -> Tensor {
        let count = rows.len();
        Tensor::from_f32(&self.values(rows), [count, self.dimensions], Device::Cpu)
    }

    /// The values of some of the points, in any order, row after row.
    pub(super) fn values(&self, rows: impl ExactSizeIterator<Item = usize>) -> Vec<f32> {
        let mut values = Vec::with_capacity(rows.len() * self.dimensions);
        rows.for_each(|row| (self.read)(row, &mut values));
        values
    }

    /// [`Points::values`] in f64.
    pub(super) fn doubles(&self, rows: impl ExactSizeIterator<Item = usize>) -> Vec<f64> {
        self.values(rows).into_iter().map(f64::from).collect()
    }
}

/// The most rows at a time.
fn most_rows(dimensions: usize) -> usize {
    (VALUES / dimensions.max(1)).max(FEWEST)
}

/// Cuts `count` rows of `dimensions` values into ranges of about equal length. None is much shorter than the others,
/// because matrix products with very few columns are summed in another order.
pub(super) fn rows_at_a_time(count: usize, dimensions: usize) -> impl Iterator<Item = Range<usize>> {
    even_parts(count, most_rows(dimensions))
}

/// As [`rows_at_a_time`], at most `most` of them.
pub(super) fn few_rows_at_a_time(count: usize, dimensions: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
    even_parts(count, most_rows(dimensions).min(most))
}

fn even_parts(count: usize, most: usize) -> impl Iterator<Item = Range<usize>> {
    let parts = count.div_ceil(most);
    (0..parts).map(move |part| count * part / parts..count * (part + 1) / parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_all_rows_and_are_long_enough() {
        for (count, dimensions) in [(1000, 784), (1000, 1 << 18), (17, 1 << 22), (1, 1), (33, 1 << 20)] {
            let ranges: Vec<_> = rows_at_a_time(count, dimensions).collect();
            assert_eq!((ranges[0].start, ranges[ranges.len() - 1].end), (0, count));
            assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
            let most = most_rows(dimensions);
            let long = |r: &Range<usize>| r.len() <= most && (r.len() >= FEWEST / 2 || count < FEWEST);
            assert!(ranges.iter().all(long), "{count}: {ranges:?}");
        }
    }
}
