//! Shapes, broadcasting, and the geometry of a convolution: plain values, which kernels take as one argument.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;

/// The largest number of axes that a tensor can have.
pub const MAX_RANK: usize = 6;

/// The largest number of values that a shape can have: as many f64 as memory can have addresses for.
const MAX_VALUES: usize = isize::MAX as usize / size_of::<f64>();

/// The lengths of a tensor's axes, outermost first; the last axis is contiguous in memory.
///
/// No shape has more values than memory has addresses, so neither their number nor a stride overflows.
///
/// ```
/// use minimax::Shape;
///
/// let shape = Shape::new(&[2, 1, 4]);
/// assert_eq!((shape.rank(), shape.numel()), (3, 8));
/// assert_eq!(shape.strides()[..3], [4, 4, 1]);
/// assert_eq!(shape.broadcast(Shape::new(&[3, 1])), Some(Shape::new(&[2, 3, 4])));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    dims: [usize; MAX_RANK],
    rank: usize,
}

impl Shape {
    /// The shape with these axes; `[]` is a scalar.
    ///
    /// # Panics
    /// If there are more than [`MAX_RANK`] axes, or more values than could be in memory. For the latter an axis of
    /// length 0 counts as one of length 1, so that strides don't overflow either.
    #[track_caller]
    pub fn new(axes: &[usize]) -> Shape {
        assert!(axes.len() <= MAX_RANK, "shape {axes:?} has more than {MAX_RANK} axes");
        let mut dims = [1; MAX_RANK];
        dims[..axes.len()].copy_from_slice(axes);
        let shape = Shape { dims, rank: axes.len() };
        shape.assert_addressable();
        shape
    }

    #[track_caller]
    fn assert_addressable(&self) {
        let lengths = self.dims().iter().map(|&length| length.max(1));
        let values = lengths.fold(1, usize::saturating_mul);
        assert!(values <= MAX_VALUES, "shape {self} has more values than could be in memory");
    }

    /// The lengths of the axes.
    pub fn dims(&self) -> &[usize] {
        &self.dims[..self.rank]
    }

    /// The number of axes.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// The number of values; 1 for a scalar.
    pub fn numel(&self) -> usize {
        self.dims().iter().product()
    }

    // ANCHOR: strides
    /// The strides: how many values lie between neighbours along each axis.
    pub fn strides(&self) -> [usize; MAX_RANK] {
        let mut strides = [1; MAX_RANK];
        for axis in (0..self.rank.saturating_sub(1)).rev() {
            strides[axis] = strides[axis + 1] * self.dims[axis + 1];
        }
        strides
    }
    // ANCHOR_END: strides

    /// The same shape with `axis` of length `length`.
    ///
    /// # Panics
    /// If there is no such axis, or the result has more values than could be in memory.
    #[track_caller]
    pub fn with_axis(mut self, axis: usize, length: usize) -> Shape {
        assert!(axis < self.rank, "shape {self} has no axis {axis}");
        self.dims[axis] = length;
        self.assert_addressable();
        self
    }

    // ANCHOR: broadcast
    /// The shape that both broadcast to, or `None` if there is none. By NumPy's rule, axes are matched from the last,
    /// and an axis that is missing or has length 1 is stretched.
    ///
    /// # Panics
    /// If the result has more values than could be in memory.
    #[track_caller]
    pub fn broadcast(self, other: Shape) -> Option<Shape> {
        let rank = self.rank.max(other.rank);
        let mut dims = [1; MAX_RANK];
        for back in 1..=rank {
            let (a, b) = (self.back_axis(back), other.back_axis(back));
            dims[rank - back] = match (a, b) {
                _ if a == b => a,
                (1, _) => b,
                (_, 1) => a,
                _ => return None,
            };
        }
        Some(Shape::new(&dims[..rank]))
    }
    // ANCHOR_END: broadcast

    /// The strides with which a tensor of this shape is read when it is stretched to `target`: 0 along axes where it
    /// repeats.
    ///
    /// # Panics
    /// If this shape doesn't broadcast to `target`.
    #[track_caller]
    pub fn broadcast_strides(self, target: Shape) -> [usize; MAX_RANK] {
        assert!(self.broadcast(target) == Some(target), "shape {self} can't be stretched to {target}");
        let own = self.strides();
        let mut strides = [0; MAX_RANK];
        for back in 1..=self.rank {
            if self.back_axis(back) != 1 {
                strides[target.rank - back] = own[self.rank - back];
            }
        }
        strides
    }

