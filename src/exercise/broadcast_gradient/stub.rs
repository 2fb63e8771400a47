//! # The gradient of broadcasting
//!
//! Broadcasting stretches an array to a larger shape by repeating it. The two shapes are written
//! one below the other, aligned at their last axes. Where the smaller array has length 1, or has no
//! axis at all, it is repeated:
//!
//! ```text
//! x      [    3, 1 ]
//! y      [ 2, 3, 4 ]       y[i, j, k] = x[j, 0]
//! ```
//!
//! So each element of y is a copy of one element of x, and each element of x has several copies.
//! Let L be a number that is calculated from y, and write ȳ for the array of all ∂L/∂y[i]. If an
//! element x[s] is increased by δ, all of its copies increase by δ, and L by δ times the sum of
//! their derivatives:
//!
//! ```text
//! x̄[s]  =  Σ ȳ[i]     over all indices i of y whose element is a copy of x[s]
//! ```
//!
//! # Arrays in memory
//!
//! The values of an array lie one after the other, and the last index runs fastest. In an array of
//! shape [2, 3, 4] the element [i, j, k] is at place (i · 3 + j) · 4 + k. The numbers by which the
//! indices are multiplied, here 12, 4 and 1, are called strides. The other way round, index j of
//! place p is (p / 4) % 3: divide by the stride of its axis, then take the remainder by the length.

/// x̄, of shape `from`, where x was stretched from shape `from` to shape `to` and `y_grad` is ȳ, of
/// shape `to`.
///
/// `from` has at most as many axes as `to`, and may have none: x is then a single number. The
/// result has as many values as the product of the lengths in `from`, in the order that is
/// described above.
pub fn broadcast_gradient(y_grad: &[f64], from: &[usize], to: &[usize]) -> Vec<f64> {
    todo!()
}
