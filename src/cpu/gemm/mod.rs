//! Matrix products: the one door to them, so that what is behind can be replaced.
//!
//! C ← A · B + β C, for row-major or transposed operands. Behind it is `matrixmultiply`'s
//! single-threaded kernel; the threads are ours: C is cut into blocks that are computed apart. The
//! sum over k inside a block doesn't depend on the cutting, so the bits are the same for any number
//! of threads.

mod matrixmultiply;

use rayon::prelude::*;

/// A read-only matrix: value (i, j) is `values[i * row_stride + j * column_stride]`.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// A row-major matrix.
    ///
    /// # Panics
    /// If `values` is shorter than `rows` · `columns`.
    pub fn new(values: &'a [f32], rows: usize, columns: usize) -> Matrix<'a> {
        assert!(values.len() >= rows * columns, "gemm: matrix out of bounds");
        Matrix {
            values,
            rows,
            columns,
            row_stride: columns,
            column_stride: 1,
        }
    }

    /// The same values read across.
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
    fn row_block(self, start: usize, count: usize) -> Matrix<'a> {
        Matrix {
            values: &self.values[start * self.row_stride..],
            rows: count,
            ..self
        }
    }
}

/// What becomes of the values that C holds before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accumulate {
    /// C ← A · B.
    Overwrite,
    /// C ← A · B + C.
    Add,
}

/// C (row-major, `a.rows` × `b.columns`) from A and B, on the threads of the current pool.
///
/// # Panics
/// If the sizes don't fit.
pub fn gemm(a: Matrix, b: Matrix, c: &mut [f32], accumulate: Accumulate) {
    let (m, n) = (a.rows, b.columns);
    let block = block_rows(m, n, a.columns);
    if block >= m {
        return gemm_serial(a, b, c, accumulate);
    }
    c[..m * n]
        .par_chunks_mut(block * n)
        .enumerate()
        .for_each(|(i, c)| {
            let rows = c.len() / n;
            gemm_serial(a.row_block(i * block, rows), b, c, accumulate);
        });
}

/// As [`gemm`], on this thread alone: for callers that share out the work themselves.
///
/// # Panics
/// If the sizes don't fit.
pub fn gemm_serial(a: Matrix, b: Matrix, c: &mut [f32], accumulate: Accumulate) {
    let (m, k, n) = (a.rows, a.columns, b.columns);
    assert!(
        k == b.rows && c.len() >= m * n,
        "gemm: [{m}, {k}] · [{}, {n}] into {} values",
        b.rows,
        c.len()
    );
    matrixmultiply::sgemm(a, b, c, accumulate);
}

/// Rows of C per task: few enough tasks that packing B in each doesn't tell, none for a small
/// product. The number of threads has no say in it.
fn block_rows(m: usize, n: usize, k: usize) -> usize {
    if m * n * k < 1 << 17 {
        return m;
    }
    let tasks = if m <= 256 { 2 } else { 16 };
    m.div_ceil(tasks).next_multiple_of(16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Random};

    fn naive(a: Matrix, b: Matrix) -> Vec<f64> {
        let at = |m: Matrix, i, j| f64::from(m.values[i * m.row_stride + j * m.column_stride]);
        let mut c = Vec::new();
        for i in 0..a.rows {
            for j in 0..b.columns {
                c.push((0..a.columns).map(|p| at(a, i, p) * at(b, p, j)).sum());
            }
        }
        c
    }

    #[test]
    fn every_transposition_and_size_agrees_with_the_naive_product() {
        let mut random = Random::new(1, Purpose::Check);
        for (m, k, n) in [
            (1, 1, 1),
            (3, 5, 2),
            (33, 17, 65),
            (200, 300, 150),
            (1000, 70, 60),
        ] {
            let mut draw =
                |len| -> Vec<f32> { random.normal(len).into_iter().map(|v| v as f32).collect() };
            let (a, b, before) = (draw(m * k), draw(k * n), draw(m * n));
            for (ta, tb) in [(false, false), (true, false), (false, true), (true, true)] {
                let matrix = |values, rows, columns, transposed| match transposed {
                    false => Matrix::new(values, rows, columns),
                    true => Matrix::new(values, columns, rows).transposed(),
                };
                let (a, b) = (matrix(&a, m, k, ta), matrix(&b, k, n, tb));
                let mut c = before.clone();
                gemm(a, b, &mut c, Accumulate::Add);
                let mut over = before.clone();
                gemm(a, b, &mut over, Accumulate::Overwrite);
                for (i, want) in naive(a, b).into_iter().enumerate() {
                    let tolerance = 1e-5 * (k as f64).sqrt().max(1.0) * 4.0;
                    assert!((f64::from(over[i]) - want).abs() < tolerance);
                    assert!((f64::from(c[i]) - want - f64::from(before[i])).abs() < tolerance);
                }
            }
        }
    }
}
