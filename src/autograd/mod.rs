//! Reverse-mode automatic differentiation.
//!
//! Every op whose inputs depend on a parameter leaves a [`Node`]: the op, the nodes of its inputs, and the values that
//! its derivative rule will read. [`grad`] walks those nodes from the loss towards the parameters, and turns the
//! gradient of each output into the gradients of its inputs by the op's vector-Jacobian product:
//!
//! ```text
//! y = f(x),  ȳ = ∂loss/∂y   →   x̄ = ∂loss/∂x = ȳ · ∂f/∂x
//! ```
//!
//! An example in numbers is y = (w · x + b)², with parameters w and b. The nodes form the tape, in the middle: each has
//! the values that its rule reads, and links up to its inputs' nodes. The constant x has no node.
//!
//! ```text
//! forward, downwards            the tape                    backward, upwards
//!
//! 0  w = 3                   0 leaf                         w̄ = ā · x = 28
//! 1  b = 1                     │        1 leaf              b̄ = s̄ = 14
//!                              │          │
//! 2  a = w · x = 6 (x = 2)   2 mul: w, x  │                 ā = s̄ = 14
//!                              └────┬─────┘
//! 3  s = a + b = 7                3 add                     s̄ = ȳ · 2s = 14
//!                                   │
//! 4  y = s² = 49                  4 square: s               ȳ = 1
//! ```
//!
//! ```
//! use minimax::{Device, Tensor, grad, ops};
//!
//! let number = |value| Tensor::new(&[value], [], Device::Reference);
//! let (w, b, x) = (number(3.0).parameter(), number(1.0).parameter(), number(2.0));
//! let y = ops::square(&(&w * &x + &b));
//! let grads = grad(&y, &[&w, &b], false);
//! assert_eq!((y.item(), grads[0].item(), grads[1].item()), (49.0, 28.0, 14.0));
//! ```
//!
//! A rule is itself written in tensor ops, so when the walk is recorded (`create_graph`) its result can be
//! differentiated again. Nodes are numbered in the order in which they are made. An output's number is thus larger than
//! its inputs' numbers, and going from the highest number down visits each node before those that it was computed from.

mod try_grad;
mod walk;

use crate::shape::Shape;
use crate::storage::Storage;
use crate::tensor::Tensor;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
pub use try_grad::try_grad;
#[cfg(feature = "gan")]
pub(crate) use walk::grad_onto;
pub use walk::{grad, grad_consuming, vjp};

/// The derivative rule of an op, with the op's attributes as fields. [An example](crate::ops#an-op-of-your-own).
pub trait Op: Send + Sync {
    /// The op's name, as in the case table.
    fn name(&self) -> &'static str;

    /// Which values the rule reads; the others are freed when the caller drops them.
    fn keeps(&self) -> Keeps {
        Keeps::Inputs
    }

    /// How to compute the output again, for an op where that is worth the memory it saves: then no record keeps the
    /// output, whichever op's rule reads it. Such an op keeps its inputs.
    fn remake(&self) -> Option<&dyn Remake> {
        None
    }

    /// True if the output shares the values of input 0.
    fn is_view(&self) -> bool {
        false
    }

    /// The gradients of the inputs, in order, from the gradient of the output. `None` stands for one that is zero
    /// everywhere; for an input that `call` doesn't want it may be `None` too, as it isn't read.
    fn vjp(&self, call: &Call, grad: &Tensor) -> Vec<Option<Tensor>>;
}

/// An op whose output costs less to compute again than to keep.
pub trait Remake {
    /// The values of the output, computed from the inputs again and equal to the bit.
    fn output(&self, call: &Call) -> Storage;
}

/// The values that an op's rule reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// Shapes are enough.
    Nothing,
    /// The inputs.
    Inputs,
    /// The output.
    Output,
    /// The inputs and the output.
    Both,
}

// ANCHOR: node
/// How a tensor came to be: a leaf (no op) or the record of one op.
pub struct Node {
    id: u64,
    op: Option<Box<dyn Op>>,
    inputs: Vec<Saved>,
    output: Option<Saved>,
}
// ANCHOR_END: node

// ANCHOR: saved
/// A tensor as a node remembers it: without its values, unless the rule reads them and they can't be computed again.
struct Saved {
    shape: Shape,
    storage: Option<Arc<Storage>>,
    node: Option<Arc<Node>>,
}
// ANCHOR_END: saved

impl Node {
    fn new(op: Option<Box<dyn Op>>, inputs: Vec<Saved>, output: Option<Saved>) -> Arc<Node> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Arc::new(Node { id: NEXT.fetch_add(1, Ordering::Relaxed), op, inputs, output })
    }

    pub(crate) fn leaf() -> Arc<Node> {
        Node::new(None, Vec::new(), None)
    }

    pub(crate) fn is_leaf(&self) -> bool {
        self.op.is_none()
    }

    pub(crate) fn name(&self) -> &'static str {
        self.op.as_ref().map_or("parameter", |op| op.name())
    }

    /// The values of this node's output, if they can be computed again.
    fn remade(self: &Arc<Node>) -> Option<Arc<Storage>> {
        let source = self.source()?;
        let call = Call { node: source, wanted: Vec::new() };
        let storage = with_recording(false, || source.op.as_ref()?.remake().map(|remake| remake.output(&call)));
        storage.map(Arc::new)
    }

    /// The node whose op can compute these values again, if there is one.
    fn source(self: &Arc<Node>) -> Option<&Arc<Node>> {
        let mut node = self;
        loop {
            let op = node.op.as_ref()?;
            if op.remake().is_some() {
                return Some(node);
            }
            node = node.inputs.first().filter(|_| op.is_view())?.node.as_ref()?;
        }
    }
}

