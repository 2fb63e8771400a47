//! By the engine's reference.

use minimax::ops::conv2d::reference;
use minimax::shape::{self, Conv2dGeometry};

#[derive(Clone, Copy, Debug)]
pub struct Padding {
    pub top: usize,
    pub bottom: usize,
    pub left: usize,
    pub right: usize,
}

pub fn output_size(image: [usize; 2], kernel: [usize; 2], stride: [usize; 2], padding: Padding) -> [usize; 2] {
    let ([h, w], [kh, kw]) = (image, kernel);
    let geometry = geometry([1, h, w, 1], [kh, kw, 1, 1], stride, padding);
    [geometry.out_h, geometry.out_w]
}

pub fn conv2d(
    x: &[f64],
    x_shape: [usize; 4],
    w: &[f64],
    w_shape: [usize; 4],
    stride: [usize; 2],
    padding: Padding,
) -> Vec<f64> {
    reference::conv2d(x, w, &geometry(x_shape, w_shape, stride, padding))
}

fn geometry(x: [usize; 4], w: [usize; 4], stride: [usize; 2], padding: Padding) -> Conv2dGeometry {
    let Padding { top, bottom, left, right } = padding;
    Conv2dGeometry::new("conv2d", x.into(), w.into(), stride, shape::Padding { top, bottom, left, right })
}
