//! By the engine's reference.

use minimax::ops::{conv_transpose2d, conv2d_weight_grad};
use minimax::shape::{Conv2dGeometry, Padding};

#[derive(Clone, Copy, Debug)]
pub struct Convolution {
    pub n: usize,
    pub h: usize,
    pub w: usize,
    pub c_in: usize,
    pub kh: usize,
    pub kw: usize,
    pub c_out: usize,
    pub out_h: usize,
    pub out_w: usize,
    pub stride: [usize; 2],
    pub top: usize,
    pub left: usize,
}

pub fn input_gradient(w: &[f64], y_grad: &[f64], convolution: &Convolution) -> Vec<f64> {
    conv_transpose2d::reference::conv_transpose2d(y_grad, w, &geometry(convolution))
}

pub fn kernel_gradient(x: &[f64], y_grad: &[f64], convolution: &Convolution) -> Vec<f64> {
    conv2d_weight_grad::reference::conv2d_weight_grad(x, y_grad, &geometry(convolution))
}

fn geometry(c: &Convolution) -> Conv2dGeometry {
    // As many zeros after the image as the last output needs.
    let after = |out: usize, stride: usize, kernel: usize, taken: usize| {
        ((out - 1) * stride + kernel).saturating_sub(taken)
    };
    let [sy, sx] = c.stride;
    let padding = Padding {
        top: c.top,
        bottom: after(c.out_h, sy, c.kh, c.top + c.h),
        left: c.left,
        right: after(c.out_w, sx, c.kw, c.left + c.w),
    };
    let (x, w) = ([c.n, c.h, c.w, c.c_in].into(), [c.kh, c.kw, c.c_in, c.c_out].into());
    Conv2dGeometry::new("conv2d", x, w, c.stride, padding)
}
