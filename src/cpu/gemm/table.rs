//! The microkernels of an instruction set: what it brings to them, the tables that come of it, and the checked way
//! to run one.

use super::dots::{self, Dots};
use super::microkernel::{self, MAX_COLUMNS, MAX_VECTORS, ROWS, Start, Tile};
use super::rows::Rows;
use super::vector::Vector;

/// An instruction set: its vectors, and how many of them its registers hold.
#[expect(unsafe_code, reason = "what it compiles runs on machines that have it")]
pub(super) trait Set {
    type Vector: Vector;
    /// [`dots::LANES`] of f32.
    type Lanes: Vector;
    /// The widest tile, in vectors, for which registers can hold all sums.
    const VECTORS: usize;
    /// The highest tile of dot products, in rows, for which registers can hold all sums; indexed by columns - 1.
    const DOTS_ROWS: [usize; dots::COLUMNS];

    /// Runs `kernel`, compiled for the instruction set. It must be `#[inline(always)]`, and so must what it calls.
    ///
    /// # Safety
    /// The machine has the instruction set.
    unsafe fn enabled<T>(kernel: impl FnOnce() -> T) -> T;
}

/// A tile's function for some number of rows and vectors: the tile, and where its rows of C begin.
type TileFn = unsafe fn(&Tile, &[*mut f32; ROWS]);

/// The same for dot products: rows and columns.
type DotsFn = unsafe fn(&mut Dots);

/// The microkernels of an instruction set.
pub struct Microkernels {
    /// Its name.
    pub name: &'static str,
    /// f32 in a vector.
    pub lanes: usize,
    /// Vectors of the widest tile.
    vectors: usize,
    /// By rows - 1 and vectors - 1.
    tiles: [[TileFn; MAX_VECTORS]; ROWS],
    /// The same, which fetch something else meanwhile.
    tiles_ahead: [[TileFn; MAX_VECTORS]; ROWS],
    /// The same, which fetch B's own rows as well: for those that lie apart, or weren't read before.
    tiles_in_place: [[TileFn; MAX_VECTORS]; ROWS],
    /// Rows of the highest tile, by columns - 1.
    pub(super) dots_rows: [usize; dots::COLUMNS],
    /// By rows - 1 and columns - 1.
    dots: [[DotsFn; dots::COLUMNS]; dots::ROWS],
}

impl Microkernels {
    /// Columns of the widest tile.
    pub fn columns(&self) -> usize {
        self.lanes * self.vectors
    }

    pub(super) const fn new<S: Set>(name: &'static str) -> Microkernels {
        Microkernels {
            name,
            lanes: S::Vector::LANES,
            vectors: S::VECTORS,
            tiles: tiles::<S, false, false>(),
            tiles_ahead: tiles::<S, true, false>(),
            tiles_in_place: tiles::<S, true, true>(),
            dots_rows: S::DOTS_ROWS,
            dots: [
                dots_row::<S, 1>(),
                dots_row::<S, 2>(),
                dots_row::<S, 3>(),
                dots_row::<S, 4>(),
                dots_row::<S, 5>(),
                dots_row::<S, 6>(),
                dots_row::<S, 7>(),
                dots_row::<S, 8>(),
            ],
        }
    }

