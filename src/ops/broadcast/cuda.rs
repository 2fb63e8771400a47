//! A strided copy in which repeated axes have stride 0.

use crate::cuda::Buffer;
use crate::cuda::geometry::View;
use crate::cuda::launch::Call;
use crate::cuda::strided::gather;
use crate::shape::Shape;
use std::borrow::Cow;

/// x, of shape `from`, stretched to `to`.
pub fn broadcast(x: &Buffer, from: Shape, to: Shape) -> Buffer {
    let mut out = Buffer::unspecified(to.numel(), x.context());
    gather(x, View::new(to, &from.broadcast_strides(to), 0), &mut out);
    out
}

/// x / `divisor`, of shape `from`, stretched to `to`.
pub fn divided_broadcast(x: &Buffer, from: Shape, to: Shape, divisor: f32) -> Buffer {
    if divisor == 1.0 {
        return broadcast(x, from, to);
    }
    let mut out = Buffer::unspecified(to.numel(), x.context());
    let view = View::new(to, &from.broadcast_strides(to), 0).merged();
    let call = Call::new(x.context(), "strided", "strided_gather_divided").read(x).value(view).value(divisor);
    call.write(&mut out).value(to.numel() as i32).over(to.numel());
    out
}

/// x as an operand of a function of two numbers: as it is if it is whole or repeats along leading axes, else
/// stretched.
pub fn operand(x: &Buffer, own: Shape, whole: Shape) -> Cow<'_, Buffer> {
    match own.is_suffix_of(whole) {
        true => Cow::Borrowed(x),
        false => Cow::Owned(broadcast(x, own, whole)),
    }
}
