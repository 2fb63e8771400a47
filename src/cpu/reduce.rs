//! Reductions over any axes by an operation on two numbers; the sum and the maximum use them.
//!
//! Neighbouring axes are a run, the middle one of `[outer, reduced, inner]`, and runs are reduced one after the other,
//! the innermost first. A task takes everything that goes into some of the results through all runs, so that memory is
//! read once and intermediate results stay in cache. Only if that is too much for a task, memory is read and written
//! once for each run.
//!
//! ```text
//! form       for                             combines
//! few        less than 64 values, inner < 8  groups side by side; in each, rows by halves, columns row by row
//! row        inner = 1                       32 lanes over leaves of 1024 values, leaves in pairs, lanes by halves
//! columns    inner > 1                       leaves of 32 rows row by row, leaves in pairs
//! ```
//!
//! Rows narrower than 64 values are joined into rows of about 64, whose parts are combined in pairs at the end, and
//! then with the rows that are left over. More than [`TASK_LENGTH`] values are cut into tiles, which are combined in
//! pairs too. So the order of combination depends on the shape alone, and rounding errors grow with the logarithm of
//! the length.

use super::columns::{TILE_WIDTH, in_pairs};
use super::pool::Buffer;
use super::simd::widest;
use super::{TASK_LENGTH, rows_per_task};
use rayon::prelude::*;

/// What is done to two numbers. Both must be `#[inline(always)]` (see [`widest`]).
pub trait Operation {
    /// The identity, which changes no number.
    const IDENTITY: f32;

    /// One number of two.
    fn combine(a: f32, b: f32) -> f32;
}

/// `x`, which is not empty, reduced over `runs`, the innermost first. Each has what later ones reduce in its outer
/// length.
pub fn reduce<O: Operation>(x: &[f32], runs: &[[usize; 3]]) -> Buffer {
    let (&[outer, reduced, inner], before) = runs.split_last().expect("a reduction has at least one axis");
    let of_one = x.len() / outer;
    if of_one > TASK_LENGTH && !before.is_empty() {
        return reduce::<O>(&reduce::<O>(x, before), &[[outer, reduced, inner]]);
    }
    let mut y = Buffer::unspecified(outer * inner);
    if of_one > TASK_LENGTH {
        let groups = y.par_chunks_mut(inner).zip(x.par_chunks(of_one));
        groups.for_each(|(y, x)| reduce_large::<O>(x, inner, y));
    } else {
        let groups = rows_per_task(of_one);
        let tasks = y.par_chunks_mut(groups * inner).zip(x.par_chunks(groups * of_one));
        tasks.for_each(|(y, x)| {
            let mut parts: Option<Buffer> = None;
            for &[_, reduced, inner] in before {
                let from = parts.as_deref().unwrap_or(x);
                let mut to = Buffer::unspecified(from.len() / reduced);
                reduce_groups::<O>(from, reduced, inner, &mut to);
                parts = Some(to);
            }
            reduce_groups::<O>(parts.as_deref().unwrap_or(x), reduced, inner, y);
        });
    }
    y
}

/// y `[groups, inner]` from x `[groups, reduced, inner]`, of groups of [`TASK_LENGTH`] values at most.
fn reduce_groups<O: Operation>(x: &[f32], reduced: usize, inner: usize, y: &mut [f32]) {
    let group = reduced * inner;
    let width = joined(inner);
    if group < width && inner < NARROW {
        widest(
            #[inline(always)]
            move || reduce_few::<O>(x, group, inner, y),
        );
    } else if inner == 1 {
        widest(
            #[inline(always)]
            move || y.iter_mut().zip(x.chunks_exact(group)).for_each(|(y, x)| *y = reduce_row::<O>(x)),
        );
    } else {
        let (rows, whole) = (group / width, group / width * width);
        let mut leaves = Buffer::unspecified(rows.div_ceil(LEAF_ROWS) * width);
        let leaves = &mut leaves[..];
        widest(
            #[inline(always)]
            move || {
                for (y, x) in y.chunks_exact_mut(inner).zip(x.chunks_exact(group)) {
                    if rows > 0 {
                        reduce_columns::<O>(&x[..whole], width, 0, width, leaves);
                    }
                    take_apart::<O>(&mut leaves[..width.min(whole)], &x[whole..], y);
                }
            },
        );
    }
}

