//! One strided copy per input: its blocks lie a whole row of the result apart. Single numbers are put side by side in one
//! launch.

use crate::cuda::Buffer;
use crate::cuda::geometry::View;
use crate::cuda::strided::{MAX_NUMBERS, scatter, side_by_side};
use crate::shape::Shape;

/// The inputs, of which `blocks[i]` values at a time come from input i.
pub fn concat(inputs: &[&Buffer], blocks: &[usize]) -> Buffer {
    let row: usize = blocks.iter().sum();
    let length = inputs.iter().map(|x| x.len()).sum();
    let mut y = Buffer::unspecified(length, inputs[0].context());
    if inputs.iter().all(|x| x.len() == 1) && length <= MAX_NUMBERS {
        side_by_side(inputs, &mut y);
        return y;
    }
    let mut before = 0;
    for (x, &block) in inputs.iter().zip(blocks) {
        let shape = Shape::new(&[x.len() / block.max(1), block]);
        scatter(x, View::new(shape, &[row, 1], before), &mut y);
        before += block;
    }
    y
}
