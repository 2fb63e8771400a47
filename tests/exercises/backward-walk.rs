//! By the engine: the same graph of tensors, and its gradients.

use minimax::{Device, Tensor, grad, ops};

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
    let mut made: Vec<Tensor> = Vec::new();
    for node in nodes {
        made.push(match node.op {
            Op::Leaf => Tensor::full(node.value, [], Device::Reference).parameter(),
            Op::Add(a, b) => ops::add(&made[a], &made[b]),
            Op::Sub(a, b) => ops::sub(&made[a], &made[b]),
            Op::Mul(a, b) => ops::mul(&made[a], &made[b]),
            Op::Exp(a) => ops::exp(&made[a]),
            Op::Tanh(a) => ops::tanh(&made[a]),
        });
    }
    let gradients = grad(&made[made.len() - 1], &made.iter().collect::<Vec<_>>(), false);
    gradients.iter().map(Tensor::item).collect()
}
