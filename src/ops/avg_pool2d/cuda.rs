//! A thread for each value of the result.

use crate::cuda::Buffer;
use crate::cuda::geometry;
use crate::cuda::launch::Call;
use crate::shape::Conv2dGeometry;

/// The mean of each window of x.
pub fn avg_pool(x: &Buffer, g: &Conv2dGeometry) -> Buffer {
    let to = Buffer::unspecified(g.output().numel(), x.context());
    launch("avg_pool2d_forward", x, g, to)
}

/// Each of `grad`, a value for each window, spread evenly over the pixels of its window.
pub fn avg_pool_grad(grad: &Buffer, g: &Conv2dGeometry) -> Buffer {
    let to = Buffer::unspecified(g.input().numel(), grad.context());
    launch("avg_pool2d_grad", grad, g, to)
}

fn launch(name: &'static str, from: &Buffer, g: &Conv2dGeometry, mut to: Buffer) -> Buffer {
    let length = to.len();
    let kernel = Call::new(from.context(), "avg_pool2d", name);
    kernel.read(from).value(geometry::Conv2dGeometry::from(g)).write(&mut to).value(length as i32).over(length);
    to
}
