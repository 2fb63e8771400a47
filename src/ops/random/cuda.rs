//! A thread makes one Philox block, four numbers.

use crate::cuda::launch::Call;
use crate::cuda::{Buffer, Context, geometry};
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
    Call::new(context, "random", kernel)
        .write(&mut y)
        .value(count as i32)
        .value(geometry::Position::new(position, context))
        .over(count.div_ceil(4));
    y
}
