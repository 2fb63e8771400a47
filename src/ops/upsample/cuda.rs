//! A thread for each value of the result, or for four where the channels are a multiple of 4.

use crate::cuda::Buffer;
use crate::cuda::launch::Call;

/// `[n, h·f, w·f, c]` from x `[n, h, w, c]`.
pub fn upsample(x: &Buffer, [n, h, w, c]: [usize; 4], factor: usize) -> Buffer {
    let mut y = Buffer::unspecified(x.len() * factor * factor, x.context());
    let names = ["upsample_forward", "upsample_forward_fours"];
    launch(names, x, &mut y, [n * h * factor, w, c, factor]);
    y
}

/// `[n, h, w, c]` from the gradient `[n, h·f, w·f, c]`.
pub fn upsample_grad(grad: &Buffer, [n, h, w, c]: [usize; 4], factor: usize) -> Buffer {
    let mut x = Buffer::unspecified(n * h * w * c, grad.context());
    let names = ["upsample_grad", "upsample_grad_fours"];
    launch(names, grad, &mut x, [n * h, w, c, factor]);
    x
}

/// `rows` are the result's, `w` is that of the small image.
fn launch([plain, fours]: [&'static str; 2], from: &Buffer, to: &mut Buffer, [rows, w, c, factor]: [usize; 4]) {
    let (name, at_once) = match c.is_multiple_of(4) {
        true => (fours, 4),
        false => (plain, 1),
    };
    let length = to.len() / at_once;
    let kernel = Call::new(from.context(), "upsample", name);
    kernel
        .read(from)
        .write(to)
        .value(rows as i32)
        .value(w as i32)
        .value((c / at_once) as i32)
        .value(factor as i32)
        .over(length);
}
