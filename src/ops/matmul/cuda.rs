//! The launcher of kernels/matmul.cu.

use super::Transpose;
use crate::cuda::Buffer;
use crate::cuda::launch::Call;
use crate::cuda::product::{Plan, add_parts};

/// The `batch` products `[m, n]`, where the inner length is k and sizes are `[m, k, n]`.
pub fn products(a: &Buffer, b: &Buffer, batch: usize, sizes: [usize; 3], transpose: Transpose) -> Buffer {
    let [m, k, n] = sizes;
    let mut c = Buffer::unspecified(batch * m * n, a.context());
    let plan = Plan::new(sizes, batch, a.context().tf32());
    let kernels = match (transpose.a, transpose.b) {
        (false, false) => [
            "matmul_128x128_nn",
            "matmul_64x64_nn",
            "matmul_128x8_nn",
            "matmul_128x128_nn_tf32",
            "matmul_64x64_nn_tf32",
        ],
        (true, false) => [
            "matmul_128x128_tn",
            "matmul_64x64_tn",
            "matmul_128x8_tn",
            "matmul_128x128_tn_tf32",
            "matmul_64x64_tn_tf32",
        ],
        (false, true) => [
            "matmul_128x128_nt",
            "matmul_64x64_nt",
            "matmul_128x8_nt",
            "matmul_128x128_nt_tf32",
            "matmul_64x64_nt_tf32",
        ],
        (true, true) => [
            "matmul_128x128_tt",
            "matmul_64x64_tt",
            "matmul_128x8_tt",
            "matmul_128x128_tt_tf32",
            "matmul_64x64_tt_tf32",
        ],
    };
    let product = |to: &mut Buffer| {
        let call = Call::new(a.context(), "matmul", plan.kernel(kernels));
        let call = call.read(a).read(b).write(to);
        let call = call.value(batch as i32).value(m as i32).value(n as i32).value(k as i32);
        plan.launch(call.value(plan.k_block()));
    };
    plan.run(&mut c, product, add_parts("matmul", "matmul_add_parts"));
    c
}
