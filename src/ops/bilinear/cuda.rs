//! A thread for each value of the result.

use super::Geometry;
use crate::cuda::Buffer;
use crate::cuda::launch::Call;

/// `[n, h', w', c]` from x `[n, h, w, c]`.
pub fn bilinear(x: &Buffer, g: &Geometry) -> Buffer {
    launch("bilinear_forward", x, g.output().numel(), g)
}

/// `[n, h, w, c]` from the gradient `[n, h', w', c]`.
pub fn bilinear_grad(grad: &Buffer, g: &Geometry) -> Buffer {
    launch("bilinear_grad", grad, g.input().numel(), g)
}

fn launch(name: &'static str, from: &Buffer, length: usize, g: &Geometry) -> Buffer {
    let mut to = Buffer::unspecified(length, from.context());
    let call = Call::new(from.context(), "bilinear", name).read(from).write(&mut to).value(length as i32);
    let sizes = [g.size[0], g.size[1], g.out[0], g.out[1], g.c].into_iter();
    sizes.fold(call, |call, size| call.value(size as i32)).over(length);
    to
}
