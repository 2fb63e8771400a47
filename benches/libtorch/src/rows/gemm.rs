//! Matrix products: cubes, on one thread too, and the tall and flat shapes that the recipes' layers are as
//! products with their im2col columns.

use super::{Pair, Row, normal};
use crate::subjects::random;
use crate::torch::layout::values;
use minimax::no_grad;
use minimax::ops::{Transpose, matmul};

/// `[m, k]` by `[k, n]`; with `across`, the first is read transposed from `[k, m]`.
#[derive(Clone, Copy, Debug)]
struct Product {
    sizes: [usize; 3],
    across: bool,
    of: &'static str,
}

const CUBES: [usize; 4] = [256, 512, 1024, 2048];

/// Sizes are m, k, n; the batch is 256 where it is not said.
const LAYERS: [Product; 8] = [
    plain([12544, 256, 3200], "dcgan-mnist's 1st transposed convolution"),
    plain([12544, 128, 1600], "its 2nd"),
    plain([50176, 64, 25], "its 3rd"),
    plain([50176, 25, 64], "its 1st convolution"),
    plain([12544, 1600, 128], "its 2nd"),
    Product { sizes: [1600, 12544, 128], across: true, of: "its 2nd's weight gradient" },
    plain([256, 100, 12544], "G's dense layer"),
    plain([100, 784, 1024], "mlp-mnist's widest layer, batch 100"),
];

const fn plain(sizes: [usize; 3], of: &'static str) -> Product {
    Product { sizes, across: false, of }
}

/// Cubes by one thread and by all, then the layers' shapes.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for size in CUBES {
        for alone in [true, false] {
            let threads = if alone { "one thread" } else { "all threads" };
            let product = plain([size; 3], threads);
            rows.push(Row { alone, ..product.row() });
        }
    }
    rows.extend(LAYERS.map(Product::row));
    rows
}

impl Product {
    fn row(self) -> Row {
        let [m, k, n] = self.sizes;
        let name = format!("gemm {m}x{k}x{n}, {}", self.of);
        Row::new(name, Some(2.0 * (m * k * n) as f64), move || Ok(self.pair()))
    }

    fn pair(self) -> Pair {
        let [m, k, n] = self.sizes;
        let mut random = random();
        let (a, transpose) = match self.across {
            false => ([m, k], Transpose::NONE),
            true => ([k, m], Transpose::A),
        };
        let (a, b) = (normal(a, &mut random), normal([k, n], &mut random));
        let (mut their_a, their_b) = (values(&a), values(&b));
        if self.across {
            their_a = their_a.transpose(0, 1);
        }
        Pair::new(
            move || {
                no_grad(|| matmul(&a, &b, transpose));
            },
            move || drop(their_a.mm(&their_b)),
        )
    }
}
