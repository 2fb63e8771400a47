//! The products of the convolution, summed into its input.

use crate::ops::conv2d::reference::for_each_product;
use crate::shape::Conv2dGeometry;

// ANCHOR: conv_transpose2d
/// The input `[n, h, w, c_in]` of the convolution `g` from its output x and its weights w.
pub fn conv_transpose2d(x: &[f64], w: &[f64], g: &Conv2dGeometry) -> Vec<f64> {
    let mut y = vec![0.0; g.input().numel()];
    for_each_product(g, |yi, wi, xi| y[yi] += x[xi] * w[wi]);
    y
}
// ANCHOR_END: conv_transpose2d
