//! # The gradient of a gradient penalty
//!
//! A critic D of a Wasserstein GAN should be nowhere steeper than 1. A gradient penalty (Gulrajani
//! et al., 2017) adds to its loss
//!
//! ```text
//! P  =  λ · mean over points x of (|∇D(x)| - 1)²
//! ```
//!
//! ∇D(x) is the gradient of D by its input, and to train with P, the gradient of P by the weights
//! is needed: a gradient of a gradient. Here it is worked out for a critic with one hidden layer of
//! tanh, for one point x of d values:
//!
//! ```text
//! aⱼ  =  Σᵢ xᵢ · Wᵢⱼ          hⱼ  =  tanh aⱼ          D(x)  =  Σⱼ hⱼ · vⱼ
//! ```
//!
//! **The first gradient.** tanh has the derivative sⱼ = 1 - hⱼ². With uⱼ = sⱼ · vⱼ, the derivative
//! of D by aⱼ,
//!
//! ```text
//! gᵢ  =  ∂D/∂xᵢ  =  Σⱼ Wᵢⱼ · uⱼ          r  =  |g|  =  √(Σᵢ gᵢ²)
//! ```
//!
//! and the point's part of the penalty is p = (r - 1)². (r = 0, where a length has no derivative, does
//! not occur here.)
//!
//! **The second.** Go back from p, step by step. By r, p has the derivative 2 (r - 1), and r has
//! the derivative gᵢ / r by gᵢ. So
//!
//! ```text
//! qᵢ  =  ∂p/∂gᵢ  =  2 (r - 1) · gᵢ / r
//! ```
//!
//! gᵢ is made of Wᵢⱼ and uⱼ, so p has the derivative
//!
//! ```text
//! tⱼ  =  ∂p/∂uⱼ  =  Σᵢ qᵢ · Wᵢⱼ
//! ```
//!
//! and uⱼ depends on aⱼ: the derivative of s = 1 - h² is -2 h · s, so that of uⱼ by aⱼ is -2 hⱼ sⱼ
//! vⱼ. At last, Wᵢⱼ is used in two places, in gᵢ with the factor uⱼ, and in aⱼ with the factor xᵢ.
//! The contributions are added:
//!
//! ```text
//! ∂p/∂Wᵢⱼ  =  qᵢ · uⱼ  +  tⱼ · (-2 hⱼ sⱼ vⱼ) · xᵢ
//! ```
//!
//! For several points, all of this is done for each. P is λ times the mean of their p, and its
//! gradient is λ times the mean of their gradients.
//!
//! Matrices lie in memory row after row: xᵢ of point b is at place b · d + i, and Wᵢⱼ at
//! i · hidden + j.

/// P at the points `x`, of which each has `d` values, for the critic of weights `w`, [d, hidden],
/// and `v`, [hidden].
pub fn penalty(x: &[f64], d: usize, w: &[f64], v: &[f64], lambda: f64) -> f64 {
    todo!()
}

/// The gradient of P by `w`, of the same shape.
pub fn weight_gradient(x: &[f64], d: usize, w: &[f64], v: &[f64], lambda: f64) -> Vec<f64> {
    todo!()
}
