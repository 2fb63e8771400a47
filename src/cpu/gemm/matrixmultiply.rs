//! The crate `matrixmultiply`, which stands in for our own kernels on machines whose instruction set they
//! are not written for: its kernels for SSE2 and NEON beat the portable one.
#![expect(unsafe_code, reason = "the crate's only interface is raw pointers")]

use super::Matrix;

/// C ← C + A · B on this thread alone, with C row-major.
///
/// # Panics
/// If the sizes don't fit.
pub fn add_product(a: Matrix, b: Matrix, c: &mut [f32]) {
    let (m, k, n) = (a.rows, a.columns, b.columns);
    a.assert_in_bounds();
    b.assert_in_bounds();
    let fits = |count| count <= c.len();
    assert!(
        k == b.rows && m.checked_mul(n).is_some_and(fits),
        "gemm: sizes don't fit"
    );
    // SAFETY: the asserts above hold every index (i, j) of A, B and C inside its slice, so no stride that is gone
    // along is beyond isize; `c` is borrowed mutably, so it overlaps neither.
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
            1.0,
            c.as_mut_ptr(),
            n as isize,
            1,
        );
    }
}

impl Matrix<'_> {
    fn assert_in_bounds(&self) {
        if self.rows > 0 && self.columns > 0 {
            let last = (self.rows - 1)
                .saturating_mul(self.row_stride)
                .saturating_add((self.columns - 1).saturating_mul(self.column_stride));
            assert!(last < self.values.len(), "gemm: matrix out of bounds");
        }
    }
}
