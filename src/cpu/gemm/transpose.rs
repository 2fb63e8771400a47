//! Transposition, in blocks of 8 × 8 that stay in registers where the machine has AVX2.
#![cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "intrinsics on raw pointers"))]

use super::matrix::Matrix;
#[cfg(target_arch = "x86_64")]
use crate::cpu::isa::{self, InstructionSet};

/// Writes `matrix`ᵀ to rows that begin `width` values apart. The values of a row of `matrix` must lie side by side.
///
/// # Panics
/// If anything reaches outside its slice.
pub(super) fn transpose(matrix: Matrix, width: usize, to: &mut [f32]) {
    let (rows, columns, stride) = (matrix.rows, matrix.columns, matrix.row_stride);
    if rows == 0 || columns == 0 {
        return;
    }
    let end = |count: usize, step, length| (count - 1).saturating_mul(step).saturating_add(length);
    assert!(
        matrix.column_stride == 1
            && end(rows, stride, columns) <= matrix.values.len()
            && end(columns, width, rows) <= to.len(),
        "transpose: {rows} x {columns} values reach outside their slices"
    );
    #[cfg(target_arch = "x86_64")]
    if isa::current() != InstructionSet::Portable {
        let [whole_rows, whole_columns] = [rows, columns].map(|n| n - n % 8);
        for i in (0..whole_rows).step_by(8) {
            for j in (0..whole_columns).step_by(8) {
                // SAFETY: AVX2 is there, and the assert above holds all of the block in its slices.
                unsafe {
                    let from = matrix.values.as_ptr().add(i * stride + j);
                    x86::block(from, stride, to.as_mut_ptr().add(j * width + i), width);
                }
            }
        }
        // What is left: below the blocks, and beside them.
        if whole_rows < rows {
            let below = matrix.row_block(whole_rows, rows - whole_rows);
            value_by_value(below, width, &mut to[whole_rows..]);
        }
        if whole_columns < columns {
            let beside = matrix.column_block(whole_columns, columns - whole_columns);
            let beside = beside.row_block(0, whole_rows);
            value_by_value(beside, width, &mut to[whole_columns * width..]);
        }
        return;
    }
    value_by_value(matrix, width, to);
}

fn value_by_value(matrix: Matrix, width: usize, to: &mut [f32]) {
    for i in 0..matrix.rows {
        let row = &matrix.values[i * matrix.row_stride..][..matrix.columns];
        let column = to[i..].iter_mut().step_by(width);
        column.zip(row).for_each(|(to, &v)| *to = v);
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::*;

    /// Transposes the 8 × 8 values at `from`, in rows `stride` apart, to rows `width` apart at `to`.
    ///
    /// # Safety
    /// Both can be reached for 8 rows of 8 values, and the machine has AVX2.
    #[target_feature(enable = "avx2")]
    pub unsafe fn block(from: *const f32, stride: usize, to: *mut f32, width: usize) {
        // Rows i and i + 4 share a vector, so that what crosses its halves is done by the loads.
        let mut halves = [[_mm256_setzero_ps(); 4]; 2];
        for (half, vectors) in halves.iter_mut().enumerate() {
            for (i, vector) in vectors.iter_mut().enumerate() {
                // SAFETY: as this function's.
                *vector = unsafe {
                    let from = from.add(i * stride + 4 * half);
                    let low = _mm256_castps128_ps256(_mm_loadu_ps(from));
                    _mm256_insertf128_ps::<1>(low, _mm_loadu_ps(from.add(4 * stride)))
                };
            }
        }
        for (half, [r0, r1, r2, r3]) in halves.into_iter().enumerate() {
            let (a, b) = (_mm256_unpacklo_ps(r0, r1), _mm256_unpackhi_ps(r0, r1));
            let (c, d) = (_mm256_unpacklo_ps(r2, r3), _mm256_unpackhi_ps(r2, r3));
            let columns = [
                _mm256_shuffle_ps::<0b01_00_01_00>(a, c),
                _mm256_shuffle_ps::<0b11_10_11_10>(a, c),
                _mm256_shuffle_ps::<0b01_00_01_00>(b, d),
                _mm256_shuffle_ps::<0b11_10_11_10>(b, d),
            ];
            for (j, column) in columns.into_iter().enumerate() {
                // SAFETY: as this function's.
                unsafe { _mm256_storeu_ps(to.add((4 * half + j) * width), column) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_changes_row_and_column() {
        for (rows, columns) in [(1, 1), (8, 8), (7, 9), (16, 24), (19, 37), (64, 130), (0, 5)] {
            let from: Vec<f32> = (0..rows * columns).map(|v| v as f32).collect();
            let width = rows + 3;
            let mut to = vec![-1.0; columns * width];
            transpose(Matrix::new(&from, rows, columns), width, &mut to);
            for (at, &found) in to.iter().enumerate() {
                let (j, i) = (at / width, at % width);
                let want = if i < rows { from[i * columns + j] } else { -1.0 };
                assert_eq!(found, want, "{rows} x {columns}: row {i}, column {j}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "reach outside their slices")]
    fn a_width_so_large_that_the_end_wraps_around_is_refused() {
        transpose(Matrix::new(&[0.0; 64], 8, 8), usize::MAX / 7 + 1, &mut [0.0; 64]);
    }

    #[test]
    #[should_panic(expected = "reach outside their slices")]
    fn too_short_a_target_is_refused() {
        transpose(Matrix::new(&[0.0; 64], 8, 8), 8, &mut [0.0; 63]);
    }
}
