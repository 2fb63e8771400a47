//! The formula as loops. Every product of an input, a weight and an output is met once; which of the three is summed
//! into is all that tells the convolution, its input gradient and its weight gradient apart.

use crate::shape::Conv2dGeometry;

// ANCHOR: conv2d
/// y `[n, out_h, out_w, c_out]` from x `[n, h, w, c_in]` and w `[kh, kw, c_in / groups, c_out]`.
pub fn conv2d(x: &[f64], w: &[f64], g: &Conv2dGeometry) -> Vec<f64> {
    let mut y = vec![0.0; g.output().numel()];
    for_each_product(g, |xi, wi, yi| y[yi] += x[xi] * w[wi]);
    y
}
// ANCHOR_END: conv2d

// ANCHOR: products
/// Calls `f` with the indices into x, w and y of every product in the formula.
pub fn for_each_product(g: &Conv2dGeometry, mut f: impl FnMut(usize, usize, usize)) {
    let [group_in, group_out] = [g.c_in, g.c_out].map(|channels| channels / g.groups);
    for n in 0..g.n {
        for oy in 0..g.out_h {
            for ox in 0..g.out_w {
                for i in 0..g.kh {
                    for j in 0..g.kw {
                        let (Some(row), Some(column)) = (g.input_row(oy, i), g.input_column(ox, j)) else {
                            continue;
                        };
                        for o in 0..g.c_out {
                            let first = o / group_out * group_in;
                            for c in 0..group_in {
                                f(
                                    ((n * g.h + row) * g.w + column) * g.c_in + first + c,
                                    ((i * g.kw + j) * group_in + c) * g.c_out + o,
                                    ((n * g.out_h + oy) * g.out_w + ox) * g.c_out + o,
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}
// ANCHOR_END: products
