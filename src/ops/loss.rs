//! Losses, each made of other ops, so that their derivatives of any order follow. All are means
//! over every value, or over the batch where a row is one example. On a CUDA device a binary cross-entropy is one launch, and
//! its gradient another.

use super::mean_cross_entropy::{Of, mean_cross_entropy};
use super::{exp, log, max, mean, mean_all, reshape, square, sum};
use crate::tensor::Tensor;

/// Binary cross-entropy of `logits` x against `targets` t in [0, 1], which overflows nowhere:
///
/// ```text
/// -t ln σ(x) - (1 - t) ln(1 - σ(x)) = softplus(x) - x t
/// ```
///
/// Of an infinite logit it is NaN, as PyTorch's is; of a finite one it is right to a rounding of x, so that in f32 the
/// loss of a target 1 is 0 from x = 17 on (PyTorch's is where the target is 0 and x below -17).
///
/// # Panics
/// If the shapes don't broadcast.
#[track_caller]
pub fn binary_cross_entropy_with_logits(logits: &Tensor, targets: &Tensor) -> Tensor {
    mean_cross_entropy(Of::Logits, logits, targets)
}

/// Binary cross-entropy of probabilities p: -t ln p - (1 - t) ln(1 - p), with p held to [ε, 1 - ε],
/// ε = 10⁻⁷, as Keras does, and no gradient beyond. (PyTorch holds the logarithms to at least -100 in place of p.)
///
/// # Panics
/// If the shapes don't broadcast.
#[track_caller]
pub fn binary_cross_entropy(probabilities: &Tensor, targets: &Tensor) -> Tensor {
    mean_cross_entropy(Of::Probabilities, probabilities, targets)
}

/// The critic's estimate of the Wasserstein distance (Arjovsky, Chintala and Bottou, 2017), mean
/// D(x) - mean D(G(z)). The critic minimises its negative, the generator -mean D(G(z)).
#[track_caller]
pub fn wasserstein(real_scores: &Tensor, fake_scores: &Tensor) -> Tensor {
    mean_all(real_scores) - mean_all(fake_scores)
}

/// mean((a - b)²).
///
/// # Panics
/// If the shapes don't broadcast.
#[track_caller]
pub fn mean_squared_error(a: &Tensor, b: &Tensor) -> Tensor {
    mean_all(&square(&(a - b)))
}

/// ln [`softmax`](fn@super::softmax) of `x` along `axis`: x - m - ln Σ e^(x - m), with m the largest along it. The result
/// does not depend on m, so no gradient goes through it.
///
/// # Panics
/// If there is no such axis, or `x` is empty.
#[track_caller]
pub fn log_softmax(x: &Tensor, axis: usize) -> Tensor {
    let shape = x.shape();
    assert!(axis < shape.rank() && x.numel() > 0, "log_softmax: axis {axis} of an input of shape {shape}");
    let kept = shape.with_axis(axis, 1);
    let shifted = x - reshape(&max(&x.detach(), &[axis]), kept);
    let total = log(&sum(&exp(&shifted), &[axis]));
    shifted - reshape(&total, kept)
}

/// Cross-entropy of `logits` `[n, classes]` against `targets`, rows of probabilities (one-hot for
/// labels): the mean over the batch of -Σ t ln softmax(x). A logit of -∞ makes it NaN, also where its target is 0.
///
/// # Panics
/// If the shapes differ.
#[track_caller]
pub fn cross_entropy(logits: &Tensor, targets: &Tensor) -> Tensor {
    assert!(
        logits.shape() == targets.shape(),
        "cross_entropy: logits {} and targets {}",
        logits.shape(),
        targets.shape()
    );
    -mean(&sum(&(targets * log_softmax(logits, 1)), &[1]), &[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grad;
    use crate::ops::clamp;
    use crate::storage::Device;

    /// What [`binary_cross_entropy`] says in one op, as a chain of ops whose rules are their own.
    fn chain(p: &Tensor, t: &Tensor) -> Tensor {
        let held_log = |p: &Tensor| log(&clamp(p, 1e-7, 1.0 - 1e-7));
        -mean_all(&(t * held_log(p) + (1.0 - t) * held_log(&(1.0 - p))))
    }

    /// The loss, its gradients in both arguments, and the gradients of a sum of those.
    fn derivatives(loss: fn(&Tensor, &Tensor) -> Tensor, p: &[f64], t: &[f64], device: Device) -> Vec<Vec<f64>> {
        let [p, t] = [p, t].map(|values| Tensor::new(values, [values.len()], device).parameter());
        let loss = loss(&p, &t);
        let first = grad(&loss, &[&p, &t], true);
        let both = sum(&(&first[0] * &first[0] + &first[0] * &first[1]), &[0]);
        let second = grad(&both, &[&p, &t], false);
        [vec![loss], first, second].concat().iter().map(Tensor::to_f64).collect()
    }

    #[test]
    fn one_op_is_the_chain_of_ops_at_the_bounds_and_beyond() {
        for device in [Device::Reference, Device::Cpu] {
            let last = if device == Device::Cpu { f64::from(1.0_f32 - 1e-7) } else { 1.0 - 1e-7 };
            let low = [-2.0, -0.0, 0.0, 5e-8, 1e-7, 1.000_001e-7, 2e-7, 0.3];
            let p: Vec<f64> =
                low.into_iter().chain([last, last - 1e-7, last + 6e-8, 1.0, 1.5, f64::INFINITY]).collect();
            for target in [0.0, 0.25, 1.0, -0.5] {
                let t = vec![target; p.len()];
                let [ours, theirs] = [binary_cross_entropy, chain].map(|loss| derivatives(loss, &p, &t, device));
                assert_eq!(ours[0], theirs[0], "the loss of target {target} on {device}");
                for (ours, theirs) in ours.iter().flatten().zip(theirs.iter().flatten()) {
                    let error = (ours - theirs).abs();
                    assert!(error <= 1e-6 * theirs.abs(), "{ours} and {theirs}, target {target} on {device}");
                }
            }
        }
    }

    #[test]
    fn a_probability_that_is_no_number_makes_the_loss_none_and_has_no_gradient() {
        for device in [Device::Reference, Device::Cpu] {
            let found = derivatives(binary_cross_entropy, &[f64::NAN, 0.5], &[1.0, 1.0], device);
            assert!(found[0][0].is_nan());
            assert_eq!(found[1], [0.0, -1.0]);
        }
    }
}
