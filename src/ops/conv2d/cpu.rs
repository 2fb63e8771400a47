//! Tap by tap: the outputs that a tap meets += their inputs `[pixels, c_in]` · its weights `[c_in, c_out]`.
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

/// y `[n, out_h, out_w, c_out]`, finished, from x `[n, h, w, c_in]` and w `[kh, kw, c_in / groups, c_out]`.
pub fn conv2d(x: &[f32], w: &[f32], g: &Conv2dGeometry, finish: Finisher) -> Buffer {
    if winograd::applies(g, Direction::Forward) {
        return winograd::convolve(x, w, g, Direction::Forward, finish);
    }
    if g.groups > 1 || g.c_in < TAP_CHANNELS {
        return patches::conv2d(x, w, g, finish);
    }
    let weight = |tap: &Tap| {
        let w = &w[tap.index * g.c_in * g.c_out..];
        Packed::new(Matrix::new(w, g.c_in, g.c_out), Walk::straight(g.c_in, 1))
    };
    sum_over_taps(x, g, [Side::inputs(g), Side::outputs(g)], weight, finish)
}
