//! One block copy per input and outer index.

use crate::cpu::pool::Buffer;

/// The inputs, of which `blocks[i]` values at a time come from input i.
pub fn concat(inputs: &[&[f32]], blocks: &[usize]) -> Buffer {
    let row: usize = blocks.iter().sum();
    let mut y = Buffer::unspecified(inputs.iter().map(|x| x.len()).sum());
    for (o, mut row) in y.chunks_exact_mut(row.max(1)).enumerate() {
        for (x, &block) in inputs.iter().zip(blocks) {
            let (to, rest) = row.split_at_mut(block);
            to.copy_from_slice(&x[o * block..][..block]);
            row = rest;
        }
    }
    y
}