    /// True if this shape, apart from leading axes of length 1, is the last axes of `whole`: `[c]` is a suffix of
    /// `[n, h, w, c]`.
    pub fn is_suffix_of(self, whole: Shape) -> bool {
        let ones = self.dims().iter().take_while(|&&d| d == 1).count();
        whole.dims().ends_with(&self.dims()[ones..])
    }

    fn back_axis(&self, back: usize) -> usize {
        if back <= self.rank { self.dims[self.rank - back] } else { 1 }
    }
}

impl From<&[usize]> for Shape {
    #[track_caller]
    fn from(axes: &[usize]) -> Shape {
        Shape::new(axes)
    }
}

impl<const N: usize> From<[usize; N]> for Shape {
    #[track_caller]
    fn from(axes: [usize; N]) -> Shape {
        Shape::new(&axes)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.dims())
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The rows or columns of zeros on each side of an image.
///
/// ```
/// use minimax::Padding;
///
/// let same = Padding::same([28, 28], [5, 5], [2, 2]);
/// assert_eq!((same.top, same.bottom), (1, 2));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table with top, bottom, left, right")]
#[repr(C)]
pub struct Padding {
    /// Rows above.
    pub top: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns to the left.
    pub left: usize,
    /// Columns to the right.
    pub right: usize,
}

impl Padding {
    /// No padding: TensorFlow's `valid`.
    pub const VALID: Padding = Padding { top: 0, bottom: 0, left: 0, right: 0 };

    /// The same number of zeros on every side.
    pub const fn symmetric(p: usize) -> Padding {
        Padding { top: p, bottom: p, left: p, right: p }
    }

    // ANCHOR: same
    /// TensorFlow's `same`, for an image `[h, w]`: the output has ceil(h / s) rows. That takes
    /// max((ceil(h / s) - 1) · s + k - h, 0) rows of zeros, the smaller half of them at the top; columns likewise.
    ///
    /// # Panics
    /// If a stride is 0.
    #[track_caller]
    pub fn same(image: [usize; 2], kernel: [usize; 2], stride: [usize; 2]) -> Padding {
        assert!(stride[0] > 0 && stride[1] > 0, "same padding: stride {stride:?} must be positive");
        let total = |n: usize, k: usize, s: usize| {
            let last = n.div_ceil(s).saturating_sub(1) * s;
            k.saturating_sub(n - last)
        };
        let (rows, columns) = (total(image[0], kernel[0], stride[0]), total(image[1], kernel[1], stride[1]));
        Padding { top: rows / 2, bottom: rows - rows / 2, left: columns / 2, right: columns - columns / 2 }
    }
    // ANCHOR_END: same
}

/// A convolution from `[n, h, w, c_in]` to `[n, out_h, out_w, c_out]`, with weights
/// `[kh, kw, c_in / groups, c_out]`.
///
/// With several groups, the channels of input and output are each cut into that many equal runs, and run i of the
/// outputs sees only run i of the inputs.
///
/// The transposed convolution and both gradients are described by the geometry of the convolution that they belong to,
/// so that one value serves all of them.
///
/// ```
/// use minimax::shape::{Conv2dGeometry, Padding};
///
/// let (x, weight) = ([32, 28, 28, 1].into(), [5, 5, 1, 64].into());
/// let geometry = Conv2dGeometry::new("an example", x, weight, [2, 2], Padding::symmetric(2));
/// assert_eq!(geometry.output().dims(), [32, 14, 14, 64]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Conv2dGeometry {
    /// Images in the batch.
    pub n: usize,
    /// Rows of the input.
    pub h: usize,
    /// Columns of the input.
    pub w: usize,
    /// Channels of the input.
    pub c_in: usize,
    /// Rows of the output.
    pub out_h: usize,
    /// Columns of the output.
    pub out_w: usize,
    /// Channels of the output.
    pub c_out: usize,
    /// Groups of channels; both numbers of channels are multiples of it.
    pub groups: usize,
    /// Rows of the kernel.
    pub kh: usize,
    /// Columns of the kernel.
    pub kw: usize,
    /// The rows and columns by which the kernel moves.
    pub stride: [usize; 2],
    /// Zeros around the input.
    pub padding: Padding,
}

