//! The launcher of kernels/conv_transpose2d.cu.

use crate::cuda::launch::Call;
use crate::cuda::product::{Plan, add_parts};
use crate::cuda::{Buffer, geometry};
use crate::shape::Conv2dGeometry;

const STEM: &str = "conv_transpose2d";
const KERNELS: [&str; 5] = [
    "conv_transpose2d_128x128",
    "conv_transpose2d_64x64",
    "conv_transpose2d_128x8",
    "conv_transpose2d_128x128_tf32",
    "conv_transpose2d_64x64_tf32",
];

/// The input `[n, h, w, c_in]` of the convolution `g` from its output x and its weights w.
pub fn conv_transpose2d(x: &Buffer, w: &Buffer, g: &Conv2dGeometry) -> Buffer {
    let mut y = Buffer::unspecified(g.input().numel(), x.context());
    // A product for every phase of every group, of at most these sizes.
    let [down, right] = g.stride;
    let pixels = g.n * g.h.div_ceil(down) * g.w.div_ceil(right);
    let taps = g.kh.div_ceil(down) * g.kw.div_ceil(right);
    let [group_in, group_out] = [g.c_in, g.c_out].map(|channels| channels / g.groups);
    let plan = Plan::new([pixels, taps * group_out, group_in], g.groups * down * right, x.context().tf32());
    let product = |to: &mut Buffer| {
        let call = Call::new(x.context(), STEM, plan.kernel(KERNELS));
        let call = call.read(x).read(w).write(to);
        let call = call.value(geometry::Conv2dGeometry::from(g));
        plan.launch(call.value(plan.k_block()));
    };
    plan.run(&mut y, product, add_parts(STEM, "conv_transpose2d_add_parts"));
    y
}