/// y `[inner]` from x `[reduced, inner]`, of more than [`TASK_LENGTH`] values.
fn reduce_large<O: Operation>(x: &[f32], inner: usize, y: &mut [f32]) {
    if inner == 1 {
        let mut parts = Buffer::unspecified(x.len().div_ceil(TASK_LENGTH));
        let tiles = parts.par_iter_mut().zip(x.par_chunks(TASK_LENGTH));
        tiles.for_each(|(part, x)| {
            *part = widest(
                #[inline(always)]
                move || reduce_row::<O>(x),
            );
        });
        in_pairs(&mut parts, 1, 1, combine::<O>);
        return y.copy_from_slice(&parts[..1]);
    }
    let width = joined(inner);
    let (whole, left) = x.split_at(x.len() / width * width);
    let tile = TASK_LENGTH / width.min(TILE_WIDTH) * width;
    let tiles = |x: &[f32], y: &mut [f32]| {
        y.par_chunks_mut(TILE_WIDTH).enumerate().for_each(|(i, y)| reduce_tile::<O>(x, width, i * TILE_WIDTH, y));
    };
    if width == inner && whole.len() <= tile {
        // There may be as many results as values by half: they need no other place first.
        return tiles(whole, y);
    }
    let mut parts = Buffer::unspecified(whole.len().div_ceil(tile) * width);
    parts.par_chunks_mut(width).zip(whole.par_chunks(tile)).for_each(|(part, x)| tiles(x, part));
    widest(
        #[inline(always)]
        || {
            in_pairs(&mut parts, width, width, combine::<O>);
            take_apart::<O>(&mut parts[..width], left, y);
        },
    );
}

/// y, the columns from `first` on, from x `[rows, width]`.
fn reduce_tile<O: Operation>(x: &[f32], width: usize, first: usize, y: &mut [f32]) {
    let columns = y.len();
    if x.len() <= LEAF_ROWS * width {
        // y has room for the one leaf.
        return widest(
            #[inline(always)]
            move || reduce_columns::<O>(x, width, first, columns, y),
        );
    }
    let mut leaves = Buffer::unspecified((x.len() / width).div_ceil(LEAF_ROWS) * columns);
    let leaves = &mut leaves[..];
    widest(
        #[inline(always)]
        move || {
            reduce_columns::<O>(x, width, first, columns, leaves);
            y.copy_from_slice(&leaves[..columns]);
        },
    );
}

/// The length of the rows that columns are taken in: `inner`, or as many of those as come to 64.
fn joined(inner: usize) -> usize {
    /// Columns that fill vectors.
    const WIDE: usize = 64;
    inner * (WIDE / inner).max(1)
}

/// Rows of a leaf, which are combined one after the other.
const LEAF_ROWS: usize = 32;

/// Of the columns of x `[rows, width]` some from `first` on, in the first row of `leaves`, which has one for every
/// leaf.
#[inline(always)]
fn reduce_columns<O: Operation>(x: &[f32], width: usize, first: usize, columns: usize, leaves: &mut [f32]) {
    for (leaf, x) in leaves.chunks_exact_mut(columns).zip(x.chunks(LEAF_ROWS * width)) {
        leaf.fill(O::IDENTITY);
        x.chunks_exact(width).for_each(|row| combine::<O>(leaf, &row[first..][..columns]));
    }
    in_pairs(leaves, columns, columns, combine::<O>);
}

/// y from what rows that were taken as one have come to, if there were any, and from the rows that are left over.
#[inline(always)]
fn take_apart<O: Operation>(joined: &mut [f32], left: &[f32], y: &mut [f32]) {
    let inner = y.len();
    if left.is_empty() {
        y.fill(O::IDENTITY);
    } else {
        // Without a call or a division, which would take longer than a short row does.
        y.iter_mut().zip(left).for_each(|(y, &x)| *y = O::combine(O::IDENTITY, x));
        let mut at = inner;
        while at < left.len() {
            combine::<O>(y, &left[at..][..inner]);
            at += inner;
        }
    }
    if !joined.is_empty() {
        in_pairs(joined, inner, inner, combine::<O>);
        combine::<O>(y, &joined[..inner]);
    }
}