impl Conv2dGeometry {
    /// The geometry of a convolution of `x` with `weight` in one group: out = floor((h + padding - k) / s) + 1.
    ///
    /// # Panics
    /// If the shapes don't fit, if the kernel is larger than the padded input, or if the padded input or the output has
    /// more values than could be in memory. The message begins with `op`.
    #[track_caller]
    pub fn new(op: &str, x: Shape, weight: Shape, stride: [usize; 2], padding: Padding) -> Conv2dGeometry {
        Conv2dGeometry::grouped(op, x, weight, 1, stride, padding)
    }

    /// As [`Conv2dGeometry::new`], in `groups` groups.
    ///
    /// # Panics
    /// Also if `groups` doesn't divide the channels of both sides.
    #[track_caller]
    pub fn grouped(
        op: &str,
        x: Shape,
        weight: Shape,
        groups: usize,
        stride: [usize; 2],
        padding: Padding,
    ) -> Conv2dGeometry {
        let (&[n, h, w, c_in], &[kh, kw, wc, c_out]) = (x.dims(), weight.dims()) else {
            panic!("{op}: input {x} and weight {weight} must both have 4 axes");
        };
        assert!(
            groups > 0 && c_in % groups == 0 && c_out % groups == 0,
            "{op}: {groups} groups don't divide the {c_in} channels of input {x} and the {c_out} of weight {weight}"
        );
        assert!(
            wc == c_in / groups,
            "{op}: input {x} has {c_in} channels in {groups} groups, weight {weight} takes {wc}"
        );
        assert!(stride[0] > 0 && stride[1] > 0, "{op}: stride {stride:?} must be positive");
        let [rows, columns] = padded(op, x, [h, w], padding);
        // Kernels make the padded input a few images at a time, and the output whole.
        Shape::new(&[n, rows, columns, c_in]);
        assert!(
            kh > 0 && kw > 0 && rows >= kh && columns >= kw,
            "{op}: weight {weight} is larger than input {x} with padding {padding:?}"
        );
        let geometry = Conv2dGeometry {
            n,
            h,
            w,
            c_in,
            out_h: (rows - kh) / stride[0] + 1,
            out_w: (columns - kw) / stride[1] + 1,
            c_out,
            groups,
            kh,
            kw,
            stride,
            padding,
        };
        geometry.output();
        geometry
    }

    /// The geometry of a pooling: a window of `kernel` = `[rows, columns]` moves over `x` as a kernel does, over each
    /// channel by itself, so that `c_in` = `c_out`. Every window has at least one pixel of the image.
    ///
    /// # Panics
    /// If `x` doesn't have 4 axes or has no pixels, if the window is larger than the padded image, if a side of the
    /// padding is as large as the window, or if the padded input or the output has more values than could be in memory.
    /// The message begins with `op`.
    #[track_caller]
    pub fn pooling(op: &str, x: Shape, kernel: [usize; 2], stride: [usize; 2], padding: Padding) -> Conv2dGeometry {
        let &[n, h, w, c] = x.dims() else {
            panic!("{op}: x {x} must have 4 axes");
        };
        let [kh, kw] = kernel;
        assert!(h > 0 && w > 0, "{op}: x {x} has no pixels");
        assert!(kh > 0 && kw > 0, "{op}: window {kernel:?} must be positive");
        assert!(stride[0] > 0 && stride[1] > 0, "{op}: stride {stride:?} must be positive");
        assert!(
            padding.top.max(padding.bottom) < kh && padding.left.max(padding.right) < kw,
            "{op}: {padding:?} must be less than the window {kernel:?} on every side"
        );
        let [rows, columns] = padded(op, x, [h, w], padding);
        assert!(rows >= kh && columns >= kw, "{op}: window {kernel:?} is larger than x {x} with padding {padding:?}");
        let [out_h, out_w] = [(rows - kh) / stride[0] + 1, (columns - kw) / stride[1] + 1];
        let geometry = Conv2dGeometry { n, h, w, c_in: c, out_h, out_w, c_out: c, groups: 1, kh, kw, stride, padding };
        geometry.output();
        geometry
    }

