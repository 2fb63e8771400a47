//! Every pair of an output and an input that it has a share of is met once.

use super::Geometry;

/// `[n, h', w', c]` from x `[n, h, w, c]`.
pub fn bilinear(x: &[f64], g: &Geometry) -> Vec<f64> {
    let mut y = vec![0.0; g.output().numel()];
    for_each_share(g, |xi, yi, share| y[yi] += share * x[xi]);
    y
}

/// `[n, h, w, c]` from the gradient `[n, h', w', c]`.
pub fn bilinear_grad(grad: &[f64], g: &Geometry) -> Vec<f64> {
    let mut x = vec![0.0; g.input().numel()];
    for_each_share(g, |xi, yi, share| x[xi] += share * grad[yi]);
    x
}

/// Calls `f` with the places of an input and an output, and the share.
fn for_each_share(g: &Geometry, mut f: impl FnMut(usize, usize, f64)) {
    let ([h, w], [out_h, out_w]) = (g.size, g.out);
    for image in 0..g.n {
        for (i, down) in g.taps(0).into_iter().enumerate() {
            for (j, right) in g.taps(1).into_iter().enumerate() {
                for (row, of_row) in [(down.first, 1.0 - down.share), (down.second, down.share)] {
                    for (column, of_column) in [(right.first, 1.0 - right.share), (right.second, right.share)] {
                        for c in 0..g.c {
                            let x = ((image * h + row) * w + column) * g.c + c;
                            let y = ((image * out_h + i) * out_w + j) * g.c + c;
                            f(x, y, of_row * of_column);
                        }
                    }
                }
            }
        }
    }
}
