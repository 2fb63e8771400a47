//! The walk from a loss towards the parameters.

use super::{Call, Node, Saved, with_recording};
use crate::ops::gradient_sums::{add_in_place, sums};
use crate::storage::{Device, Storage};
use crate::tensor::Tensor;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// The gradients of the scalar `loss` with respect to `parameters`, in their order. A parameter that the loss doesn't
/// depend on gets zeros. `parameters` may be any tensors with a history, not only leaves. With `create_graph` the
/// gradients can be differentiated again.
///
/// # Panics
/// If `loss` holds more than one value.
#[track_caller]
pub fn grad(loss: &Tensor, parameters: &[&Tensor], create_graph: bool) -> Vec<Tensor> {
    vjp(loss.clone(), one(loss), parameters, create_graph)
}

/// As [`grad`] without `create_graph`, for a loss that isn't needed again: each part of its record that nothing else
/// holds is released as soon as the walk has passed it.
///
/// # Panics
/// If `loss` holds more than one value.
#[track_caller]
pub fn grad_consuming(loss: Tensor, parameters: &[&Tensor]) -> Vec<Tensor> {
    let one = one(&loss);
    vjp(loss, one, parameters, false)
}

/// As [`grad_consuming`], with the gradients added to `sums`. Each of `parameters` is a leaf and is there once.
///
/// # Panics
/// If `loss` holds more than one value or is a parameter itself, `sums` don't fit the parameters, or a parameter is no
/// leaf or is there twice.
#[cfg(feature = "gan")]
#[track_caller]
pub(crate) fn grad_onto(sums: Vec<Tensor>, loss: Tensor, parameters: &[&Tensor]) -> Vec<Tensor> {
    assert!(sums.len() == parameters.len(), "grad_onto: {} sums for {} parameters", sums.len(), parameters.len());
    assert!(loss.node.as_ref().is_none_or(|node| node.op.is_some()), "grad_onto: the loss is a parameter");
    let one = one(&loss);
    or_zeros(walk(loss, one, parameters, sums, false), parameters)
}

/// ∂loss/∂loss.
#[track_caller]
pub(super) fn one(loss: &Tensor) -> Tensor {
    assert!(
        loss.numel() == 1,
        "grad: the loss has shape {} and must hold one value; take its sum or mean",
        loss.shape()
    );
    Tensor::from_parts(loss.shape(), Storage::constant(1.0, loss.device()), None)
}

/// The vector-Jacobian product: gradients of <`cotangent`, `output`> with respect to `parameters`.
///
/// `output` is taken by value so that what nothing else holds of its record is released as the walk passes it.
///
/// # Panics
/// If the shapes of `output` and `cotangent` differ.
#[track_caller]
pub fn vjp(output: Tensor, cotangent: Tensor, parameters: &[&Tensor], create_graph: bool) -> Vec<Tensor> {
    assert!(
        output.shape() == cotangent.shape(),
        "vjp: output {} and cotangent {} must have one shape",
        output.shape(),
        cotangent.shape()
    );
    or_zeros(walk(output, cotangent, parameters, Vec::new(), create_graph), parameters)
}

/// The gradients that were `found`, with zeros in place of `None`.
fn or_zeros(found: Vec<Option<Tensor>>, parameters: &[&Tensor]) -> Vec<Tensor> {
    let each = found.into_iter().zip(parameters);
    each.map(|(grad, p)| grad.unwrap_or_else(|| Tensor::zeros(p.shape(), p.device()))).collect()
}

