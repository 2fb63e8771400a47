//! Tap by tap: the inputs of the convolution that a tap meets += their outputs `[pixels, c_out]` · its
//! weights across `[c_out, c_in]`.
//!
//! By [`crate::cpu::winograd`] where that saves products; few channels, and groups, by [`crate::cpu::im2col`].

use super::patches;
use crate::cpu::Finisher;
use crate::cpu::gemm::Matrix;
use crate::cpu::gemm::blocks::Packed;
use crate::cpu::gemm::walk::Walk;
use crate::cpu::pool::Buffer;
use crate::cpu::taps::{Side, TAP_CHANNELS, Tap, sum_over_taps};
use crate::cpu::winograd::{self, Direction};
use crate::shape::Conv2dGeometry;

/// Channels of the result that a vector is filled well enough by.
const NARROW: usize = 16;

/// The input `[n, h, w, c_in]` of the convolution `g`, finished, from its output x and its weights w.
pub fn conv_transpose2d(x: &[f32], w: &[f32], g: &Conv2dGeometry, finish: Finisher) -> Buffer {
    if winograd::applies(g, Direction::Transposed) {
        return winograd::convolve(x, w, g, Direction::Transposed, finish);
    }
    if g.groups > 1 || g.c_in < NARROW || g.c_out < TAP_CHANNELS {
        return patches::conv_transpose2d(x, w, g, finish);
    }
    let weight = |tap: &Tap| {
        let w = Matrix::new(&w[tap.index * g.c_in * g.c_out..], g.c_in, g.c_out);
        Packed::new(w.transposed(), Walk::straight(g.c_out, 1))
    };
    sum_over_taps(x, g, [Side::outputs(g), Side::inputs(g)], weight, finish)
}
