//! How a matrix product C `[m, n]` = A `[m, k]` · B `[k, n]` is laid out over a GPU: in tiles of C, each made by
//! a block of threads (kernels/gemm.cuh), and, where there would be few of them, in parts of k that are added
//! afterwards.
//!
//! A plan depends only on the sizes of the product, so that the same sums are made in the same order on every GPU.

use super::buffer::Buffer;
use super::launch::Call;

/// The tiles that kernels are made for, in the order in which launchers name those.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tile {
    /// 128 by 128: large products.
    Large,
    /// 64 by 64: small ones.
    Small,
    /// 128 by 8: a column or a few.
    Narrow,
    /// 128 by 128 on tensor cores.
    LargeTf32,
    /// 64 by 64 on tensor cores.
    SmallTf32,
}

/// The resources of a tile.
struct Sizes {
    rows: usize,
    columns: usize,
    threads: usize,
    /// Blocks that a processor has room for at once, at least.
    at_once: usize,
    /// Bytes of dynamic shared memory: four for each of the tile's `shared` floats (kernels/gemm_tf32.cuh).
    shared: usize,
}

impl Tile {
    fn sizes(self) -> Sizes {
        let (rows, columns, threads, at_once, shared) = match self {
            Tile::Large => (128, 128, 256, 2, 0),
            Tile::Small => (64, 64, 128, 4, 0),
            Tile::Narrow => (128, 8, 128, 4, 0),
            Tile::LargeTf32 => (128, 128, 128, 2, 4 * 21_520),
            Tile::SmallTf32 => (64, 64, 128, 4, 4 * 10_768),
        };
        Sizes { rows, columns, threads, at_once, shared }
    }

    fn count(self, m: usize, n: usize) -> usize {
        m.div_ceil(self.sizes().rows) * n.div_ceil(self.sizes().columns)
    }
}

/// Processors (SMs) of the largest GPU that the kernels were written for; a grid that keeps them busy keeps any busy.
const PROCESSORS: usize = 132;

/// The least of k that a part is worth: a part's sums are written and read once more.
const PART: usize = 256;

/// The most parts: a thread adds one after another.
const PARTS: usize = 128;

/// Steps in which kernels go along k; a part is a multiple of it.
const DEPTH: usize = 16;

/// A product's tile and parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    tile: Tile,
    /// The tiles of one C.
    tiles: usize,
    /// The number of independent products of these sizes. Their tiles follow one another along x.
    layers: usize,
    /// The length of a part of k.
    k_block: usize,
    parts: usize,
}

impl Plan {
    /// Plans `layers` products of at most these sizes, with their results in one array; on tensor cores if `tf32`.
    pub fn new([m, k, n]: [usize; 3], layers: usize, tf32: bool) -> Plan {
        let tile = choose([m, k, n], layers, tf32);
        let tiles = tile.count(m, n);
        let wanted = PROCESSORS * tile.sizes().at_once / (tiles * layers).max(1);
        let parts = wanted.min(k / PART).clamp(1, PARTS);
        let k_block = k.div_ceil(parts).next_multiple_of(DEPTH).max(DEPTH);
        let parts = k.div_ceil(k_block).max(1);
        Plan { tile, tiles, layers, k_block, parts }
    }

    /// The kernel among `kernels`: for large, small and narrow tiles, then large and small ones in TF32.
    pub fn kernel(&self, kernels: [&'static str; 5]) -> &'static str {
        kernels[self.tile as usize]
    }

    /// How much of k a part sums; parts lie along z.
    pub fn k_block(&self) -> i32 {
        self.k_block as i32
    }

    /// True if the parts are to be added afterwards.
    pub fn splits(&self) -> bool {
        self.parts > 1
    }

    /// Launches a kernel that has its arguments.
    pub fn launch(&self, call: Call) {
        let grid = [self.layers * self.tiles, 1, self.parts];
        let Sizes { threads, shared, .. } = self.tile.sizes();
        call.grid(grid, threads, shared);
    }

    /// Fills `c` by way of `product`, which launches into what it is given: `c` itself, or room for the parts,
    /// which `add` then launches the sum of into `c`, given the parts and their number.
    pub fn run(&self, c: &mut Buffer, product: impl FnOnce(&mut Buffer), add: impl FnOnce(&Buffer, i32, &mut Buffer)) {
        if !self.splits() {
            return product(c);
        }
        let mut parts = Buffer::unspecified(self.parts * c.len(), c.context());
        product(&mut parts);
        add(&parts, self.parts as i32, c);
    }
}

/// Adds parts with the kernel `name` of kernels/`stem`.cu, which takes them, their number, the result and its
/// length.
pub fn add_parts(stem: &'static str, name: &'static str) -> impl FnOnce(&Buffer, i32, &mut Buffer) {
    move |parts, count, c| {
        let len = c.len();
        let call = Call::new(c.context(), stem, name);
        call.read(parts).value(count).write(c).value(len as i32).over(len);
    }
}

/// As [`add_parts`], with a bias for each column if there is one: the kernel takes it and its length after the parts.
pub fn add_parts_and_bias(
    stem: &'static str,
    name: &'static str,
    bias: Option<&Buffer>,
) -> impl FnOnce(&Buffer, i32, &mut Buffer) {
    move |parts, count, c| {
        let (len, columns) = (c.len(), bias.map_or(1, Buffer::len));
        let call = Call::new(c.context(), stem, name).read(parts).value(count);
        call.read_if(bias).value(columns as i32).write(c).value(len as i32).over(len);
    }
}

/// Large tiles do the most arithmetic per value read. Small ones are for products that are not large enough to
/// fill them, or to keep a GPU busy with them. With only a few columns, tensor cores bring no gain.
fn choose([m, k, n]: [usize; 3], layers: usize, tf32: bool) -> Tile {
    if n <= Tile::Narrow.sizes().columns {
        return Tile::Narrow;
    }
    let (large, small) = match tf32 {
        true => (Tile::LargeTf32, Tile::SmallTf32),
        false => (Tile::Large, Tile::Small),
    };
    let area = |tile: Tile| tile.count(m, n) * tile.sizes().rows * tile.sizes().columns;
    let filled = 7 * area(large) <= 8 * area(small);
    let blocks = large.count(m, n) * layers * (k / PART).max(1);
    match filled && blocks >= PROCESSORS {
        true => large,
        false => small,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_k_and_are_as_many_as_said() {
        for m in [1, 9, 64, 100, 1600, 4096] {
            for n in [1, 8, 9, 128, 1000] {
                for k in [0, 1, 16, 255, 256, 1000, 12544, 802816] {
                    for layers in [1, 4] {
                        let plan = Plan::new([m, k, n], layers, false);
                        assert!(plan.k_block.is_multiple_of(DEPTH), "{plan:?}");
                        assert!(plan.k_block * plan.parts >= k, "{plan:?}");
                        assert!(plan.parts == 1 || plan.k_block * (plan.parts - 1) < k, "{plan:?}");
                        assert!(plan.parts <= PARTS, "{plan:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_long_sum_over_few_tiles_is_split_and_a_large_product_is_not() {
        assert!(Plan::new([25, 12544, 64], 1, false).splits());
        let large = Plan::new([4096, 4096, 4096], 1, false);
        assert_eq!((large.tile, large.parts), (Tile::Large, 1));
        assert_eq!(Plan::new([128, 12544, 1], 1, false).tile, Tile::Narrow);
    }
}
