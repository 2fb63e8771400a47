//! A matrix as the products take it: read-only, either as it is or transposed.

/// A read-only matrix: value (i, j) is `values[i * row_stride + j * column_stride]`. All of them lie within.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    pub(super) values: &'a [f32],
    /// How many rows it has.
    pub rows: usize,
    pub(super) columns: usize,
    pub(super) row_stride: usize,
    pub(super) column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// A row-major matrix.
    ///
    /// # Panics
    /// If `values` is shorter than `rows` · `columns`.
    #[track_caller]
    pub fn new(values: &'a [f32], rows: usize, columns: usize) -> Matrix<'a> {
        let fits = |count| count <= values.len();
        assert!(
            rows.checked_mul(columns).is_some_and(fits),
            "gemm: a matrix of {rows} x {columns} in {} values",
            values.len()
        );
        Matrix { values, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The same values read transposed.
    pub fn transposed(self) -> Matrix<'a> {
        Matrix {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// `count` rows from `start` on.
    ///
    /// # Panics
    /// If there are fewer rows.
    pub fn row_block(self, start: usize, count: usize) -> Matrix<'a> {
        assert!(
            start <= self.rows && count <= self.rows - start,
            "gemm: {count} rows from {start} on of {}",
            self.rows
        );
        Matrix { values: &self.values[start * self.row_stride..], rows: count, ..self }
    }

    /// `count` columns from `start` on.
    pub fn column_block(self, start: usize, count: usize) -> Matrix<'a> {
        self.transposed().row_block(start, count).transposed()
    }

    /// `count` values of row i, which must be side by side.
    pub(super) fn row(&self, i: usize, count: usize) -> &'a [f32] {
        &self.values[i * self.row_stride..][..count]
    }

    /// Where each row begins.
    pub(super) fn row_offsets(&self) -> Vec<usize> {
        (0..self.rows).map(|row| row * self.row_stride).collect()
    }
}
