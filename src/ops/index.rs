//! Parts of an array by numbers and ranges, axis by axis: a [`slice`](fn@super::slice) that leaves out the axes from
//! which a single place was taken.
//!
//! ```
//! use minimax::{Device, Tensor};
//!
//! let x = Tensor::arange(24, Device::Cpu).reshape([2, 3, 4]);
//! assert_eq!(x.index(1).dims(), [3, 4]);
//! assert_eq!(x.index((1, .., 2)).to_f64(), [14.0, 18.0, 22.0]);
//! assert_eq!(x.index((.., 1..3, ..=1)).dims(), [2, 2, 2]);
//! ```

use super::{reshape, slice};
use crate::tensor::Tensor;
use std::ops::{Range, RangeFrom, RangeFull, RangeInclusive, RangeTo, RangeToInclusive};

/// What is taken of an axis: one place or a range. Numbers and ranges turn into it.
///
/// ```
/// use minimax::ops::index::Index;
///
/// assert_eq!(Index::from(2), Index::At(2));
/// assert_eq!(Index::from(1..), Index::Within(1, None));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Index {
    /// One place; the result lacks the axis.
    At(usize),
    /// The places from the first number up to, but not including, the second, or up to the end of the axis.
    Within(usize, Option<usize>),
}

impl From<usize> for Index {
    fn from(place: usize) -> Index {
        Index::At(place)
    }
}

impl From<Range<usize>> for Index {
    fn from(range: Range<usize>) -> Index {
        Index::Within(range.start, Some(range.end))
    }
}

impl From<RangeInclusive<usize>> for Index {
    fn from(range: RangeInclusive<usize>) -> Index {
        Index::Within(*range.start(), Some(range.end().saturating_add(1)))
    }
}

impl From<RangeToInclusive<usize>> for Index {
    fn from(range: RangeToInclusive<usize>) -> Index {
        Index::Within(0, Some(range.end.saturating_add(1)))
    }
}

impl From<RangeFrom<usize>> for Index {
    fn from(range: RangeFrom<usize>) -> Index {
        Index::Within(range.start, None)
    }
}

impl From<RangeTo<usize>> for Index {
    fn from(range: RangeTo<usize>) -> Index {
        Index::Within(0, Some(range.end))
    }
}

impl From<RangeFull> for Index {
    fn from(_: RangeFull) -> Index {
        Index::Within(0, None)
    }
}

/// What is taken of the first axes of an array: a number or a range, or a tuple of up to six of them.
pub trait Indices {
    /// One for each of the first axes.
    fn indices(self) -> Vec<Index>;
}

impl<I: Into<Index>> Indices for I {
    fn indices(self) -> Vec<Index> {
        vec![self.into()]
    }
}

/// [`Indices`] of a tuple.
macro_rules! of_tuple {
    ($($name:ident),+) => {
        impl<$($name: Into<Index>),+> Indices for ($($name,)+) {
            #[expect(non_snake_case, reason = "each part has the name of its type")]
            fn indices(self) -> Vec<Index> {
                let ($($name,)+) = self;
                vec![$($name.into()),+]
            }
        }
    };
}

of_tuple!(A);
of_tuple!(A, B);
of_tuple!(A, B, C);
of_tuple!(A, B, C, D);
of_tuple!(A, B, C, D, E);
of_tuple!(A, B, C, D, E, F);

impl Tensor {
    /// The part at `indices`, which apply to the first axes; of the other axes everything is taken. See
    /// [`index`](crate::ops::index).
    ///
    /// # Panics
    /// If there are more indices than axes, or one reaches past its axis.
    #[track_caller]
    pub fn index(&self, indices: impl Indices) -> Tensor {
        let indices = indices.indices();
        assert!(indices.len() <= self.shape().rank(), "index: {indices:?} of a tensor of shape {}", self.shape());
        let (mut ranges, mut kept) = (Vec::new(), Vec::new());
        for (axis, &length) in self.dims().iter().enumerate() {
            let range = match indices.get(axis) {
                Some(&Index::At(place)) => place..place.saturating_add(1),
                Some(&Index::Within(start, end)) => start..end.unwrap_or(length),
                None => 0..length,
            };
            let fits = range.start <= range.end && range.end <= length;
            assert!(fits, "index: {indices:?} of a tensor of shape {}", self.shape());
            if !matches!(indices.get(axis), Some(Index::At(_))) {
                kept.push(range.len());
            }
            ranges.push(range);
        }
        reshape(&slice(self, &ranges), &kept[..])
    }
}
