//! As the sum: in passes of tiles of fixed size.

use crate::cuda::Buffer;
use crate::ops::sum::Reduction;
use crate::ops::sum::cuda::{Kernels, reduce};
use crate::shape::Shape;

const MAX: Kernels = Kernels {
    stem: "max",
    few: "max_few",
    short_rows: "max_short_rows",
    long_rows: "max_long_rows",
    columns: "max_columns",
};

/// The largest of `x` over the axes of `reduction`.
pub fn max(x: &Buffer, shape: Shape, reduction: &Reduction) -> Buffer {
    reduce(&MAX, x, shape, reduction, None)
}
