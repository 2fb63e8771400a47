//! The launcher of kernels/conv2d.cu.

use crate::cuda::launch::Call;
use crate::cuda::product::{Plan, add_parts_and_bias};
use crate::cuda::{Buffer, geometry};
use crate::shape::Conv2dGeometry;

const KERNELS: [&str; 5] =
    ["conv2d_128x128", "conv2d_64x64", "conv2d_128x8", "conv2d_128x128_tf32", "conv2d_64x64_tf32"];

/// y `[n, out_h, out_w, c_out]` from x `[n, h, w, c_in]`, w `[kh, kw, c_in, c_out]` and a bias `[c_out]`.
pub fn conv2d(x: &Buffer, w: &Buffer, bias: Option<&Buffer>, g: &Conv2dGeometry) -> Buffer {
    let mut y = Buffer::unspecified(g.output().numel(), x.context());
    let plan = Plan::new([g.n * g.out_h * g.out_w, g.patch(), g.c_out / g.groups], g.groups, x.context().tf32());
    // The bias is added once: with the sums, or with the sum of their parts.
    let product = |to: &mut Buffer| {
        let call = Call::new(x.context(), "conv2d", plan.kernel(KERNELS));
        let call = call.read(x).read(w).read_if(bias.filter(|_| !plan.splits())).write(to);
        let call = call.value(geometry::Conv2dGeometry::from(g));
        plan.launch(call.value(plan.k_block()));
    };
    plan.run(&mut y, product, add_parts_and_bias("conv2d", "conv2d_add_parts", bias));
    y
}
