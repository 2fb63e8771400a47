//! # A matrix product at 30% of what the machine can do
//!
//! C = A · B of single precision numbers (f32), where C has m rows and n columns and k is the inner
//! length:
//!
//! ```text
//! C[i, j]  =  Σ_p  A[i, p] · B[p, j]
//! ```
//!
//! Matrices lie in memory row after row: element [i, j] of a matrix of n columns is at place
//! i · n + j.
//!
//! Three loops are enough to make it right, and reach a few percent of the limit. The **limit** is
//! how many multiplications and additions the processor does on one core if it never waits:
//! `harness/limit.rs` measures it with sums that stay in registers. The check first wants right
//! results for sizes of all kinds, then times a product of 256 × 256 × 256, and wants 30% of the
//! limit. What stands in the way?
//!
//! **Waiting.** In `sum += a[p] * b[p]` each addition waits for the one before, four cycles or so,
//! though the processor could start two every cycle. So have many sums at once that do not depend
//! on each other.
//!
//! **Vectors.** One instruction multiplies and adds 8 or 16 numbers that lie side by side. Numbers
//! side by side in a row of B belong to columns j, j + 1, ... of C, whose sums are independent. The
//! compiler makes vectors of a loop over an array of fixed length, such as `[f32; 16]`, in which
//! iteration i does the same with element i. `a.mul_add(b, c)`, which is a · b + c, becomes one
//! instruction; this crate is compiled for the processor it is on (see .cargo/config.toml).
//!
//! **Memory.** Along a row of B for each element of A, there are a load of C, a load of B and a
//! store of C for one multiplication. A tile of C, of 4 rows and 16 columns say, that **stays in
//! registers** while p runs over all of k needs no loads or stores of C, and for 64 multiplications
//! only the 16 numbers of a row of B and the 4 of a column of A:
//!
//! ```text
//!                     B[p, j..j + 16]
//! A[i..i + 4, p]   →  sums[r][l]  +=  A[i + r, p] · B[p, j + l]          for p in 0..k
//! ```
//!
//! The tile should be an array that lives in the innermost function, `[[f32; 16]; 4]`, of sizes
//! that are constants. Too large a tile does not fit the registers (16 vectors of 8 numbers, or with
//! AVX-512 32 of 16), too small a one has too few independent sums. 4 to 8 rows of 16 are good, with
//! AVX-512 8 to 12.
//!
//! **Caches.** The tile reads 16 columns of B, from a row that is n numbers further each time.
//! Copied once into an array of their own, row after row, those 16 columns lie one after the other,
//! and serve for all tiles below each other.
//!
//! Sizes need not be multiples of the tile. What is left over at the right and at the bottom may be
//! done by the plain loops, or by a tile that is filled up with zeros.

/// C = A · B, where `a` has m · k, `b` k · n and `c` m · n values. `c` may hold
/// anything before, NaN too: its values are to be overwritten.
pub fn gemm(a: &[f32], b: &[f32], c: &mut [f32], [m, k, n]: [usize; 3]) {
    todo!()
}
