//! A thread makes one Philox block, four numbers.

use crate::cuda::{Buffer, Context};
use crate::random::Position;

/// `count` numbers from N(0, 1).
pub fn normal(position: Position, count: usize, context: &'static Context) -> Buffer {
    drawn("random_normal", position, count, context)
}

/// `count` numbers uniform on [0, 1).
pub fn uniform(position: Position, count: usize, context: &'static Context) -> Buffer {
    drawn("random_uniform", position, count, context)
}

fn drawn(kernel: &'static str, position: Position, count: usize, context: &'static Context) -> Buffer {
    let mut y = Buffer::unspecified(count, context);
    context
        .kernel("random", kernel)
        .write(&mut y)
        .value(count as i32)
        .value(context.position(position))
        .over(count.div_ceil(4));
    y
}
