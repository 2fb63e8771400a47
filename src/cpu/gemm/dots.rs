//! The microkernel for products whose C has only a few columns, such as a generator's images of one channel. A vector
//! of columns would be mostly empty, so vectors run along k instead.
//!
//! ```text
//! c[r, j] = start[r, j] + Σ_{s < segments} Σ_{k < run}  a[row_r + s·segment + k] · b[j·b_column + s·run + k]
//! ```

use super::microkernel::{MAX_LANES, Start};
use super::vector::Vector;
use super::walk::Walk;

/// Rows of the highest tile of any instruction set.
pub const ROWS: usize = 8;

/// Sums over k that are made side by side for each value of C, whatever vectors they fill.
pub const LANES: usize = MAX_LANES;

/// The most columns: more than that fill a vector well enough.
pub const COLUMNS: usize = 3;

/// A tile to be computed: at most [`ROWS`] rows and [`COLUMNS`] columns.
pub(super) struct Dots<'a> {
    /// Of steps of 1, in one plane.
    pub walk: Walk,
    pub a: &'a [f32],
    /// Where each row begins in `a`.
    pub a_rows: &'a [usize],
    pub b: &'a [f32],
    pub b_column: usize,
    pub c: &'a mut [f32],
    /// Where each row begins in `c`.
    pub c_rows: &'a [usize],
    pub start: Start<'a>,
}

/// The tile of `R` rows and `N` columns, to be inlined where the instruction set is enabled; `V` has [`LANES`].
///
/// # Safety
/// The machine has the instruction set of `V`, `tile` has `R` rows, and everything that the formula
/// reads and writes for N columns lies within its slices.
#[inline(always)]
#[expect(unsafe_code, reason = "raw pointers: checked indices would cost more than the arithmetic")]
pub(super) unsafe fn compute<V: Vector, const R: usize, const N: usize>(tile: &mut Dots) {
    let Walk { segments, run, segment, .. } = tile.walk;
    const { assert!(V::LANES == LANES, "another order of sums") };
    let b_column = tile.b_column;
    let (whole, left) = (run - run % V::LANES, run % V::LANES);
    let mut sums = [[V::splat(0.0); N]; R];
    // SAFETY: as this function's.
    unsafe {
        let (a, b, c) = (tile.a.as_ptr(), tile.b.as_ptr(), tile.c.as_mut_ptr());
        let mut rows = [a; R];
        for r in 0..R {
            rows[r] = a.add(*tile.a_rows.get_unchecked(r));
        }
        for s in 0..segments {
            let (a_at, b) = (s * segment, b.add(s * run));
            for k in (0..whole).step_by(V::LANES) {
                let mut b_columns = [V::splat(0.0); N];
                for j in 0..N {
                    b_columns[j] = V::load(b.add(j * b_column + k));
                }
                for r in 0..R {
                    let a = V::load(rows[r].add(a_at + k));
                    for j in 0..N {
                        sums[r][j] = sums[r][j].add_product(a, b_columns[j]);
                    }
                }
            }
            if left > 0 {
                let mut b_columns = [V::splat(0.0); N];
                for j in 0..N {
                    b_columns[j] = V::load_first(b.add(j * b_column + whole), left);
                }
                for r in 0..R {
                    let a = V::load_first(rows[r].add(a_at + whole), left);
                    for j in 0..N {
                        sums[r][j] = sums[r][j].add_product(a, b_columns[j]);
                    }
                }
            }
        }
        for r in 0..R {
            let c = c.add(*tile.c_rows.get_unchecked(r));
            for j in 0..N {
                let start = match tile.start {
                    Start::Zero => 0.0,
                    Start::Sum => *c.add(j),
                    Start::Bias(bias) => *bias.get_unchecked(j),
                };
                *c.add(j) = start + sums[r][j].total();
            }
        }
    }
}
