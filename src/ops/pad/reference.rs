//! Every input is written to its index moved by the zeros before it.

use crate::shape::Shape;

/// The values of `x`, of shape `from`, inside an array `to` of zeros.
pub fn pad(x: &[f64], from: Shape, to: Shape, zeros: &[[usize; 2]]) -> Vec<f64> {
    let (from_strides, to_strides) = (from.strides(), to.strides());
    let mut y = vec![0.0; to.numel()];
    for (i, &x) in x.iter().enumerate() {
        let index = |axis: usize| zeros[axis][0] + i / from_strides[axis] % from.dims()[axis];
        let at: usize = (0..from.rank()).map(|axis| index(axis) * to_strides[axis]).sum();
        y[at] = x;
    }
    y
}