    /// `[n, h, w, c_in]`.
    pub fn input(&self) -> Shape {
        [self.n, self.h, self.w, self.c_in].into()
    }

    /// `[kh, kw, c_in / groups, c_out]`.
    pub fn weight(&self) -> Shape {
        [self.kh, self.kw, self.c_in / self.groups, self.c_out].into()
    }

    /// The geometry of a single group by itself.
    pub fn of_group(&self) -> Conv2dGeometry {
        Conv2dGeometry { c_in: self.c_in / self.groups, c_out: self.c_out / self.groups, groups: 1, ..*self }
    }

    /// `[n, out_h, out_w, c_out]`.
    #[track_caller]
    pub fn output(&self) -> Shape {
        [self.n, self.out_h, self.out_w, self.c_out].into()
    }

    /// The number of values that one output value sees: kh · kw · c_in / groups, the width of an im2col row.
    pub fn patch(&self) -> usize {
        self.kh * self.kw * (self.c_in / self.groups)
    }

    /// The input row that output row `y` and kernel row `i` meet, or `None` in the padding.
    #[inline]
    pub fn input_row(&self, y: usize, i: usize) -> Option<usize> {
        (y * self.stride[0] + i).checked_sub(self.padding.top).filter(|&row| row < self.h)
    }

    /// The input column that output column `x` and kernel column `j` meet, or `None` in the padding.
    #[inline]
    pub fn input_column(&self, x: usize, j: usize) -> Option<usize> {
        (x * self.stride[1] + j).checked_sub(self.padding.left).filter(|&column| column < self.w)
    }

    /// All input rows that output row `y` meets.
    #[inline]
    pub fn input_rows(&self, y: usize) -> Range<usize> {
        let (start, top) = (y * self.stride[0], self.padding.top);
        start.saturating_sub(top)..(start + self.kh).saturating_sub(top).min(self.h)
    }

    /// All input columns that output column `x` meets.
    #[inline]
    pub fn input_columns(&self, x: usize) -> Range<usize> {
        let (start, left) = (x * self.stride[1], self.padding.left);
        start.saturating_sub(left)..(start + self.kw).saturating_sub(left).min(self.w)
    }
}

/// The rows and columns of an image `[h, w]` of `x` with `padding` around it.
///
/// # Panics
/// If they are more than could be in memory; the message begins with `op`.
#[track_caller]
fn padded(op: &str, x: Shape, [h, w]: [usize; 2], padding: Padding) -> [usize; 2] {
    let padded = |length: usize, before, after| {
        let sum = length.checked_add(before)?.checked_add(after)?;
        (sum <= MAX_VALUES).then_some(sum)
    };
    let (Some(rows), Some(columns)) = (padded(h, padding.top, padding.bottom), padded(w, padding.left, padding.right))
    else {
        panic!("{op}: {padding:?} around {x} is more than could be in memory");
    };
    [rows, columns]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_padding_puts_the_smaller_half_first() {
        for (n, before, after) in [(28, 1, 2), (14, 1, 2), (32, 1, 2), (7, 2, 2)] {
            let p = Padding::same([n, n], [5, 5], [2, 2]);
            assert_eq!((p.top, p.bottom, p.left, p.right), (before, after, before, after));
        }
        assert_eq!(Padding::same([9, 9], [1, 1], [3, 3]), Padding::VALID);
    }

    #[test]
    fn broadcasting_follows_numpy() {
        let shape = |d: &[usize]| Shape::new(d);
        assert_eq!(shape(&[4, 1, 3]).broadcast(shape(&[5, 1])), Some(shape(&[4, 5, 3])));
        assert_eq!(shape(&[2, 3]).broadcast(shape(&[2])), None);
        assert_eq!(shape(&[3, 1]).broadcast_strides(shape(&[2, 3, 4]))[..3], [0, 1, 0]);
        assert!(shape(&[1, 3]).is_suffix_of(shape(&[2, 3])));
        assert!(!shape(&[2]).is_suffix_of(shape(&[2, 3])));
    }
}
