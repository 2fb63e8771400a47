//! The launcher of kernels/finish.cu.

use crate::cuda::Buffer;
use crate::cuda::launch::Call;
use crate::ops::dropout::cuda::with_mask;
use crate::ops::leaky_relu::Rectifier;

/// Finishes the sums in `y` where they lie.
pub fn finish(y: &mut Buffer, bias: Option<&Buffer>, rectifier: &Rectifier) {
    let (context, len) = (y.context(), y.len());
    let channels = bias.map_or(1, Buffer::len);
    let name = if rectifier.mask.is_some() { "finish_dropout" } else { "finish" };
    let call = Call::new(context, "finish", name).write(y).value(len as i32);
    let call = call.read_if(bias).value(channels as i32).value(rectifier.slope as f32);
    let call = match &rectifier.mask {
        Some(mask) => with_mask(call, mask, context),
        None => call,
    };
    call.over(len.div_ceil(4));
}
