//! # The two gradients of a convolution
//!
//! A convolution makes an image y out of an image x, by a kernel w of kh × kw pixels. An image is
//! an array of shape [n, h, w, c]: n images of h rows and w columns, with c channels at each pixel.
//! The kernel has the shape [kh, kw, c_in, c_out]: a matrix of c_in × c_out weights for each of its
//! pixels.
//!
//! ```text
//! y[b, oy, ox, o]  =  Σ over i, j, c   x[b, oy·sy + i - top, ox·sx + j - left, c] · w[i, j, c, o]
//! ```
//!
//! sy and sx are the strides: how far the kernel moves, in rows and in columns, from one pixel of y
//! to the next. top and left say how many rows and columns of zeros lie before the image. A pixel
//! of x outside of the image is such a zero: its row, oy·sy + i - top, is negative or not below h,
//! or its column is so.
//!
//! Let L be a number that is calculated from y, and write ȳ, x̄ and w̄ for the arrays of its
//! derivatives with respect to the elements of y, x and w. The formula is a sum of products. In one
//! product, x[p] · w[q] contributes to y[r]. If x[p] increases by δ, then y[r] increases by
//! δ · w[q], and L by δ · w[q] · ȳ[r]. The same holds with x and w in each other's places. So,
//! summed over all products in which an element occurs:
//!
//! ```text
//! x̄[p]  =  Σ w[q] · ȳ[r]        w̄[q]  =  Σ x[p] · ȳ[r]
//! ```
//!
//! # Arrays in memory
//!
//! The values of an array lie one after the other, and the last index runs fastest: element [b, y,
//! x, c] of an image [n, h, w, c] is at place ((b · h + y) · w + x) · c_length + c, where c_length
//! is how many channels there are.

/// The sizes of a convolution.
#[derive(Clone, Copy, Debug)]
pub struct Convolution {
    /// Images in x and y.
    pub n: usize,
    /// Rows of x.
    pub h: usize,
    /// Columns of x.
    pub w: usize,
    /// Channels of x.
    pub c_in: usize,
    /// Rows of the kernel.
    pub kh: usize,
    /// Columns of the kernel.
    pub kw: usize,
    /// Channels of y.
    pub c_out: usize,
    /// Rows of y.
    pub out_h: usize,
    /// Columns of y.
    pub out_w: usize,
    /// sy and sx.
    pub stride: [usize; 2],
    /// Rows of zeros above the image.
    pub top: usize,
    /// Columns of zeros to the left of the image.
    pub left: usize,
}

/// x̄, of shape [n, h, w, c_in].
///
/// `w` is the kernel, of shape [kh, kw, c_in, c_out], and `y_grad` is ȳ, of shape [n, out_h, out_w,
/// c_out].
pub fn input_gradient(w: &[f64], y_grad: &[f64], convolution: &Convolution) -> Vec<f64> {
    todo!()
}

/// w̄, of shape [kh, kw, c_in, c_out].
///
/// `x` has the shape [n, h, w, c_in], and `y_grad` is ȳ, of shape [n, out_h, out_w, c_out].
pub fn kernel_gradient(x: &[f64], y_grad: &[f64], convolution: &Convolution) -> Vec<f64> {
    todo!()
}
