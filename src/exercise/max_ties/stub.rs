//! # The gradient of a maximum, where several are largest
//!
//! y is the largest value of x along one axis, which y lacks. For a matrix x of shape [2, 3] and
//! axis 1:
//!
//! ```text
//! x  =  [ 1  5  2 ]        y  =  [ 5, 4 ]
//!       [ 4  0  4 ]
//! ```
//!
//! Let L be a number that is calculated from y, and write ȳ for its derivatives by the elements of
//! y. In the first row only the 5 matters: if it is increased by δ, y[0] is too, and if another
//! element is increased a little, nothing changes. So the 5 gets all of ȳ[0], and the others 0.
//!
//! The second row has a tie. If the first 4 is increased by δ, y[1] increases; if it is decreased,
//! the other 4 remains, and y[1] stays. There is no derivative at such a point, and an engine has
//! to choose. This one **shares ȳ equally among all that tie**, so that none is preferred and the
//! shares add up to ȳ:
//!
//! ```text
//! x̄[i]  =  ȳ[o] / (number of elements that are equal to y[o])     if x[i] = y[o], o being what i is without the axis
//!          0                                                      otherwise
//! ```
//!
//! With ȳ = [6, 8] that gives [[0, 6, 0], [4, 0, 4]].
//!
//! # Arrays in memory
//!
//! The values of an array lie one after the other, and the last index runs fastest. For an axis of
//! length `length`, let `outer` be the product of the lengths before it and `inner` the product of
//! those after it. The element with indices a, b and c in these three parts is at place
//! (a · length + b) · inner + c of x, and its maximum at a · inner + c of y.

/// x̄, of shape `shape` like x, from ȳ, whose shape is that without the axis number `axis`, counted
/// from 0.
pub fn max_gradient(x: &[f64], shape: &[usize], axis: usize, y_grad: &[f64]) -> Vec<f64> {
    todo!()
}