    /// Computes `columns` columns of all rows of `rows` into `c`, tile by tile, and fetches what the next tile needs.
    /// B's rows must hold whole vectors, C's no more than the columns. All checks are made here, once for all tiles,
    /// because a tile may take no longer than they do.
    ///
    /// # Panics
    /// If anything reaches outside its slice.
    #[expect(unsafe_code, reason = "with `run_dots`, the one door to the microkernels, which use raw pointers")]
    pub(super) fn run(&self, rows: Tile, mut c: Rows, columns: usize) {
        let (count, steps) = (rows.a_rows.len(), rows.walk.len());
        assert!(count == c.len() && steps > 0, "gemm: {count} rows of A, {} of C, {steps} steps", c.len());
        let vectors = columns.div_ceil(self.lanes);
        let whole = vectors * self.lanes;
        let b_end = (steps - 1).saturating_mul(rows.b_step).saturating_add(whole);
        assert!(
            rows.a_rows.iter().max() <= rows.a.len().checked_sub(rows.walk.reach()).as_ref()
                && b_end <= rows.b.len()
                && c.hold(columns),
            "gemm: a tile reaches outside its operands"
        );
        if let Start::Bias(bias) = rows.start {
            assert!(bias.len() >= columns, "gemm: {} biases for {columns} columns", bias.len());
        }
        let tiles = match rows.ahead.rows {
            _ if rows.b_step != whole => &self.tiles_in_place,
            0 => &self.tiles,
            _ => &self.tiles_ahead,
        };
        let share = rows.ahead.rows.div_ceil(count.div_ceil(ROWS).max(1));
        // Both are changed in place: where tiles are short, to copy them for each takes time that can be measured.
        let (mut tile, mut pointers) = (rows, [std::ptr::null_mut(); ROWS]);
        for (i, a_rows) in rows.a_rows.chunks(ROWS).enumerate() {
            // The first tile meets B's rows before the L1 cache has them.
            let tiles = if i == 0 { &self.tiles_in_place } else { tiles };
            let tile_fn = tiles[a_rows.len() - 1][vectors - 1];
            tile.a_rows = a_rows;
            if rows.ahead.rows > 0 {
                tile.ahead = rows.ahead.part(i * share, share);
            }
            // SAFETY: only microkernels that this machine can run are given; the asserts hold every index of the
            // formula inside of its slice, and C's rows are borrowed mutably, so they overlap no operand.
            unsafe {
                match columns < whole {
                    true => beside(tile_fn, &tile, c.part(i * ROWS, a_rows.len(), 0), columns, whole),
                    false => {
                        c.point(i * ROWS, &mut pointers);
                        tile_fn(&tile, &pointers);
                    }
                }
            }
        }
    }

    /// Computes `columns` columns of `tile`.
    ///
    /// # Panics
    /// If anything reaches outside its slice.
    #[expect(unsafe_code, reason = "with `run`, the one door to the microkernels, which use raw pointers")]
    pub(super) fn run_dots(&self, mut tile: Dots, columns: usize) {
        let within =
            |rows: &[usize], values: &[f32], reach| rows.iter().max() <= values.len().checked_sub(reach).as_ref();
        let steps = tile.walk.len();
        let b_end = |columns: usize| (columns - 1).saturating_mul(tile.b_column).saturating_add(steps);
        assert!(tile.a_rows.len() == tile.c_rows.len() && steps > 0 && columns > 0, "gemm: an empty tile");
        assert!(
            tile.walk.step == 1
                && tile.walk.planes == 1
                && within(tile.a_rows, tile.a, tile.walk.reach())
                && b_end(columns) <= tile.b.len()
                && within(tile.c_rows, tile.c, columns),
            "gemm: a tile reaches outside its operands"
        );
        if let Start::Bias(bias) = tile.start {
            assert!(bias.len() >= columns, "gemm: {} biases for {columns} columns", bias.len());
        }
        let dots_fn = self.dots[tile.a_rows.len() - 1][columns - 1];
        // SAFETY: only microkernels that this machine can run are given; the asserts hold every index of
        // the formula inside of its slice, and `c` is borrowed mutably, so it overlaps no operand.
        unsafe { dots_fn(&mut tile) }
    }
}

