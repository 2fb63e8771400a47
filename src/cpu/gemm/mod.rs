//! Matrix products: C = start + A · B, for row-major or transposed operands.
//!
//! | file | what |
//! |---|---|
//! | `mod.rs`, `matrix.rs` | the choice of the algorithm by the sizes of a product; its operands |
//! | `parts.rs` | how a product is shared among threads |
//! | `vectors.rs` | products with a vector, which have algorithms of their own |
//! | `blocks.rs` | how one thread's part is cut for the caches, and how B is packed |
//! | `rows.rs` | the place of a tile of C |
//! | `transpose.rs` | packs a B that is read transposed |
//! | `prefetch.rs` | fetches values into a cache ahead of their use |
//! | `walk.rs` | how k runs through A |
//! | `microkernel.rs`, `dots.rs` | the innermost loops, written once for vectors of any length |
//! | `vector.rs`, `table.rs` | the traits of a vector and of an instruction set, and the microkernels compiled for one |
//! | `avx512.rs`, `avx2.rs`, `portable.rs` | one instruction set each |
//! | `sets.rs` | all instruction sets, and the one in use, which is chosen at run time |
//!
//! Every instruction set gives the same bits. A value of C is summed over k in one lane of a vector, piece by piece;
//! how k is cut into pieces, and where vectors run along k how many sums there are side by side, follows from the
//! sizes of the product alone.
//!
//! A convolution is a product too, whose A is read from the images: see [`blocks::multiply`] and
//! [`super::im2col`].

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub mod blocks;
mod dots;
mod matrix;
pub mod microkernel;
mod parts;
mod portable;
mod prefetch;
mod rows;
pub mod sets;
mod table;
mod transpose;
mod vector;
mod vectors;
pub mod walk;

pub use matrix::Matrix;
pub use microkernel::Start;

use super::batch::size_to_choose_by;
use microkernel::MAX_LANES;
use parts::{by_columns, by_rows, by_transposed};
use sets::microkernels;
use table::Microkernels;

/// The most rows of a C that is cut by its columns.
const FEW_ROWS: usize = 256;

/// The most rows of an A that is transposed so that B need not be.
const ROWS_TO_TRANSPOSE: usize = 128;

/// C (row-major, `a.rows` × `b.columns`) = `start` + A · B, on the threads of the current pool.
///
/// # Panics
/// If the sizes don't fit.
pub fn gemm(a: Matrix, b: Matrix, c: &mut [f32], start: Start) {
    multiply(microkernels(), a, b, c, start);
}

/// [`gemm`] with the microkernels `kernels`.
fn multiply(kernels: &'static Microkernels, a: Matrix, b: Matrix, c: &mut [f32], start: Start) {
    let (m, k, n) = (a.rows, a.columns, b.columns);
    let values = m.checked_mul(n).filter(|&values| values <= c.len());
    let (Some(values), true) = (values, k == b.rows) else {
        panic!("gemm: [{m}, {k}] · [{}, {n}] into {} values", b.rows, c.len());
    };
    let c = &mut c[..values];
    if values == 0 {
        return;
    }
    if k == 0 {
        return fill(c, n, start);
    }
    if k == 1 {
        return vectors::outer(a, b, c, start);
    }
    // An image that is one of many is summed in the same way as the others.
    if m == 1 && size_to_choose_by(m) == 1 && b.column_stride == 1 {
        return vectors::sum_of_rows(a, b, c, start);
    }
    if n <= dots::COLUMNS && a.column_stride == 1 {
        return vectors::few_columns(kernels, a, b, c, start);
    }
    // A C of one column is the row of the transposed product.
    if n == 1 && a.row_stride == 1 && !matches!(start, Start::Bias(_)) {
        return vectors::sum_of_rows(b.transposed(), a.transposed(), c, start);
    }
    // Every task of a cut by columns goes through all of A, which takes longer if A is read transposed.
    let wide = if a.column_stride == 1 { m } else { 4 * m };
    if b.column_stride != 1 && transposing_pays(m, n) && matches!(start, Start::Zero) {
        by_transposed(kernels, a, b, c);
    } else if m <= FEW_ROWS && n >= wide {
        by_columns(kernels, a, b, c, start);
    } else {
        by_rows(kernels, a, b, c, start);
    }
}

/// Whether A should be transposed and packed instead of B: if it is the smaller and, as columns of Cᵀ, nearly fills
/// whole vectors. The longest vectors of any instruction set count, whichever are used, as k is cut into different
/// pieces in this algorithm than in others.
fn transposing_pays(m: usize, n: usize) -> bool {
    let empty = m.next_multiple_of(MAX_LANES) - m;
    m <= n.min(ROWS_TO_TRANSPOSE) && m > dots::COLUMNS && empty <= m / 16
}

