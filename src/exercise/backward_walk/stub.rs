//! # The walk of automatic differentiation
//!
//! A calculation is a list of nodes. Each is a number that was given (a leaf), or is made of nodes
//! before it:
//!
//! ```text
//! v0 = 3          v2 = v0 · v1        v4 = v3 + v0
//! v1 = 2          v3 = exp(v2)
//! ```
//!
//! The last node is the result, L. Wanted is ∂L/∂v for every node v, which is written v̄. The last
//! has L̄ = ∂L/∂L = 1. For any other, look at the nodes that v goes into. If v increases by δ, a
//! node u that is made of it changes by δ · ∂u/∂v, and L by δ · ∂u/∂v · ū. With several such nodes,
//! their contributions are added:
//!
//! ```text
//! v̄  =  Σ ū · ∂u/∂v       over all places in nodes u in which v is used
//! ```
//!
//! A node that is used nowhere has v̄ = 0. A node that is used twice by the same u, as in v · v,
//! has two places there.
//!
//! The derivatives of a node by what it is made of:
//!
//! ```text
//! u = a + b       ∂u/∂a = 1         ∂u/∂b = 1
//! u = a - b       ∂u/∂a = 1         ∂u/∂b = -1
//! u = a · b       ∂u/∂a = b         ∂u/∂b = a
//! u = exp a       ∂u/∂a = u
//! u = tanh a      ∂u/∂a = 1 - u²
//! ```
//!
//! When v̄ is calculated, ū must be complete for every u that v goes into. Since nodes are made of
//! earlier ones only, a walk from the last node to the first comes by in the right order.

/// How a node was made; the numbers are places in the list of nodes.
#[derive(Clone, Copy, Debug)]
pub enum Op {
    /// It was given.
    Leaf,
    /// a + b.
    Add(usize, usize),
    /// a - b.
    Sub(usize, usize),
    /// a · b.
    Mul(usize, usize),
    /// exp a.
    Exp(usize),
    /// tanh a.
    Tanh(usize),
}

/// A node.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// How it was made.
    pub op: Op,
    /// Its value, which is calculated already.
    pub value: f64,
}

/// The derivative of the last node by each node, in the order of `nodes`.
pub fn backward(nodes: &[Node]) -> Vec<f64> {
    todo!()
}
