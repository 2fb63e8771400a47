//! Which function answers a case. A node is an argument like `v3=mul(v0,v2)`, whose number is its value.

use super::text::{Array, Function};
use exercise::{Node, Op, backward};

/// The functions of src/lib.rs by their names.
pub const FUNCTIONS: &[(&str, Function)] = &[("backward", |case| {
    let nodes: Vec<Node> = case.given.iter().map(node).collect();
    vec![("gradients", backward(&nodes))]
})];

fn node(array: &Array) -> Node {
    let (_, formula) = array.name.split_once('=').expect("a node's name has its formula");
    let (name, inputs) = formula.split_once('(').unwrap_or((formula, ""));
    let inputs = inputs.trim_end_matches(')').split(',').filter_map(|input| input.strip_prefix('v'));
    let inputs: Vec<usize> = inputs.map(|input| input.parse().expect("a node's number")).collect();
    let op = match (name, &inputs[..]) {
        ("leaf", []) => Op::Leaf,
        ("add", &[a, b]) => Op::Add(a, b),
        ("sub", &[a, b]) => Op::Sub(a, b),
        ("mul", &[a, b]) => Op::Mul(a, b),
        ("exp", &[a]) => Op::Exp(a),
        ("tanh", &[a]) => Op::Tanh(a),
        _ => panic!("{formula} is no node"),
    };
    Node { op, value: array.values[0] }
}
