//! The products of the convolution, summed into its weights.

use crate::ops::conv2d::reference::for_each_product;
use crate::shape::Conv2dGeometry;

// ANCHOR: weight_grad
/// w̄ `[kh, kw, c_in, c_out]` from x `[n, h, w, c_in]` and ȳ `[n, out_h, out_w, c_out]`.
pub fn conv2d_weight_grad(x: &[f64], grad: &[f64], g: &Conv2dGeometry) -> Vec<f64> {
    let mut w = vec![0.0; g.weight().numel()];
    for_each_product(g, |xi, wi, yi| w[wi] += x[xi] * grad[yi]);
    w
}
// ANCHOR_END: weight_grad
