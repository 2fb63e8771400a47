//! Losses. Each is made of other ops, so that derivatives of any order follow. All are means over every value, or over
//! the batch where a row is one example, and have the shape `[]`. On a CUDA device a binary cross-entropy is one
//! launch, and its gradient another.

use super::mean_cross_entropy::{Of, mean_cross_entropy};
use super::{exp, log, max, mean, mean_all, reshape, square, sum};
use crate::tensor::Tensor;

/// The mean binary cross-entropy of `logits` x against `targets` t in [0, 1], in a form that never overflows:
///
/// ```text
/// -t ln σ(x) - (1 - t) ln(1 - σ(x)) = softplus(x) - x t
/// ```
///
/// x̄ = ȳ · (σ(x) - t) / n, for n values.
///
/// ```
/// use minimax::{Device, Tensor, ops};
///
/// let logits = Tensor::zeros([4], Device::Reference);
/// let loss = ops::binary_cross_entropy_with_logits(&logits, &Tensor::ones([4], Device::Reference));
/// assert!((loss.item() - 0.6931471805599453).abs() < 1e-15); // ln 2
/// ```
///
/// For an infinite logit it is NaN, as in PyTorch. For a finite one its error is at most a rounding of x, so that in
/// f32 the loss for a target of 1 is 0 from x = 17 on. (In PyTorch it is the loss for a target of 0 that is 0, below x
/// = -17.)
///
/// # Panics
/// If the shapes don't broadcast.
#[track_caller]
pub fn binary_cross_entropy_with_logits(logits: &Tensor, targets: &Tensor) -> Tensor {
    mean_cross_entropy(Of::Logits, logits, targets)
}

/// The mean binary cross-entropy of probabilities p against targets t: -t ln p - (1 - t) ln(1 - p), with p clamped to
/// [ε, 1 - ε], ε = 10⁻⁷, as in Keras, and no gradient beyond. (PyTorch clamps the logarithms instead, to at least
/// -100.) Within, p̄ = ȳ / n · ((1 - t) / (1 - p) - t / p) for n values.
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

/// The mean of (a - b)² over all n values; ā = 2 ȳ (a - b) / n and b̄ = -ā.
///
/// ```
/// use minimax::{Device, Tensor, ops};
///
/// let [a, b] = [[1.0, 2.0], [3.0, 2.0]].map(|values| Tensor::new(&values, [2], Device::Cpu));
/// assert_eq!(ops::mean_squared_error(&a, &b).item(), 2.0);
/// ```
///
/// # Panics
/// If the shapes don't broadcast.
#[track_caller]
pub fn mean_squared_error(a: &Tensor, b: &Tensor) -> Tensor {
    mean_all(&square(&(a - b)))
}

/// The logarithm of [`softmax`](fn@super::softmax) of `x` along `axis`, in the shape of `x`: x - m - ln Σ e^(x - m),
/// with m the largest value along it. The result does not depend on m, so no gradient goes through m: x̄ = ȳ -
/// softmax(x) Σ ȳ.
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

/// Cross-entropy of `logits` `[n, classes]` against `targets` of the same shape, rows of probabilities (one-hot for
/// labels): the mean over the batch of -Σ t ln softmax(x). Where each row of targets sums to 1, x̄ = ȳ (softmax(x) - t)
/// / n. A logit of -∞ makes it NaN, even where its target is 0.
///
/// ```
/// use minimax::{Device, Tensor, ops};
///
/// let logits = Tensor::zeros([2, 10], Device::Cpu);
/// let labels = Tensor::new(&[3.0, 7.0], [2], Device::Cpu);
/// let loss = ops::cross_entropy(&logits, &labels.one_hot(10));
/// assert!((loss.item() - 2.302585).abs() < 1e-5); // ln 10
/// ```
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
