//! One run of axes after the other, each a reduction of `[outer, reduced, inner]` in passes: a pass makes parts of
//! tiles of fixed size, the next one reduces those, until there is one. The maximum is made likewise.

use super::Reduction;
use crate::cuda::Buffer;
use crate::cuda::columns::Columns;
use crate::cuda::launch::{Call, THREADS};
use crate::shape::Shape;

/// The kernels of one operation: the forms of kernels/reduce.cuh.
pub struct Kernels {
    pub stem: &'static str,
    pub few: &'static str,
    pub short_rows: &'static str,
    pub long_rows: &'static str,
    pub columns: &'static str,
}

const SUM: Kernels = Kernels {
    stem: "sum",
    few: "sum_few",
    short_rows: "sum_short_rows",
    long_rows: "sum_long_rows",
    columns: "sum_columns",
};

/// The sum of `x` over the axes of `reduction`.
pub fn sum(x: &Buffer, shape: Shape, reduction: &Reduction) -> Buffer {
    if x.is_empty() {
        return Buffer::full(reduction.reduced.numel(), 0.0, x.context());
    }
    reduce(&SUM, x, shape, reduction)
}

/// `x`, which is not empty, reduced over the axes of `reduction`.
pub fn reduce(kernels: &Kernels, x: &Buffer, shape: Shape, reduction: &Reduction) -> Buffer {
    let mut result = None;
    for [outer, mut reduced, inner] in reduction.runs(shape) {
        // What later runs reduce is still part of the outer length here.
        loop {
            let from = result.as_ref().unwrap_or(x);
            let (parts, count) = pass(kernels, from, [outer, reduced, inner]);
            result = Some(parts);
            reduced = count;
            if count == 1 {
                break;
            }
        }
    }
    result.expect("a reduction has at least one axis")
}

/// Values that one thread reduces, if there are enough results to keep a GPU busy so.
const FEW: usize = 32;

/// The longest row that a warp reduces.
const SHORT: usize = 1024;

/// What a block takes of a longer one.
const TILE: usize = 4096;

/// The most rows of which a column is reduced by one block.
const WHOLE: usize = 1024;

/// `[outer, parts, inner]` of x `[outer, reduced, inner]`, and how many parts there are.
fn pass(kernels: &Kernels, x: &Buffer, [outer, reduced, inner]: [usize; 3]) -> (Buffer, usize) {
    let launch = |name, parts, arguments: &[usize], blocks, threads| {
        let mut y = Buffer::unspecified(outer * parts * inner, x.context());
        let kernel = Call::new(x.context(), kernels.stem, name);
        let call = kernel.read(x).write(&mut y);
        let call = arguments.iter().fold(call, |call, &n| call.value(n as i32));
        call.grid([blocks, 1, 1], threads, 0);
        (y, parts)
    };
    if inner > 1 && reduced <= FEW {
        let results = outer * inner;
        let blocks = results.div_ceil(THREADS);
        return launch(kernels.few, 1, &[results, reduced, inner], blocks, THREADS);
    }
    if inner == 1 && reduced <= SHORT {
        // No more lanes than values, so that outer · lanes fits into an i32.
        let lanes = 32.min(1 << reduced.max(1).ilog2());
        let blocks = (outer * lanes).div_ceil(THREADS);
        return launch(kernels.short_rows, 1, &[outer, reduced, lanes], blocks, THREADS);
    }
    if inner == 1 {
        let tiles = reduced.div_ceil(TILE);
        return launch(kernels.long_rows, tiles, &[reduced, TILE], outer * tiles, THREADS);
    }
    let (columns, threads) = match reduced <= WHOLE {
        true => {
            let columns = Columns::whole(reduced, inner);
            (columns, columns.threads(reduced))
        }
        false => (Columns::cut(outer, reduced, inner), THREADS),
    };
    let Columns { width, across, tile, tiles } = columns;
    let arguments = [reduced, inner, tile, width];
    launch(kernels.columns, tiles, &arguments, across * tiles * outer, threads)
}
