//! Value by value: for each outer index, the block of each input in turn.

/// The inputs, of which `blocks[i]` values at a time come from input i.
pub fn concat(inputs: &[&[f64]], blocks: &[usize]) -> Vec<f64> {
    let outer = inputs.iter().zip(blocks).map(|(x, b)| x.len() / b.max(&1)).max();
    let mut y = Vec::new();
    for o in 0..outer.unwrap_or(0) {
        for (x, &block) in inputs.iter().zip(blocks) {
            for i in 0..block {
                y.push(x[o * block + i]);
            }
        }
    }
    y
}
