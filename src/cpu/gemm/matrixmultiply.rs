//! The crate `matrixmultiply` behind the GEMM interface.
#![expect(unsafe_code, reason = "the crate's only interface is raw pointers")]

use super::{Accumulate, Matrix};

pub(super) fn sgemm(a: Matrix, b: Matrix, c: &mut [f32], accumulate: Accumulate) {
    let (m, k, n) = (a.rows, a.columns, b.columns);
    let beta = match accumulate {
        Accumulate::Overwrite => 0.0,
        Accumulate::Add => 1.0,
    };
    a.assert_in_bounds();
    b.assert_in_bounds();
    assert!(c.len() >= m * n);
    // SAFETY: the asserts above hold every index (i, j) of A, B and C inside its slice; `c` is borrowed
    // mutably, so it overlaps neither.
    unsafe {
        ::matrixmultiply::sgemm(
            m,
            k,
            n,
            1.0,
            a.values.as_ptr(),
            a.row_stride as isize,
            a.column_stride as isize,
            b.values.as_ptr(),
            b.row_stride as isize,
            b.column_stride as isize,
            beta,
            c.as_mut_ptr(),
            n as isize,
            1,
        );
    }
}

impl Matrix<'_> {
    fn assert_in_bounds(&self) {
        if self.rows > 0 && self.columns > 0 {
            let last = (self.rows - 1) * self.row_stride + (self.columns - 1) * self.column_stride;
            assert!(last < self.values.len(), "gemm: matrix out of bounds");
        }
    }
}
