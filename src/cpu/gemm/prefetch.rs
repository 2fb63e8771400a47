//! Asking for memory before it is needed, where its order is not one that the machine foresees: rows of a
//! large matrix, a few cache lines of each.
#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "the instruction takes a raw pointer")
)]

use super::Matrix;

/// f32 values in a cache line.
const LINE: usize = 16;

/// Asks for part `i` of `parts` of what `matrix` holds, to be read soon.
pub(super) fn prefetch(matrix: Matrix, i: usize, parts: usize) {
    // Lines lie along what is side by side.
    let lines = if matrix.column_stride == 1 { matrix } else { matrix.transposed() };
    let rows = lines.rows.div_ceil(parts);
    for row in (i * rows)..((i + 1) * rows).min(lines.rows) {
        prefetch_line_by_line(lines.row(row, lines.columns));
    }
}

/// Asks for `values`.
pub(super) fn prefetch_line_by_line(values: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in values.chunks(LINE) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint; it changes nothing and can't fail, and x86-64 has had it from the beginning.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) }
    }
}