/// Below it a group's rows are no vectors.
const NARROW: usize = 8;

/// The most values of a group that is one of few.
const FEW: usize = 64;

/// Groups that are reduced side by side.
const ABREAST: usize = 32;

/// y `[groups, inner]` from groups of less than [`FEW`] values.
#[inline(always)]
fn reduce_few<O: Operation>(x: &[f32], group: usize, inner: usize, y: &mut [f32]) {
    let mut values = [[0.0; ABREAST]; FEW];
    let values = &mut values[..group];
    let whole = y.len() / inner / ABREAST * ABREAST;
    let (y, y_left) = y.split_at_mut(whole * inner);
    let (x, x_left) = x.split_at(whole * group);
    for (y, x) in y.chunks_exact_mut(ABREAST * inner).zip(x.chunks_exact(ABREAST * group)) {
        reduce_abreast::<O>(x, inner, y, ABREAST, values);
    }
    reduce_abreast::<O>(x_left, inner, y_left, y_left.len() / inner, values);
}

/// The same for `count` groups: `values` gets the first value of every group side by side, then the second of every
/// group, and so on.
#[inline(always)]
fn reduce_abreast<O: Operation>(x: &[f32], inner: usize, y: &mut [f32], count: usize, values: &mut [[f32; ABREAST]]) {
    let group = values.len();
    for (k, values) in values.iter_mut().enumerate() {
        for g in 0..count {
            values[g] = O::combine(O::IDENTITY, x[g * group + k]);
        }
    }
    let mut len = group;
    while len > inner {
        // Of a row the first half takes the second; of columns the first row takes each other.
        let half = if inner == 1 { len.next_power_of_two() / 2 } else { inner };
        let (left, right) = values[..len].split_at_mut(half);
        for right in right.chunks(half) {
            left.iter_mut().zip(right).for_each(|(left, right)| combine::<O>(left, right));
        }
        len = half;
    }
    for (i, values) in values[..inner].iter().enumerate() {
        for g in 0..count {
            y[g * inner + i] = values[g];
        }
    }
}

/// Partial results that are made side by side and become vectors.
const LANES: usize = 32;

/// How many values the lanes combine together; each lane goes through its share of them in order.
const LEAF: usize = 32 * LANES;

/// A row of at most [`TASK_LENGTH`] values.
#[inline(always)]
fn reduce_row<O: Operation>(x: &[f32]) -> f32 {
    let mut lanes = if x.len() <= LEAF {
        leaf_lanes::<O>(x)
    } else {
        let mut leaves = [[O::IDENTITY; LANES]; TASK_LENGTH / LEAF];
        let leaves = &mut leaves[..x.len().div_ceil(LEAF)];
        leaves.iter_mut().zip(x.chunks(LEAF)).for_each(|(lanes, x)| *lanes = leaf_lanes::<O>(x));
        in_pairs(leaves.as_flattened_mut(), LANES, LANES, combine::<O>);
        leaves[0]
    };
    let mut half = LANES / 2;
    while half > 0 {
        let (left, right) = lanes.split_at_mut(half);
        combine::<O>(left, &right[..half]);
        half /= 2;
    }
    lanes[0]
}

/// What the lanes come to over one leaf.
#[inline(always)]
fn leaf_lanes<O: Operation>(x: &[f32]) -> [f32; LANES] {
    let (pieces, tail) = x.as_chunks::<LANES>();
    let mut lanes = [O::IDENTITY; LANES];
    pieces.iter().for_each(|piece| combine::<O>(&mut lanes, piece));
    combine::<O>(&mut lanes, tail);
    lanes
}

/// into_i ← combine(into_i, x_i).
#[inline(always)]
fn combine<O: Operation>(into: &mut [f32], x: &[f32]) {
    for (into, &x) in into.iter_mut().zip(x) {
        *into = O::combine(*into, x);
    }
}
