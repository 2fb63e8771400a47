//! Assigns where it has to add.
// says: backward is right in 6 of 12 cases
// says: "a number added to itself"
// says: The first is at [0]

#[derive(Clone, Copy, Debug)]
pub enum Op {
    Leaf,
    Add(usize, usize),
    Sub(usize, usize),
    Mul(usize, usize),
    Exp(usize),
    Tanh(usize),
}

#[derive(Clone, Copy, Debug)]
pub struct Node {
    pub op: Op,
    pub value: f64,
}

pub fn backward(nodes: &[Node]) -> Vec<f64> {
    let mut gradients = vec![0.0; nodes.len()];
    gradients[nodes.len() - 1] = 1.0;
    for (place, node) in nodes.iter().enumerate().rev() {
        let own = gradients[place];
        match node.op {
            Op::Leaf => {}
            Op::Add(a, b) => {
                gradients[a] = own;
                gradients[b] = own;
            }
            Op::Sub(a, b) => {
                gradients[a] = own;
                gradients[b] = -own;
            }
            Op::Mul(a, b) => {
                gradients[a] = own * nodes[b].value;
                gradients[b] = own * nodes[a].value;
            }
            Op::Exp(a) => gradients[a] = own * node.value,
            Op::Tanh(a) => gradients[a] = own * (1.0 - node.value * node.value),
        }
    }
    gradients
}
