//! # A convolution
//!
//! An image is an array of shape [n, h, w, c]: n images of h rows and w columns, with c channels at
//! each pixel. A convolution makes an image y out of an image x. Each pixel of y is a weighted sum
//! of a window of kh × kw pixels of x, and the weights, which are the same for every window, are
//! the kernel w of shape [kh, kw, c_in, c_out]:
//!
//! ```text
//! y[b, oy, ox, o]  =  Σ over i, j, c   x[b, oy·sy + i - top, ox·sx + j - left, c] · w[i, j, c, o]
//! ```
//!
//! sy and sx are the strides: how far the window moves, in rows and in columns, from one pixel of y
//! to the next. Before and after the image lie rows and columns of zeros, as many as `Padding`
//! says. The first window begins at the first of them, so row r of the image that has been enlarged
//! by zeros is row r - top of x. A pixel of x outside of the image counts as 0.
//!
//! # How many pixels y has
//!
//! The enlarged image has h + top + bottom rows. Window oy covers its rows oy·sy to oy·sy + kh - 1,
//! and all of them must be there:
//!
//! ```text
//! oy·sy + kh  ≤  h + top + bottom       so       out_h  =  floor((h + top + bottom - kh) / sy) + 1
//! ```
//!
//! and for columns likewise.
//!
//! # Arrays in memory
//!
//! The values of an array lie one after the other, and the last index runs fastest. Element [b, r,
//! q, c] of an image of shape [n, h, w, c_in] is at place ((b · h + r) · w + q) · c_in + c.

/// Rows and columns of zeros around an image.
#[derive(Clone, Copy, Debug)]
pub struct Padding {
    /// Rows above.
    pub top: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns to the left.
    pub left: usize,
    /// Columns to the right.
    pub right: usize,
}

/// The rows and columns of y, [out_h, out_w], for an image of `image` rows and columns and a kernel
/// of `kernel` ones.
///
/// The image with its padding is at least as large as the kernel.
pub fn output_size(image: [usize; 2], kernel: [usize; 2], stride: [usize; 2], padding: Padding) -> [usize; 2] {
    todo!()
}

/// y, of shape [n, out_h, out_w, c_out].
///
/// `x` has the shape `x_shape`, [n, h, w, c_in], and the kernel `w` has the shape `w_shape`, [kh,
/// kw, c_in, c_out].
pub fn conv2d(
    x: &[f64],
    x_shape: [usize; 4],
    w: &[f64],
    w_shape: [usize; 4],
    stride: [usize; 2],
    padding: Padding,
) -> Vec<f64> {
    todo!()
}