/// C = `start`.
fn fill(c: &mut [f32], n: usize, start: Start) {
    match start {
        Start::Zero => c.fill(0.0),
        Start::Sum => {}
        Start::Bias(bias) => c.chunks_exact_mut(n).for_each(|row| row.copy_from_slice(&bias[..n])),
    }
}

#[cfg(test)]
mod tests {
    use super::sets::testable;
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

    /// And every instruction set with every other, to the bit.
    #[test]
    fn every_transposition_and_size_agrees_with_the_naive_product() {
        let mut random = Random::new(1, Purpose::CHECK);
        for (m, k, n) in [
            (1, 1, 1),
            (3, 5, 2),
            (7, 40, 3),
            (300, 33, 1),
            (33, 17, 65),
            (200, 300, 150),
            (1000, 70, 60),
            (5, 129, 1100),
            (64, 130, 203),
            (64, 500, 128),
            (256, 64, 512),
            (1, 90, 300),
            (1, 120, 1100),
            (1000, 80, 1),
            (30, 1, 70),
            (900, 1, 130),
            // Several blocks of rows and of k, and columns beyond the first group of panels.
            (200, 400, 1100),
            (2000, 20, 70),
            // Rows that fill vectors of 8 but not of 16, and k beyond a piece of either depth.
            (72, 900, 150),
            (40, 600, 400),
            // Vectors along k, and what is left of k by 16 and by 8.
            (50, 1000, 2),
            (9, 600, 3),
        ] {
            let mut draw = |len| -> Vec<f32> { random.normal(len).into_iter().map(|v| v as f32).collect() };
            let (a, b, before, bias) = (draw(m * k), draw(k * n), draw(m * n), draw(n));
            for (ta, tb) in [(false, false), (true, false), (false, true), (true, true)] {
                let matrix = |values, rows, columns, transposed| match transposed {
                    false => Matrix::new(values, rows, columns),
                    true => Matrix::new(values, columns, rows).transposed(),
                };
                let (a, b) = (matrix(&a, m, k, ta), matrix(&b, k, n, tb));
                let product = |kernels, start: Start| {
                    let mut c = before.clone();
                    multiply(kernels, a, b, &mut c, start);
                    c
                };
                let [first, others @ ..] = &testable()[..] else { panic!("no microkernels") };
                let [zero, sum, biased] =
                    [Start::Zero, Start::Sum, Start::Bias(&bias)].map(|start| product(first, start));
                let bits = |c: &[f32]| -> Vec<u32> { c.iter().map(|v| v.to_bits()).collect() };
                for other in others {
                    assert!(
                        bits(&sum) == bits(&product(other, Start::Sum)),
                        "{} is not {}: [{m}, {k}, {n}], transposed {ta}, {tb}",
                        other.name,
                        first.name
                    );
                }
                for (i, want) in naive(a, b).into_iter().enumerate() {
                    let tolerance = 1e-5 * (k as f64).sqrt().max(1.0) * 4.0;
                    let near = |found: f32, start: f32| (f64::from(found) - f64::from(start) - want).abs() < tolerance;
                    assert!(near(zero[i], 0.0) && near(biased[i], bias[i % n]));
                    assert!(near(sum[i], before[i]));
                }
            }
        }
    }

    #[test]
    fn sizes_whose_product_wraps_around_are_refused() {
        use std::panic::catch_unwind;
        let wraps = 6_148_914_691_236_517_206;
        assert!(catch_unwind(|| Matrix::new(&[0.0; 2], 3, wraps)).is_err());
        assert!(catch_unwind(|| Matrix::new(&[0.0; 2], 1, 2).row_block(0, 2)).is_err());
        assert!(catch_unwind(|| Matrix::new(&[0.0; 2], 2, 1).row_block(usize::MAX, 2)).is_err());
        // Products of no summands, 2^64 and 2^65 of them.
        for [m, n] in [[1 << 32, 1 << 32], [1 << 33, 1 << 32]] {
            let product = || {
                let (a, b) = (Matrix::new(&[], m, 0), Matrix::new(&[], 0, n));
                gemm(a, b, &mut [], Start::Zero);
            };
            assert!(catch_unwind(product).is_err());
        }
    }

    #[test]
    fn nothing_summed_is_what_it_starts_from() {
        let (a, b) = (Matrix::new(&[], 2, 0), Matrix::new(&[], 0, 3));
        let mut c = [9.0; 6];
        gemm(a, b, &mut c, Start::Bias(&[1.0, 2.0, 3.0]));
        assert_eq!(c, [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
        gemm(a, b, &mut c, Start::Zero);
        assert_eq!(c, [0.0; 6]);
    }
}
