//! The launcher of kernels/conv2d_weight_grad.cu.

use crate::cuda::launch::Call;
use crate::cuda::product::{Plan, add_parts};
use crate::cuda::{Buffer, geometry};
use crate::shape::Conv2dGeometry;

const STEM: &str = "conv2d_weight_grad";
const KERNELS: [&str; 5] = [
    "conv2d_weight_grad_128x128",
    "conv2d_weight_grad_64x64",
    "conv2d_weight_grad_128x8",
    "conv2d_weight_grad_128x128_tf32",
    "conv2d_weight_grad_64x64_tf32",
];

/// w̄ `[kh, kw, c_in, c_out]` from x `[n, h, w, c_in]` and ȳ `[n, out_h, out_w, c_out]`.
pub fn conv2d_weight_grad(x: &Buffer, grad: &Buffer, g: &Conv2dGeometry) -> Buffer {
    let mut w = Buffer::unspecified(g.weight().numel(), x.context());
    let plan = Plan::new([g.patch(), g.n * g.out_h * g.out_w, g.c_out / g.groups], g.groups, x.context().tf32());
    let product = |to: &mut Buffer| {
        let call = Call::new(x.context(), STEM, plan.kernel(KERNELS));
        let call = call.read(x).read(grad).write(to);
        let call = call.value(geometry::Conv2dGeometry::from(g));
        plan.launch(call.value(plan.k_block()));
    };
    plan.run(&mut w, product, add_parts(STEM, "conv2d_weight_grad_add_parts"));
    w
}