/// A tile at the edge of C, where a row has only `columns` values left of `width`: it is computed in a buffer.
///
/// # Safety
/// As [`microkernel::compute`]'s, except that only the `columns` values of each row of C are written.
#[expect(unsafe_code, reason = "part of `run`")]
unsafe fn beside(tile_fn: TileFn, tile: &Tile, mut c: Rows, columns: usize, width: usize) {
    let mut wide = [0.0; ROWS * MAX_COLUMNS];
    let mut bias = [0.0; MAX_COLUMNS];
    let c_rows: [usize; ROWS] = std::array::from_fn(|r| r * width);
    let start = match tile.start {
        Start::Zero => Start::Zero,
        Start::Sum => {
            for (r, wide) in wide.chunks_exact_mut(width).take(c.len()).enumerate() {
                wide[..columns].copy_from_slice(&c.row(r)[..columns]);
            }
            Start::Sum
        }
        Start::Bias(values) => {
            bias[..columns].copy_from_slice(&values[..columns]);
            Start::Bias(&bias)
        }
    };
    let mut pointers = [std::ptr::null_mut(); ROWS];
    Rows::Within(&mut wide, &c_rows).point(0, &mut pointers);
    // SAFETY: as this function's; rows of C and the bias are as wide as the vectors here.
    unsafe { tile_fn(&Tile { start, ..*tile }, &pointers) };
    for (r, wide) in wide.chunks_exact(width).take(c.len()).enumerate() {
        c.row(r)[..columns].copy_from_slice(&wide[..columns]);
    }
}

/// [`microkernel::compute`], compiled for `S`.
///
/// # Safety
/// As there.
#[expect(unsafe_code, reason = "raw pointers, and an instruction set that not every machine has")]
unsafe fn compute_tile<S: Set, const R: usize, const N: usize, const AHEAD: bool, const IN_PLACE: bool>(
    tile: &Tile,
    c: &[*mut f32; ROWS],
) {
    // SAFETY: as this function's.
    unsafe {
        S::enabled(
            #[inline(always)]
            move || microkernel::compute::<S::Vector, R, N, AHEAD, IN_PLACE>(tile, c),
        );
    }
}

/// [`dots::compute`], compiled for `S`.
///
/// # Safety
/// As there.
#[expect(unsafe_code, reason = "raw pointers, and an instruction set that not every machine has")]
unsafe fn compute_dots<S: Set, const R: usize, const N: usize>(tile: &mut Dots) {
    // SAFETY: as this function's.
    unsafe {
        S::enabled(
            #[inline(always)]
            move || dots::compute::<S::Lanes, R, N>(tile),
        );
    }
}

const fn tiles<S: Set, const AHEAD: bool, const IN_PLACE: bool>() -> [[TileFn; MAX_VECTORS]; ROWS] {
    [
        tile_row::<S, 1, AHEAD, IN_PLACE>(),
        tile_row::<S, 2, AHEAD, IN_PLACE>(),
        tile_row::<S, 3, AHEAD, IN_PLACE>(),
        tile_row::<S, 4, AHEAD, IN_PLACE>(),
        tile_row::<S, 5, AHEAD, IN_PLACE>(),
        tile_row::<S, 6, AHEAD, IN_PLACE>(),
    ]
}

const fn tile_row<S: Set, const R: usize, const AHEAD: bool, const IN_PLACE: bool>() -> [TileFn; MAX_VECTORS] {
    [
        tile::<S, R, 1, AHEAD, IN_PLACE>(),
        tile::<S, R, 2, AHEAD, IN_PLACE>(),
        tile::<S, R, 3, AHEAD, IN_PLACE>(),
        tile::<S, R, 4, AHEAD, IN_PLACE>(),
    ]
}

/// The narrowest tile replaces one too wide to be used, so that nothing is compiled in vain.
const fn tile<S: Set, const R: usize, const N: usize, const AHEAD: bool, const IN_PLACE: bool>() -> TileFn {
    if N <= S::VECTORS { compute_tile::<S, R, N, AHEAD, IN_PLACE> } else { compute_tile::<S, R, 1, AHEAD, IN_PLACE> }
}

const fn dots_row<S: Set, const R: usize>() -> [DotsFn; dots::COLUMNS] {
    [dots::<S, R, 1>(), dots::<S, R, 2>(), dots::<S, R, 3>()]
}

/// The same for tiles that are too high.
const fn dots<S: Set, const R: usize, const N: usize>() -> DotsFn {
    if R <= S::DOTS_ROWS[N - 1] { compute_dots::<S, R, N> } else { compute_dots::<S, 1, N> }
}
