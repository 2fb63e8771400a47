//! The launcher of kernels/dense.cu.

use crate::cuda::Buffer;
use crate::cuda::launch::Call;
use crate::cuda::product::{Plan, add_parts_and_bias};

const KERNELS: [&str; 5] = ["dense_128x128", "dense_64x64", "dense_128x8", "dense_128x128_tf32", "dense_64x64_tf32"];

/// y `[n, out]`, with sizes `[n, in, out]`.
pub fn dense(x: &Buffer, weight: &Buffer, bias: &Buffer, sizes: [usize; 3]) -> Buffer {
    let [n, inputs, outputs] = sizes;
    let mut y = Buffer::unspecified(n * outputs, x.context());
    let plan = Plan::new(sizes, 1, x.context().tf32());
    // The bias is added once: with the sums, or with the sum of their parts.
    let product = |to: &mut Buffer| {
        let call = Call::new(x.context(), "dense", plan.kernel(KERNELS));
        let call = call.read(x).read(weight);
        let call = call.read_if((!plan.splits()).then_some(bias)).write(to);
        let call = call.value(n as i32).value(inputs as i32);
        plan.launch(call.value(outputs as i32).value(plan.k_block()));
    };
    plan.run(&mut y, product, add_parts_and_bias("dense", "dense_add_parts", Some(bias)));
    y
}
