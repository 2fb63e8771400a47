//! `backward-walk`: the gradients of a graph of numbers.

use super::text::Case;
use super::{Exercise, Files, attribute, number};
use crate::grad;
use crate::ops::{add, exp, mul, sub, tanh};
use crate::storage::Device;
use crate::tensor::Tensor;

/// The exercise.
pub const EXERCISE: Exercise = Exercise {
    name: "backward-walk",
    chapter: 2,
    task: "the walk from a result back to the gradient of every node",
    files: Files::rust(include_str!("stub.rs"), include_str!("call.rs")),
    cases,
    further_cases,
    tolerance: 1e-10,
    hints: &[
        "Begin with a list of zeros, one for each node, and set the last to 1. Go over the nodes from the last to the \
         first. At each, its own gradient is complete: hand on to its inputs what is theirs.",
        "Add to what an input has already; never assign. A node may have got something from another place before.",
    ],
    solution: "src/autograd/walk.rs",
};

fn cases() -> Vec<Case> {
    vec![
        case("a leaf", &["3"]),
        case("a sum", &["3", "2", "add(v0,v1)"]),
        case("a difference", &["3", "2", "sub(v0,v1)"]),
        case("a product", &["3", "2", "mul(v0,v1)"]),
        case("functions of one number", &["0.5", "tanh(v0)", "exp(v1)"]),
        case("a number added to itself", &["3", "add(v0,v0)"]),
        case("a square", &["3", "mul(v0,v0)"]),
        case("a node that is not used", &["3", "2", "exp(v0)"]),
        case("a node that is used twice", &["2", "-1", "mul(v0,v1)", "add(v2,v0)"]),
        case("paths that meet again", &["0.5", "exp(v0)", "tanh(v1)", "mul(v1,v2)", "sub(v3,v1)"]),
    ]
}

fn further_cases() -> Vec<Case> {
    let all = ["1.5", "-0.25", "sub(v1,v0)", "tanh(v2)", "mul(v3,v0)", "add(v4,v3)", "exp(v3)", "mul(v6,v5)"];
    // Whoever followed every path by itself would follow two to the power of forty.
    let squares: Vec<String> = (0..40).map(|i| format!("mul(v{i},v{i})")).collect();
    let squares: Vec<&str> = ["1"].into_iter().chain(squares.iter().map(String::as_str)).collect();
    vec![case("all of them", &all), case("forty squares", &squares)]
}

/// A case with these nodes, of which a number is a leaf.
fn case(name: &str, formulas: &[&str]) -> Case {
    let mut nodes: Vec<Tensor> = Vec::new();
    let mut given = Vec::new();
    for (place, formula) in formulas.iter().enumerate() {
        let leaf = formula.parse().ok();
        let node = match leaf {
            Some(value) => Tensor::full(value, [], Device::Reference).parameter(),
            None => {
                let (op, inputs) = formula.trim_end_matches(')').split_once("(v").expect("op(inputs)");
                let inputs = inputs.split(",v").map(|input| &nodes[input.parse::<usize>().expect("a node's number")]);
                match (op, &inputs.collect::<Vec<_>>()[..]) {
                    ("add", [a, b]) => add(a, b),
                    ("sub", [a, b]) => sub(a, b),
                    ("mul", [a, b]) => mul(a, b),
                    ("exp", [a]) => exp(a),
                    ("tanh", [a]) => tanh(a),
                    _ => panic!("{formula} is no node"),
                }
            }
        };
        let formula = if leaf.is_some() { "leaf" } else { formula };
        given.push(number(&format!("v{place}={formula}"), node.item()));
        nodes.push(node);
    }
    let gradients = grad(&nodes[nodes.len() - 1], &nodes.iter().collect::<Vec<_>>(), false);
    let gradients: Vec<f64> = gradients.iter().map(Tensor::item).collect();
    Case { name: name.to_string(), given, wanted: vec![attribute("gradients", &gradients)] }
}
