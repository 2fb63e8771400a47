//! A thread for each value of the result.

use crate::cuda::Buffer;
use crate::cuda::geometry;
use crate::cuda::launch::Call;
use crate::shape::Conv2dGeometry;

/// The value of `values` at the place of the largest of each window of x.
pub fn pick(values: &Buffer, x: &Buffer, g: &Conv2dGeometry) -> Buffer {
    let to = Buffer::unspecified(g.output().numel(), x.context());
    launch("max_pool2d_pick", values, x, g, to)
}

/// Zeros of x's shape with `grad`, a value for each window, added at the place of its largest.
pub fn place(grad: &Buffer, x: &Buffer, g: &Conv2dGeometry) -> Buffer {
    let to = Buffer::unspecified(g.input().numel(), x.context());
    launch("max_pool2d_place", grad, x, g, to)
}

fn launch(name: &'static str, from: &Buffer, x: &Buffer, g: &Conv2dGeometry, mut to: Buffer) -> Buffer {
    let length = to.len();
    let kernel = Call::new(x.context(), "max_pool2d", name);
    kernel.read(from).read(x).value(geometry::Conv2dGeometry::from(g)).write(&mut to).value(length as i32).over(length);
    to
}