/// Unlinks a long chain of nodes in a loop, where dropping field by field would recurse once per op.
impl Drop for Node {
    fn drop(&mut self) {
        let mut inputs = std::mem::take(&mut self.inputs);
        while let Some(saved) = inputs.pop() {
            if let Some(mut node) = saved.node.and_then(Arc::into_inner) {
                inputs.append(&mut node.inputs);
            }
        }
    }
}

/// One recorded use of an op, as its derivative rule sees it.
pub struct Call<'a> {
    node: &'a Arc<Node>,
    wanted: Vec<bool>,
}

impl Call<'_> {
    // ANCHOR: input
    /// Input `i`, with its history.
    ///
    /// # Panics
    /// If the op doesn't keep its inputs.
    #[track_caller]
    pub fn input(&self, i: usize) -> Tensor {
        let saved = &self.node.inputs[i];
        let keeps = matches!(self.op().keeps(), Keeps::Inputs | Keeps::Both);
        assert!(keeps, "{} keeps no inputs", self.node.name());
        saved.tensor(saved.node.clone())
    }
    // ANCHOR_END: input

    /// The output, with its history.
    ///
    /// # Panics
    /// If the op doesn't keep it.
    #[track_caller]
    pub fn output(&self) -> Tensor {
        let Some(saved) = &self.node.output else {
            panic!("{} keeps no output", self.node.name());
        };
        saved.tensor(Some(Arc::clone(self.node)))
    }

    /// The number of inputs.
    pub fn inputs(&self) -> usize {
        self.node.inputs.len()
    }

    fn op(&self) -> &dyn Op {
        &**self.node.op.as_ref().expect("a call is of an op")
    }

    /// The shape of input `i`, which is always known.
    pub fn input_shape(&self, i: usize) -> Shape {
        self.node.inputs[i].shape
    }

    /// True if the gradient of input `i` leads to a parameter that was asked for.
    pub fn wants(&self, i: usize) -> bool {
        self.wanted[i]
    }
}

impl Saved {
    /// The tensor again, whose node is `node`.
    fn tensor(&self, node: Option<Arc<Node>>) -> Tensor {
        let kept = self.storage.clone();
        let storage = kept.or_else(|| node.as_ref()?.remade()).expect("values that are kept or remade");
        Tensor::from_parts(self.shape, storage, node)
    }
}

/// The output of an op as a tensor. It is recorded if recording is on and one of `inputs` depends on a parameter.
///
/// # Panics
/// If `storage` doesn't fit `shape`.
#[track_caller]
pub fn record(op: impl Op + 'static, inputs: &[&Tensor], shape: impl Into<Shape>, storage: Storage) -> Tensor {
    record_shared(op, inputs, shape.into(), Arc::new(storage))
}

/// As [`record`], for an output that shares the values of an input.
#[track_caller]
pub(crate) fn record_shared(op: impl Op + 'static, inputs: &[&Tensor], shape: Shape, storage: Arc<Storage>) -> Tensor {
    assert!(storage.len() == shape.numel(), "{}: {} values for an output of shape {shape}", op.name(), storage.len());
    let recorded = recording() && inputs.iter().any(|input| input.requires_grad());
    let node = recorded.then(|| {
        let keeps = op.keeps();
        let keep_inputs = matches!(keeps, Keeps::Inputs | Keeps::Both);
        let is_remade = |input: &Tensor| input.node.as_ref().is_some_and(|node| node.source().is_some());
        let saved = |input: &&Tensor| Saved {
            shape: input.shape(),
            storage: (keep_inputs && !is_remade(input)).then(|| input.shared_storage()),
            node: input.node.clone(),
        };
        let output = matches!(keeps, Keeps::Output | Keeps::Both).then(|| Saved {
            shape,
            storage: op.remake().is_none().then(|| Arc::clone(&storage)),
            node: None,
        });
        Node::new(Some(Box::new(op)), inputs.iter().map(saved).collect(), output)
    });
    Tensor::from_parts(shape, storage, node)
}

thread_local! {
    static RECORDING: Cell<bool> = const { Cell::new(true) };
}

/// True if ops on this thread are recorded.
pub fn recording() -> bool {
    RECORDING.get()
}

/// Runs `f` without recording: for sampling and evaluation.
pub fn no_grad<T>(f: impl FnOnce() -> T) -> T {
    with_recording(false, f)
}

// ANCHOR: with_recording
fn with_recording<T>(on: bool, f: impl FnOnce() -> T) -> T {
    let _before = set_recording(on);
    f()
}

/// Turns recording on or off, until what it returns is dropped.
pub(crate) fn set_recording(on: bool) -> Before {
    Before(RECORDING.replace(on))
}

/// Whether ops were recorded before, which is restored when this is dropped.
pub(crate) struct Before(bool);

impl Drop for Before {
    fn drop(&mut self) {
        RECORDING.set(self.0);
    }
}
// ANCHOR_END: with_recording
