//! The launchers of kernels/ladder/: a matrix product and a convolution, each from the most obvious kernel to one that
//! is nearly as fast as possible. Ops don't use them; `cargo bench --bench cuda` times them.

use super::buffer::Buffer;
use super::geometry;
use super::launch::Call;
use crate::shape::Conv2dGeometry;

/// Threads of every rung's blocks.
const THREADS: usize = 256;

/// A way to compute the same thing.
#[derive(Clone, Copy, Debug)]
pub struct Rung {
    /// What it adds to the one below.
    pub name: &'static str,
    /// True if it rounds operands to TF32.
    pub tf32: bool,
    kernel: &'static str,
    /// Rows and columns of the tile that a block makes; none where a thread makes a value.
    tile: Option<usize>,
    /// What the inner length and the columns are multiples of.
    multiples: [usize; 2],
}

const fn rung(name: &'static str, kernel: &'static str, tile: Option<usize>) -> Rung {
    Rung { name, tf32: false, kernel, tile, multiples: [1, 1] }
}

/// The rungs of [`gemm`].
pub const GEMM: [Rung; 5] = [
    rung("naive", "ladder_gemm_1_naive", None),
    rung("tiled", "ladder_gemm_2_tiled", Some(16)),
    rung("register blocks", "ladder_gemm_3_register_blocks", Some(64)),
    Rung { multiples: [1, 4], ..rung("double buffers", "ladder_gemm_4_double_buffers", Some(128)) },
    Rung { tf32: true, multiples: [4, 4], ..rung("tensor cores", "ladder_gemm_5_tensor_cores", Some(128)) },
];

/// The rungs of [`conv2d`].
pub const CONV2D: [Rung; 5] = [
    rung("naive", "ladder_conv2d_1_naive", None),
    rung("tiled", "ladder_conv2d_2_tiled", Some(16)),
    rung("register blocks", "ladder_conv2d_3_register_blocks", Some(64)),
    rung("double buffers", "ladder_conv2d_4_double_buffers", Some(64)),
    Rung { tf32: true, ..rung("tensor cores", "ladder_conv2d_5_tensor_cores", Some(64)) },
];

impl Rung {
    /// Launches for a result of `rows` by `columns` values.
    fn launch(&self, call: Call, rows: usize, columns: usize) {
        let blocks = match self.tile {
            None => (rows * columns).div_ceil(THREADS),
            Some(tile) => rows.div_ceil(tile) * columns.div_ceil(tile),
        };
        call.grid([blocks, 1, 1], THREADS, 0);
    }
}

/// C `[m, n]` = A `[m, k]` · B `[k, n]` by rung number `rung`, from 0, of [`GEMM`]; sizes are
/// `[m, k, n]`.
///
/// # Panics
/// If there is no such rung, A or B has another size, or the rung takes only multiples of other lengths.
pub fn gemm(rung: usize, a: &Buffer, b: &Buffer, [m, k, n]: [usize; 3]) -> Buffer {
    let rung = &GEMM[rung];
    let lengths = (m.checked_mul(k), k.checked_mul(n));
    assert!(
        lengths == (Some(a.len()), Some(b.len())),
        "ladder: {} and {} values for {m} x {k} x {n}",
        a.len(),
        b.len()
    );
    assert!(
        k.is_multiple_of(rung.multiples[0]) && n.is_multiple_of(rung.multiples[1]),
        "ladder: {} takes multiples of {:?}, not {k} and {n}",
        rung.name,
        rung.multiples
    );
    let int = |length: usize| i32::try_from(length).expect("buffers are shorter than 2³¹ values");
    let [m_int, n_int, k_int] = [m, n, k].map(int);
    let mut c = Buffer::unspecified(m * n, a.context());
    let call = Call::new(a.context(), "ladder/gemm", rung.kernel);
    let call = call.read(a).read(b).write(&mut c);
    rung.launch(call.value(m_int).value(n_int).value(k_int), m, n);
    c
}

/// y `[n, out_h, out_w, c_out]` from x `[n, h, w, c_in]` and w `[kh, kw, c_in, c_out]` by rung number `rung`, from
/// 0, of [`CONV2D`].
///
/// # Panics
/// If there is no such rung, x or w has another size, or the geometry is none that [`Conv2dGeometry::new`] makes.
pub fn conv2d(rung: usize, x: &Buffer, w: &Buffer, g: &Conv2dGeometry) -> Buffer {
    let rung = &CONV2D[rung];
    assert!(
        (x.len(), w.len()) == (g.input().numel(), g.weight().numel()),
        "ladder: {} and {} values for {} and {}",
        x.len(),
        w.len(),
        g.input(),
        g.weight()
    );
    let made = Conv2dGeometry::new("ladder", g.input(), g.weight(), g.stride, g.padding);
    assert!(made == *g, "ladder: {g:?} is no convolution");
    let mut y = Buffer::unspecified(g.output().numel(), x.context());
    let call = Call::new(x.context(), "ladder/conv2d", rung.kernel);
    let call = call.read(x).read(w).write(&mut y);
    let call = call.value(geometry::Conv2dGeometry::from(g));
    rung.launch(call, g.n * g.out_h * g.out_w, g.c_out);
    y
}