/// The gradients of <`cotangent`, `output`>, added to `before`, which may be empty. `None` for a parameter that
/// `output` doesn't depend on.
#[track_caller]
pub(super) fn walk(
    output: Tensor,
    cotangent: Tensor,
    parameters: &[&Tensor],
    before: Vec<Tensor>,
    create_graph: bool,
) -> Vec<Option<Tensor>> {
    let mut found: HashMap<u64, Option<Tensor>> = HashMap::new();
    found.extend(parameters.iter().filter_map(|p| Some((p.node.as_ref()?.id, None))));

    let mut pending: BTreeMap<u64, (Arc<Node>, Tensor)> = BTreeMap::new();
    let mut terms: BTreeMap<u64, Vec<Tensor>> = BTreeMap::new();
    for (parameter, sum) in parameters.iter().zip(before) {
        let leaf = parameter.node.clone().filter(|node| node.op.is_none());
        let leaf = leaf.expect("sums are of parameters that are leaves");
        assert!(sum.shape() == parameter.shape(), "a sum of shape {} for {}", sum.shape(), parameter.shape());
        let twice = match sum.device() {
            Device::Cuda(_) => terms.insert(leaf.id, vec![sum]).is_some(),
            _ => pending.insert(leaf.id, (leaf, sum)).is_some(),
        };
        assert!(!twice, "a sum for each parameter once");
    }
    let mut reaching = HashSet::new();
    let root = output.node.clone();
    drop(output);
    if let Some(root) = root {
        reaching = reaching_any(&root, &found);
        if reaching.contains(&root.id) {
            pending.insert(root.id, (root, cotangent));
        }
    }

    with_recording(create_graph, || {
        // ANCHOR: rule
        while let Some((id, (node, grad))) = pending.pop_last() {
            if let Some(slot) = found.get_mut(&id) {
                *slot = Some(grad.clone());
            }
            let leads_on = |s: &Saved| s.node.as_ref().is_some_and(|n| reaching.contains(&n.id));
            let wanted: Vec<bool> = node.inputs.iter().map(leads_on).collect();
            let (Some(op), true) = (&node.op, wanted.contains(&true)) else {
                continue;
            };
            let call = Call { node: &node, wanted };
            let grads = op.vjp(&call, &grad);
            // ANCHOR_END: rule
            assert!(
                grads.len() == node.inputs.len(),
                "vjp of {}: {} gradients for inputs of shapes {:?}",
                op.name(),
                grads.len(),
                node.inputs.iter().map(|s| s.shape).collect::<Vec<_>>()
            );
            for ((saved, grad), wanted) in node.inputs.iter().zip(grads).zip(call.wanted) {
                let (Some(input), Some(grad), true) = (&saved.node, grad, wanted) else {
                    continue;
                };
                assert!(
                    grad.shape() == saved.shape,
                    "vjp of {}: a gradient of shape {} for an input of shape {}",
                    op.name(),
                    grad.shape(),
                    saved.shape
                );
                // On a CUDA device the terms of parameters' gradients are collected until the walk is over, as one
                // launch then adds to all of them.
                if input.op.is_none() && !create_graph && matches!(grad.device(), Device::Cuda(_)) {
                    terms.entry(input.id).or_default().push(grad);
                    continue;
                }
                // ANCHOR: sum
                // Summed by an op, though ops stand above this module: in a recorded walk the sum over several
                // paths must be differentiable too.
                let sum = match pending.remove(&input.id) {
                    Some((_, sum)) => add_in_place(sum, &grad),
                    None => grad,
                };
                pending.insert(input.id, (Arc::clone(input), sum));
                // ANCHOR_END: sum
            }
        }
        let (ids, terms): (Vec<u64>, Vec<Vec<Tensor>>) = terms.into_iter().unzip();
        for (id, sum) in ids.into_iter().zip(sums(terms)) {
            found.insert(id, Some(sum));
        }
    });

    parameters.iter().map(|p| found[&p.node.as_ref()?.id].clone()).collect()
}

/// The numbers of the nodes under `root` from which a node in `targets` can be reached.
fn reaching_any(root: &Arc<Node>, targets: &HashMap<u64, Option<Tensor>>) -> HashSet<u64> {
    let mut nodes: BTreeMap<u64, &Node> = BTreeMap::new();
    let mut stack = vec![&**root];
    while let Some(node) = stack.pop() {
        if nodes.insert(node.id, node).is_none() {
            stack.extend(node.inputs.iter().filter_map(|saved| saved.node.as_deref()));
        }
    }
    // ANCHOR: reaching
    let mut reaching = HashSet::new();
    for (id, node) in nodes {
        let mut inputs = node.inputs.iter().filter_map(|saved| saved.node.as_ref());
        if targets.contains_key(&id) || inputs.any(|input| reaching.contains(&input.id)) {
            reaching.insert(id);
        }
    }
    // ANCHOR_END: reaching
    reaching
}

#[cfg(test)]
mod tests {
    #[cfg(feature = "gan")]
    #[test]
    fn gradients_are_added_to_sums() {
        use super::*;
        use crate::ops::{square, sum};

        let tensor = |value| Tensor::new(&[value], [1], Device::Reference);
        let (x, other) = (tensor(3.0).parameter(), tensor(4.0).parameter());
        let loss = sum(&square(&x), &[0]);
        let grads = grad_onto(vec![tensor(10.0), tensor(20.0)], loss.clone(), &[&x, &other]);
        assert_eq!([grads[0].item(), grads[1].item()], [16.0, 20.0]);
        let panics = |loss: &Tensor, parameters: &[&Tensor]| {
            let sums = parameters.iter().map(|_| tensor(1.0)).collect();
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| grad_onto(sums, loss.clone(), parameters)))
                .is_err()
        };
        assert!(panics(&loss, &[&x, &x]) && panics(&x, &[&x]) && panics(&loss, &[&loss]));
    }
}
