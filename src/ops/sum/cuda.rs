//! One run of axes after the other, each a reduction of `[outer, reduced, inner]`, of long rows in passes: a pass makes
//! parts of tiles of fixed size, the next one reduces those, until there is one. The maximum is made likewise.

use super::Reduction;
use crate::cuda::Buffer;
use crate::cuda::columns::Columns;
use crate::cuda::launch::{Call, THREADS};
use crate::shape::Shape;

/// The kernels of one operation: the forms of kernels/reduce.cuh.
pub struct Kernels {
    /// Their file in kernels/.
    pub stem: &'static str,
    /// Where few values make a result, by a thread each.
    pub few: &'static str,
    /// For rows that a warp reduces.
    pub short_rows: &'static str,
    /// For rows that a block reduces.
    pub long_rows: &'static str,
    /// For columns.
    pub columns: &'static str,
}

const SUM: Kernels = Kernels {
    stem: "sum",
    few: "sum_few",
    short_rows: "sum_short_rows",
    long_rows: "sum_long_rows",
    columns: "sum_columns",
};

/// The sum of `x` over the axes of `reduction`, divided by `divisor`.
pub fn sum(x: &Buffer, shape: Shape, reduction: &Reduction, divisor: f32) -> Buffer {
    if x.is_empty() {
        return Buffer::full(reduction.reduced.numel(), 0.0 / divisor, x.context());
    }
    reduce(&SUM, x, shape, reduction, Some(divisor))
}

/// `x`, which is not empty, reduced over the axes of `reduction`, and divided by `divisor`, which kernels that don't divide
/// aren't given.
pub fn reduce(kernels: &Kernels, x: &Buffer, shape: Shape, reduction: &Reduction, divisor: Option<f32>) -> Buffer {
    let mut result = None;
    let runs = reduction.runs(shape);
    for (i, &[outer, mut reduced, inner]) in runs.iter().enumerate() {
        let divisor = divisor.map(|divisor| if i + 1 == runs.len() { divisor } else { 1.0 });
        // What later runs reduce is still part of the outer length here.
        loop {
            let from = result.as_ref().unwrap_or(x);
            let (parts, count) = pass(kernels, from, [outer, reduced, inner], divisor);
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

/// `[outer, parts, inner]` of x `[outer, reduced, inner]`, and how many parts there are; one, it is divided by `divisor`.
fn pass(kernels: &Kernels, x: &Buffer, [outer, reduced, inner]: [usize; 3], divisor: Option<f32>) -> (Buffer, usize) {
    let call = |name, y: &mut Buffer, arguments: &[usize], divisor: Option<f32>| {
        let call = Call::new(x.context(), kernels.stem, name).read(x).write(y);
        let call = arguments.iter().fold(call, |call, &n| call.value(n as i32));
        match divisor {
            Some(divisor) => call.value(divisor),
            None => call,
        }
    };
    let mut y = Buffer::unspecified(outer * inner, x.context());
    if inner > 1 && reduced <= FEW {
        let results = outer * inner;
        let call = call(kernels.few, &mut y, &[results, reduced, inner], divisor);
        call.grid([results.div_ceil(THREADS), 1, 1], THREADS, 0);
        return (y, 1);
    }
    if inner == 1 && reduced <= SHORT {
        // No more lanes than values, so that outer · lanes fits into an i32.
        let lanes = 32.min(1 << reduced.max(1).ilog2());
        let call = call(kernels.short_rows, &mut y, &[outer, reduced, lanes], divisor);
        call.grid([(outer * lanes).div_ceil(THREADS), 1, 1], THREADS, 0);
        return (y, 1);
    }
    if inner == 1 {
        let tiles = reduced.div_ceil(TILE);
        let mut parts = Buffer::unspecified(outer * tiles, x.context());
        let divisor = divisor.map(|divisor| if tiles == 1 { divisor } else { 1.0 });
        let call = call(kernels.long_rows, &mut parts, &[reduced, TILE], divisor);
        call.grid([outer * tiles, 1, 1], THREADS, 0);
        return (parts, tiles);
    }
    let columns = Columns::cut(outer, reduced, inner);
    let Columns { width, across, tile, tiles } = columns;
    // One tile is the whole.
    let (room, counters) = if tiles > 1 { (outer * tiles * inner, outer * across) } else { (0, 0) };
    let mut parts = Buffer::unspecified(room, x.context());
    let call = call(kernels.columns, &mut y, &[reduced, inner, tile, width], divisor);
    let call = call.write(&mut parts).counters(counters);
    call.grid([across * tiles * outer, 1, 1], columns.threads(), 0);
    (y, 1)
}
